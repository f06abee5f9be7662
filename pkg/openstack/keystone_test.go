package openstack

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// keystone is as much of a Keystone as a login needs: the user demo with the password lab, tokens that are shown, revoked
// and needed. The tests pass a real one too.
type keystone struct {
	url string

	mu     sync.Mutex
	issued int
	good   map[string]bool
	// stillborn is how many of the next tokens are revoked as they are issued.
	stillborn int
}

func newKeystone(t *testing.T) *keystone {
	k := &keystone{good: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v3/auth/tokens", k.issue)
	mux.HandleFunc("HEAD /v3/auth/tokens", k.authorised(func(http.ResponseWriter, *http.Request) {}))
	mux.HandleFunc("DELETE /v3/auth/tokens", k.authorised(k.revoke))
	mux.HandleFunc("GET /v3/auth/catalog", k.authorised(k.catalog))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	k.url = server.URL + "/v3"
	return k
}

func (k *keystone) issue(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Auth struct {
			Identity struct {
				Password struct {
					User struct{ Password string }
				}
			}
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Auth.Identity.Password.User.Password != "lab" {
		http.Error(w, `{"error": {"code": 401}}`, http.StatusUnauthorized)
		return
	}
	k.mu.Lock()
	k.issued++
	token := fmt.Sprintf("token-%d", k.issued)
	k.good[token] = k.stillborn == 0
	k.stillborn = max(0, k.stillborn-1)
	k.mu.Unlock()
	w.Header().Set("X-Subject-Token", token)
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"token": {"catalog": [{"type": "identity", "endpoints": [
		{"interface": "internal", "region": "RegionOne", "region_id": "RegionOne", "url": %q}]}]}}`, k.url)
}

func (k *keystone) authorised(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		k.mu.Lock()
		good := k.good[r.Header.Get("X-Auth-Token")]
		k.mu.Unlock()
		if !good {
			http.Error(w, `{"error": {"code": 401}}`, http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}

func (k *keystone) revoke(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	delete(k.good, r.Header.Get("X-Subject-Token"))
	k.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

func (k *keystone) catalog(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprint(w, `{"catalog": []}`)
}
