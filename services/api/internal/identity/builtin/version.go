package builtin

import "net/http"

type link struct {
	Rel  string `json:"rel"`
	Href string `json:"href"`
}

type mediaType struct {
	Base string `json:"base"`
	Type string `json:"type"`
}

// versionDocument is what clients choose a version by.
type versionDocument struct {
	ID         string      `json:"id"`
	Status     string      `json:"status"`
	Updated    string      `json:"updated"`
	Links      []link      `json:"links"`
	MediaTypes []mediaType `json:"media-types"`
}

// version says v3.14, as Keystone has done since its Ussuri release.
func (b *Builtin) version() versionDocument {
	return versionDocument{
		ID: "v3.14", Status: "stable", Updated: "2020-04-07T00:00:00Z",
		Links:      []link{{Rel: "self", Href: b.cfg.identityURL() + "/v3/"}},
		MediaTypes: []mediaType{{Base: "application/json", Type: "application/vnd.openstack.identity-v3+json"}},
	}
}

// listVersions answers 300, as Keystone does.
func (b *Builtin) listVersions(w http.ResponseWriter, _ *http.Request) error {
	values := map[string]any{"values": []versionDocument{b.version()}}
	return reply(w, http.StatusMultipleChoices, map[string]any{"versions": values})
}

func (b *Builtin) showVersion(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, http.StatusOK, map[string]any{"version": b.version()})
}
