package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// cloud is one entry of clouds.yaml.
type cloud struct {
	Auth struct {
		URL           string `yaml:"auth_url"`
		Username      string `yaml:"username"`
		Password      string `yaml:"password"`
		ProjectName   string `yaml:"project_name"`
		UserDomain    string `yaml:"user_domain_name"`
		ProjectDomain string `yaml:"project_domain_name"`
	} `yaml:"auth"`
}

// client is one user at the REST door.
type client struct {
	t         testing.TB
	base      string
	token     string
	projectID string
	http      *http.Client
	// patience bounds each of its waits.
	patience time.Duration
}

// answer is what came back.
type answer struct {
	code   int
	header http.Header
	body   []byte
}

// signIn reads the data folder's clouds.yaml and gets a token from the Keystone that it names.
func (s *serve) signIn(cloudName string) *client {
	s.t.Helper()
	c := signIn(s.t, filepath.Join(s.dataDir, "clouds.yaml"), cloudName)
	c.patience = s.patience
	return c
}

func signIn(t testing.TB, cloudsFile, cloudName string) *client {
	t.Helper()
	text, err := os.ReadFile(cloudsFile)
	require.NoError(t, err)
	var file struct {
		Clouds map[string]cloud `yaml:"clouds"`
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	entry, ok := file.Clouds[cloudName]
	require.True(t, ok, "clouds.yaml has no cloud %s", cloudName)

	c := &client{t: t, http: &http.Client{}, patience: patience}
	request := map[string]any{"auth": map[string]any{
		"identity": map[string]any{"methods": []string{"password"}, "password": map[string]any{"user": map[string]any{
			"name": entry.Auth.Username, "password": entry.Auth.Password, "domain": map[string]any{"name": entry.Auth.UserDomain},
		}}},
		"scope": map[string]any{"project": map[string]any{
			"name": entry.Auth.ProjectName, "domain": map[string]any{"name": entry.Auth.ProjectDomain},
		}},
	}}
	got := c.call(http.MethodPost, entry.Auth.URL+"/auth/tokens", request)
	require.Equal(t, http.StatusCreated, got.code, string(got.body))
	c.token = got.header.Get("X-Subject-Token")
	var token struct {
		Token struct {
			Project struct{ ID string }
			Catalog []struct {
				Type      string
				Endpoints []struct{ Interface, URL string }
			}
		}
	}
	require.NoError(t, json.Unmarshal(got.body, &token))
	c.projectID = token.Token.Project.ID
	for _, service := range token.Token.Catalog {
		for _, endpoint := range service.Endpoints {
			if service.Type == "database" && endpoint.Interface == "public" {
				c.base = endpoint.URL
			}
		}
	}
	require.NotEmpty(t, c.base, "the catalog has no database endpoint")
	return c
}

// call sends a request; a path is taken from the catalog's endpoint on.
func (c *client) call(method, path string, body any, headers ...string) answer {
	c.t.Helper()
	got, err := c.try(method, path, body, headers...)
	require.NoError(c.t, err)
	return got
}

// try is call for a server that may be gone.
func (c *client) try(method, path string, body any, headers ...string) (answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.patience)
	defer cancel()
	request, err := c.request(ctx, method, path, body, headers...)
	if err != nil {
		return answer{}, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, err
	}
	content, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return answer{}, err
	}
	return answer{code: response.StatusCode, header: response.Header, body: content}, nil
}

func (c *client) request(ctx context.Context, method, path string, body any, headers ...string) (*http.Request, error) {
	if strings.HasPrefix(path, "/") {
		path = c.base + path
	}
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, path, content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		request.Header.Set("X-Auth-Token", c.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return request, nil
}

// instance is what the tests read of an instance.
type instance struct {
	ID              string
	Name            string
	Status          string
	OperatingStatus string `json:"operating_status"`
	IP              []string
	Addresses       []struct{ Address, Type string }
	Datastore       struct{ Type string }
	Fault           *struct{ Message string }
	Flavor          struct{ ID string }
	Volume          struct{ Size int }
	ReplicaOf       *struct{ ID string } `json:"replica_of"`
	Replicas        []struct{ ID string }
}

// task is what the tests read of a task.
type task struct {
	ID         string
	Action     string
	InstanceID string `json:"instance_id"`
	Status     string
	Steps      []struct {
		Name, Status, Message string
		Attempt               int
	}
	Error *struct{ Code, Step, Message string }
}

func (t task) ended() bool {
	return t.Status == "SUCCEEDED" || t.Status == "FAILED" || t.Status == "CANCELLED"
}

// newInstance is the create request that most tests send: one database, one user.
func newInstance(name string) map[string]any {
	return map[string]any{"instance": map[string]any{
		"name": name, "flavorRef": "1", "volume": map[string]any{"size": 1},
		"databases": []any{map[string]any{"name": "shop"}},
		"users": []any{map[string]any{
			"name": "keeper", "password": userPassword, "databases": []any{map[string]any{"name": "shop"}},
		}},
	}}
}

const userPassword = "correct-horse-battery"

// create sends the request and answers with the instance and its task's id.
func (c *client) create(body map[string]any) (instance, string) {
	c.t.Helper()
	got := c.call(http.MethodPost, "/instances", body)
	require.Equal(c.t, http.StatusOK, got.code, string(got.body))
	return instanceIn(c.t, got), taskOf(c.t, got)
}

// createReady creates an instance and waits until it is there.
func (c *client) createReady(name string) instance {
	c.t.Helper()
	made, id := c.create(newInstance(name))
	c.awaitSuccess(id)
	return c.show(made.ID)
}

func (c *client) restart(id string) string {
	c.t.Helper()
	got := c.call(http.MethodPost, "/instances/"+id+"/action", map[string]any{"restart": map[string]any{}})
	require.Equal(c.t, http.StatusAccepted, got.code, string(got.body))
	require.Empty(c.t, got.body)
	return taskOf(c.t, got)
}

func (c *client) delete(id string) string {
	c.t.Helper()
	got := c.call(http.MethodDelete, "/instances/"+id, nil)
	require.Equal(c.t, http.StatusAccepted, got.code, string(got.body))
	require.Empty(c.t, got.body)
	return taskOf(c.t, got)
}

func (c *client) show(id string) instance {
	c.t.Helper()
	got := c.call(http.MethodGet, "/instances/"+id, nil)
	require.Equal(c.t, http.StatusOK, got.code, string(got.body))
	return instanceIn(c.t, got)
}

func (c *client) task(id string) task {
	c.t.Helper()
	got := c.call(http.MethodGet, "/tasks/"+id, nil)
	require.Equal(c.t, http.StatusOK, got.code, string(got.body))
	var body struct{ Task task }
	require.NoError(c.t, json.Unmarshal(got.body, &body))
	return body.Task
}

func instanceIn(t testing.TB, a answer) instance {
	t.Helper()
	var body struct{ Instance instance }
	require.NoError(t, json.Unmarshal(a.body, &body))
	require.NotEmpty(t, body.Instance.ID)
	return body.Instance
}

func taskOf(t testing.TB, a answer) string {
	t.Helper()
	id := a.header.Get("Coffer-Task-Id")
	require.NotEmpty(t, id, "no Coffer-Task-Id")
	return id
}

// awaitSuccess waits until the task has ended, and ended well.
func (c *client) awaitSuccess(taskID string) task {
	c.t.Helper()
	ended := c.awaitEnd(taskID)
	require.Equal(c.t, "SUCCEEDED", ended.Status, "%+v", ended)
	return ended
}

// awaitEnd waits on the event stream until the task has ended. The stream is opened before the task is looked at, so
// nothing falls between.
func (c *client) awaitEnd(taskID string) task {
	c.t.Helper()
	var found task
	defer func() {
		if !found.ended() {
			c.t.Logf("the task that did not end: %+v", found)
		}
	}()
	c.watch("", func() bool {
		found = c.task(taskID)
		return found.ended()
	}, func(kind string, data []byte) bool {
		if kind != "task" {
			return false
		}
		var told task
		require.NoError(c.t, json.Unmarshal(data, &told))
		if told.ID == taskID {
			found = told
		}
		return told.ID == taskID && told.ended()
	})
	return found
}

// awaitOperating waits on the event stream until the instance shows the operating status.
func (c *client) awaitOperating(id, want string) {
	c.t.Helper()
	c.watch("", func() bool { return c.show(id).OperatingStatus == want }, func(kind string, data []byte) bool {
		var told instance
		if kind != "instance" {
			return false
		}
		require.NoError(c.t, json.Unmarshal(data, &told))
		return told.ID == id && told.OperatingStatus == want
	})
}

// watch opens the event stream, asks now, and then hears each event until one of them says that it is enough. It
// answers with the id of the last event heard.
func (c *client) watch(lastEventID string, now func() bool, heard func(kind string, data []byte) bool) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), c.patience)
	defer cancel()
	var headers []string
	if lastEventID != "" {
		headers = []string{"Last-Event-ID", lastEventID}
	}
	request, err := c.request(ctx, http.MethodGet, "/events", nil, headers...)
	require.NoError(c.t, err)
	response, err := c.http.Do(request)
	require.NoError(c.t, err)
	defer func() { _ = response.Body.Close() }()
	require.Equal(c.t, http.StatusOK, response.StatusCode)
	if now() {
		return lastEventID
	}
	var kind string
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "id":
			lastEventID = value
		case "event":
			kind = value
		case "data":
			var told map[string]json.RawMessage
			require.NoError(c.t, json.Unmarshal([]byte(value), &told))
			if heard(kind, told[kind]) {
				return lastEventID
			}
		}
	}
	require.FailNow(c.t, fmt.Sprintf("the event stream ended after %s: %v", lastEventID, lines.Err()), time.Now().String())
	return ""
}
