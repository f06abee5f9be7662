package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/coffer-dbaas/coffer/pkg/nettest"
)

// plane is a control plane of separate programs on this host, which all read one configuration file.
type plane struct {
	t testing.TB
	// dir holds the configuration, the certificates and what the programs keep.
	dir string
	// operations are the addresses of /healthz, by process.
	operations map[string]string
	nats       string
}

// newPlane writes the configuration, the certificates and the users, and makes the schema of the state.
func newPlane(t testing.TB, kept state) *plane {
	t.Helper()
	p := &plane{t: t, dir: newDataDir(t), operations: map[string]string{}, nats: nettest.FreeAddress(t)}
	rest, public, internal, identity := nettest.FreeAddress(t), nettest.FreeAddress(t), nettest.FreeAddress(t), nettest.FreeAddress(t)
	p.write("coffer.yaml", map[string]any{
		"api": map[string]any{
			"public_url": "http://" + rest, "state": map[string]any{"driver": kept.driver, "dsn": kept.dsn},
			"master_key_file": p.path("master.key"), "ca_dir": p.path("ca"),
			"identity": map[string]any{"users_file": p.path("users.yaml"), "url": "http://" + identity + "/identity"},
			"listen":   map[string]any{"public": public, "internal": internal, "identity": identity},
		},
		"gateway": map[string]any{
			"public_url": "http://" + rest, "identity_url": "http://" + identity + "/identity/v3",
			"listen": map[string]any{"rest": rest},
			"api":    p.certificate("gateway/g1", map[string]any{"address": public}),
		},
		"taskmanager": map[string]any{
			"api":   map[string]any{"address": internal},
			"local": map[string]any{"data_dir": p.path("local")},
		},
		"nats": map[string]any{"url": "nats://" + p.nats},
	})
	p.run("coffer-api", "migrate", "up", "--config", p.path("coffer.yaml"))
	p.run("coffer", "identity", "init", "--config", p.path("coffer.yaml"), "--clouds", p.path("clouds.yaml"))
	require.NoError(t, os.WriteFile(p.path("nats.conf"),
		fmt.Appendf(nil, "listen: %s\njetstream {store_dir: %q, sync_interval: always}\n", p.nats, p.path("nats")), 0o600))
	return p
}

func (p *plane) path(name string) string { return filepath.Join(p.dir, name) }

func (p *plane) write(name string, content any) {
	p.t.Helper()
	text, err := yaml.Marshal(content)
	require.NoError(p.t, err)
	require.NoError(p.t, os.WriteFile(p.path(name), text, 0o600))
}

func (p *plane) run(program string, args ...string) {
	p.t.Helper()
	output, err := exec.CommandContext(p.t.Context(), filepath.Join(programs, program), args...).CombinedOutput()
	require.NoError(p.t, err, "%s: %s", program, output)
}

// certificate has one issued, and adds to the settings where it is.
func (p *plane) certificate(name string, settings map[string]any) map[string]any {
	p.t.Helper()
	folder := p.path(strings.ReplaceAll(name, "/", "-"))
	p.run("coffer", "pki", "issue", "--ca", p.path("ca"), "--name", name, "--dir", folder)
	for setting, file := range map[string]string{"ca_file": "ca.pem", "certificate_file": "cert.pem", "key_file": "key.pem"} {
		settings[setting] = filepath.Join(folder, file)
	}
	return settings
}

// start starts a program under a name of its own. The settings, by key, go over those of the file.
func (p *plane) start(name, program string, settings map[string]any, args ...string) *process {
	p.t.Helper()
	command := exec.Command(filepath.Join(programs, program), args...)
	command.Dir = p.dir
	command.Env = os.Environ()
	for key, value := range settings {
		variable := "COFFER_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
		command.Env = append(command.Env, fmt.Sprintf("%s=%v", variable, value))
	}
	return launch(p.t, name, command)
}

func (p *plane) startNATS() *process {
	p.t.Helper()
	return p.start("nats-server", "nats-server", nil, "--config", p.path("nats.conf"))
}

func (p *plane) startAPI(name string, settings map[string]any) *process {
	p.t.Helper()
	return p.start(name, "coffer-api", p.with(settings, map[string]any{
		"api.name": name, "api.listen.operations": p.operationsOf(name),
	}), "serve", "--config", p.path("coffer.yaml"))
}

func (p *plane) startGateway() *process {
	p.t.Helper()
	return p.start("gateway", "coffer-gateway", map[string]any{"gateway.listen.operations": p.operationsOf("gateway")},
		"--config", p.path("coffer.yaml"))
}

// startTaskmanager starts one that dies at the crash point; empty for none. apiAddress is empty for that of the file.
func (p *plane) startTaskmanager(name, crashPoint, apiAddress string) *process {
	p.t.Helper()
	settings := map[string]any{
		"taskmanager.name": name, "taskmanager.operations": p.operationsOf(name), "crashpoint": crashPoint,
	}
	if apiAddress != "" {
		settings["taskmanager.api.address"] = apiAddress
	}
	for key, value := range p.certificate("taskmanager/"+name, map[string]any{}) {
		settings["taskmanager.api."+key] = value
	}
	return p.start(name, "coffer-taskmanager", settings, "--config", p.path("coffer.yaml"))
}

func (p *plane) with(settings ...map[string]any) map[string]any {
	all := map[string]any{}
	for _, some := range settings {
		for key, value := range some {
			all[key] = value
		}
	}
	return all
}

func (p *plane) operationsOf(name string) string {
	if _, known := p.operations[name]; !known {
		p.operations[name] = nettest.FreeAddress(p.t)
	}
	return p.operations[name]
}

// awaitHealthy waits until the processes of these names say that they are.
func (p *plane) awaitHealthy(names ...string) {
	p.t.Helper()
	for _, name := range names {
		within(p.t, name+" to be healthy", func() bool {
			request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, "http://"+p.operationsOf(name)+"/healthz", nil)
			require.NoError(p.t, err)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				return false
			}
			require.NoError(p.t, response.Body.Close())
			return response.StatusCode == http.StatusOK
		})
	}
}

func (p *plane) signIn(cloudName string) *client {
	p.t.Helper()
	return signIn(p.t, p.path("clouds.yaml"), cloudName)
}

func (p *plane) machine(i instance) machine {
	p.t.Helper()
	require.Len(p.t, i.IP, 1)
	return machine{t: p.t, datastore: mariadb, folder: filepath.Join(p.dir, "local", "servers", i.ID), ip: i.IP[0]}
}
