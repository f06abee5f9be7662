package builtin

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
)

type catalogService struct {
	ID        string            `json:"id"`
	Type      string            `json:"type"`
	Name      string            `json:"name"`
	Endpoints []catalogEndpoint `json:"endpoints"`
}

type catalogEndpoint struct {
	ID        string `json:"id"`
	Interface string `json:"interface"`
	Region    string `json:"region"`
	RegionID  string `json:"region_id"`
	URL       string `json:"url"`
}

// catalog lists the services as a project sees them.
func (b *Builtin) catalog(p *project) []catalogService {
	return []catalogService{
		b.service("database", "trove", b.cfg.PublicURL+"/v1.0/"+p.id),
		b.service("identity", "keystone", b.cfg.identityURL()+"/v3"),
	}
}

// service has the same URL for every interface: there is one network.
func (b *Builtin) service(kind, name, url string) catalogService {
	s := catalogService{ID: fixedID("service", kind), Type: kind, Name: name}
	for _, face := range []string{"public", "internal", "admin"} {
		s.Endpoints = append(s.Endpoints, catalogEndpoint{
			ID: fixedID("endpoint", kind+"/"+face), Interface: face,
			Region: b.cfg.Region, RegionID: b.cfg.Region, URL: url,
		})
	}
	return s
}

// fixedID is an id of Keystone's shape for what has a name alone.
func fixedID(kind, name string) string {
	sum := sha256.Sum256([]byte(kind + "/" + name))
	return hex.EncodeToString(sum[:16])
}

// showCatalog needs a token with a project, as Keystone does.
func (b *Builtin) showCatalog(w http.ResponseWriter, r *http.Request) error {
	caller, err := b.authenticated(r)
	if err != nil {
		return err
	}
	if caller.project == nil {
		return newFault(http.StatusForbidden, "A project-scoped token is required to produce a service catalog.")
	}
	return reply(w, http.StatusOK, map[string]any{
		"catalog": b.catalog(caller.project),
		"links":   map[string]any{"self": b.cfg.identityURL() + "/v3/auth/catalog"},
	})
}
