package keystone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"

	"github.com/coffer-dbaas/coffer/pkg/openstack"
	"github.com/coffer-dbaas/coffer/services/api/internal/identity"
)

// tokenBody is what Keystone says of a token, as far as it matters here.
type tokenBody struct {
	Token struct {
		ExpiresAt endOfToken  `json:"expires_at"`
		User      reference   `json:"user"`
		Project   *reference  `json:"project"`
		Roles     []reference `json:"roles"`
	} `json:"token"`
}

// reference is a user, a project or a role.
type reference struct {
	ID     string          `json:"id"`
	Name   string          `json:"name"`
	Domain identity.Domain `json:"domain"`
}

// endOfToken is a time in UTC. Keystone writes it without a zone where an application credential ends with the token.
type endOfToken time.Time

// UnmarshalText reads both of Keystone's forms.
func (e *endOfToken) UnmarshalText(text []byte) error {
	end, err := time.Parse("2006-01-02T15:04:05", strings.TrimSuffix(string(text), "Z"))
	*e = endOfToken(end)
	return err
}

// check asks Keystone about a token: identity.ErrUnauthenticated when it is no good, errs.Unavailable when Keystone cannot
// tell.
func (k *Keystone) check(ctx context.Context, token string, expiredToo bool) (identity.Caller, error) {
	body, err := k.ask(ctx, token, expiredToo)
	if errors.Is(err, identity.ErrUnauthenticated) {
		k.health.note(nil)
		return identity.Caller{}, identity.ErrUnauthenticated
	}
	k.health.note(err)
	if err != nil {
		return identity.Caller{}, identity.Unavailable(err)
	}
	return body.caller(), nil
}

func (k *Keystone) ask(ctx context.Context, token string, expiredToo bool) (tokenBody, error) {
	own := k.api.Token()
	body, err := k.get(ctx, token, expiredToo)
	if k.isAboutUs(err) {
		if err = k.api.Reauthenticate(ctx, own); err == nil {
			body, err = k.get(ctx, token, expiredToo)
		}
	}
	if err != nil {
		return tokenBody{}, k.explain(err)
	}
	if body.Token.User.ID == "" || time.Time(body.Token.ExpiresAt).IsZero() {
		return tokenBody{}, fmt.Errorf("%w: its answer names no user and no end of the token", errAway)
	}
	return body, nil
}

func (k *Keystone) get(ctx context.Context, token string, expiredToo bool) (body tokenBody, err error) {
	url := k.api.ServiceURL("auth", "tokens") + "?nocatalog"
	if expiredToo {
		url += "&allow_expired=1"
	}
	// Without a header that says otherwise, Keystone refuses tokens that are good for some calls only (access rules), which
	// nobody would look at here.
	_, err = k.api.Get(ctx, url, &body, &gophercloud.RequestOpts{ //nolint:bodyclose // gophercloud has read it
		MoreHeaders: map[string]string{"X-Subject-Token": token},
		OkCodes:     []int{http.StatusOK, http.StatusNonAuthoritativeInfo},
	})
	return body, err
}

// isAboutUs says whether a 404 is for the service user or its project, which were deleted: Keystone then says so instead of
// 401, and it must not be taken for a word about the token that was asked about.
func (k *Keystone) isAboutUs(err error) bool {
	var answer gophercloud.ErrUnexpectedResponseCode
	if !errors.As(err, &answer) || answer.Actual != http.StatusNotFound {
		return false
	}
	login, known := k.api.GetAuthResult().(tokens.CreateResult)
	if !known {
		return false
	}
	said := keystonesWord(answer.Body).Message
	user, err := login.ExtractUser()
	if err == nil && user != nil && said == fmt.Sprintf("Could not find user: %s.", user.ID) {
		return true
	}
	project, err := login.ExtractProject()
	return err == nil && project != nil && said == fmt.Sprintf("Could not find project: %s.", project.ID)
}

// Why Keystone cannot tell.
var (
	errAway      = errors.New("Keystone does not check tokens")
	errRefused   = errors.New("Keystone refuses the service user of clouds.yaml")
	errForbidden = errors.New("Keystone does not let the service user check tokens: it needs the role service")
)

// explain says what a failure means. What Keystone wrote stays out of it: it may repeat the token.
func (k *Keystone) explain(err error) error {
	var answer gophercloud.ErrUnexpectedResponseCode
	switch {
	case openstack.IsRefused(err):
		return fmt.Errorf("%w: cloud %q at %s", errRefused, k.cfg.Cloud, k.URL())
	case !errors.As(err, &answer):
		return fmt.Errorf("%w: %w", errAway, err)
	case answer.Actual == http.StatusNotFound && keystonesWord(answer.Body).Code == http.StatusNotFound && !k.isAboutUs(err):
		return identity.ErrUnauthenticated
	case answer.Actual == http.StatusForbidden:
		return fmt.Errorf("%w: cloud %q at %s", errForbidden, k.cfg.Cloud, k.URL())
	default:
		return fmt.Errorf("%w: %s answers HTTP %d", errAway, k.URL(), answer.Actual)
	}
}

// word is how Keystone says what is wrong.
type word struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// keystonesWord is empty for what somebody else said, such as a proxy that does not find Keystone.
func keystonesWord(body []byte) word {
	var fault struct {
		Error word `json:"error"`
	}
	if err := json.Unmarshal(body, &fault); err != nil {
		return word{}
	}
	return fault.Error
}

// caller leaves out the roles of a token for a domain or the system: they are none on a project.
func (b tokenBody) caller() identity.Caller {
	c := identity.Caller{
		UserID: b.Token.User.ID, UserName: b.Token.User.Name, UserDomain: b.Token.User.Domain, Expires: time.Time(b.Token.ExpiresAt),
	}
	if project := b.Token.Project; project != nil {
		c.ProjectID, c.ProjectName, c.ProjectDomain = project.ID, project.Name, project.Domain
		for _, role := range b.Token.Roles {
			c.Roles = append(c.Roles, role.Name)
		}
	}
	return c
}
