package builtin

import "net/http"

// revokeToken is DELETE /v3/auth/tokens: ends the token in X-Subject-Token.
func (b *Builtin) revokeToken(w http.ResponseWriter, r *http.Request) error {
	token, _, err := b.subject(r, "revoke_token")
	if err != nil {
		return err
	}
	if err := b.revoke(r.Context(), token); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
