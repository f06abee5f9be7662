package gateway

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Config sets a gateway up. Inside another program only the first three settings count.
type Config struct {
	// PublicURL is under which URL clients reach the gateway, as links say it, without a slash at its end. Default
	// empty: as each request came in.
	PublicURL string `koanf:"public_url"`
	// IdentityURL is Keystone's, named in the WWW-Authenticate header of a 401. Default empty: /identity of the public
	// URL, where the built-in identity service is.
	IdentityURL string `koanf:"identity_url"`
	// RateLimits hold each project to a number of requests. Default: none.
	RateLimits RateLimitConfig `koanf:"rate_limits"`

	// Listen says where a gateway that runs alone is reached.
	Listen ListenConfig `koanf:"listen"`
	// API says where a gateway that runs alone finds the api.
	API APIConfig `koanf:"api"`
}

// RateLimitConfig is in requests per minute and project; 0 is unlimited. Trove's own default is 200 for each. Every
// gateway counts by itself.
type RateLimitConfig struct {
	Post   int `koanf:"post"`
	Put    int `koanf:"put"`
	Delete int `koanf:"delete"`
	Get    int `koanf:"get"`
}

// ListenConfig says where a gateway that runs alone is reached.
type ListenConfig struct {
	// REST is the address of the REST API. Default 127.0.0.1:8779.
	REST string `koanf:"rest"`
	// CertificateFile and KeyFile, both PEM, make it https. Default none.
	CertificateFile string `koanf:"certificate_file"`
	KeyFile         string `koanf:"key_file"`
	// Insecure lets plain http listen on an address that others can reach, as behind a proxy that ends TLS.
	Insecure bool `koanf:"insecure"`
	// Operations is the address of /metrics and /healthz; empty for none. Default 127.0.0.1:8783.
	Operations string `koanf:"operations"`
}

// How the connection to the api is protected: what api.listen.public_security says there.
const (
	// SecurityMTLS shows a certificate of the control plane's own authority and wants the api to show one.
	SecurityMTLS = "mtls"
	// SecurityTLS wants the api to show a certificate for its host name.
	SecurityTLS = "tls"
	// SecurityNone speaks in the clear.
	SecurityNone = "none"
)

// APIConfig says where a gateway that runs alone finds the api.
type APIConfig struct {
	// Address of the api's public services. Default 127.0.0.1:8780.
	Address string `koanf:"address"`
	// Security is mtls, tls or none. Default mtls.
	Security string `koanf:"security"`
	// CAFile, CertificateFile and KeyFile, all PEM, are for mtls: `coffer pki issue` makes them. CAFile alone may be set
	// for tls; without it the host's authorities count.
	CAFile          string `koanf:"ca_file"`
	CertificateFile string `koanf:"certificate_file"`
	KeyFile         string `koanf:"key_file"`
}

// DefaultConfig is what applies where nothing is set.
func DefaultConfig() Config {
	return Config{
		Listen: ListenConfig{REST: "127.0.0.1:8779", Operations: "127.0.0.1:8783"},
		API:    APIConfig{Address: "127.0.0.1:8780", Security: SecurityMTLS},
	}
}

// Validate joins all that is wrong, each beginning with the setting's name and a colon.
func (c Config) Validate() error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(!validURL(c.PublicURL), "public_url: must be an http or https URL without a slash at its end, is %q", c.PublicURL)
	fault(!validURL(c.IdentityURL), "identity_url: must be an http or https URL without a slash at its end, is %q", c.IdentityURL)
	for method, perMinute := range c.RateLimits.byMethod() {
		fault(perMinute < 0, "rate_limits.%s: must be 0 or more, is %d", strings.ToLower(method), perMinute)
	}
	for name, address := range map[string]string{
		"listen.rest": c.Listen.REST, "listen.operations": c.Listen.Operations, "api.address": c.API.Address,
	} {
		_, _, err := net.SplitHostPort(address)
		fault(address != "" && err != nil, "%s: must be host:port, is %q", name, address)
	}
	fault((c.Listen.CertificateFile == "") != (c.Listen.KeyFile == ""),
		"listen.certificate_file: goes together with listen.key_file")
	fault(c.Listen.CertificateFile == "" && !c.Listen.Insecure && !loopback(c.Listen.REST),
		"listen.rest: must be a loopback address without listen.certificate_file, or listen.insecure must be true")
	switch c.API.Security {
	case "", SecurityMTLS, SecurityTLS, SecurityNone:
	default:
		fault(true, "api.security: must be %s, %s or %s, is %q", SecurityMTLS, SecurityTLS, SecurityNone, c.API.Security)
	}
	return errors.Join(faults...)
}

func validURL(text string) bool {
	u, err := url.Parse(text)
	return text == "" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && !strings.HasSuffix(text, "/")
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		// An address that is empty listens nowhere; one that is wrong is a fault of its own.
		return true
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (r RateLimitConfig) byMethod() map[string]int {
	return map[string]int{
		http.MethodPost: r.Post, http.MethodPut: r.Put, http.MethodDelete: r.Delete, http.MethodGet: r.Get,
	}
}
