package builtin

import "net/http"

// showToken is GET and HEAD /v3/auth/tokens: is the token in X-Subject-Token good, and what for.
func (b *Builtin) showToken(w http.ResponseWriter, r *http.Request) error {
	token, g, err := b.subject(r, "validate_token")
	if err != nil {
		return err
	}
	w.Header().Set("X-Subject-Token", token)
	_, nocatalog := r.URL.Query()["nocatalog"]
	return reply(w, http.StatusOK, b.tokenBody(g, !nocatalog))
}
