package openstack

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/coffer-dbaas/coffer/pkg/version"
)

const (
	// connectLimit bounds each part of the way to a service: connection, TLS.
	connectLimit = 10 * time.Second
	// answerLimit bounds the wait for the beginning of an answer, after the whole request was sent. It is a last resort:
	// calls have deadlines of their own.
	answerLimit = 2 * time.Minute
	// idleLimit is for how long a connection is kept for the next call.
	idleLimit = time.Minute
	// connections bounds how many connections one service is burdened with; further calls wait for one.
	connections = 64
)

func transport(tlsConfig *tls.Config, around func(http.RoundTripper) http.RoundTripper) http.RoundTripper {
	var transport http.RoundTripper = &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: connectLimit}).DialContext,
		TLSClientConfig:       tlsConfig,
		TLSHandshakeTimeout:   connectLimit,
		ResponseHeaderTimeout: answerLimit,
		IdleConnTimeout:       idleLimit,
		MaxConnsPerHost:       connections,
		MaxIdleConnsPerHost:   connections,
		ForceAttemptHTTP2:     true,
	}
	if around != nil {
		transport = around(transport)
	}
	return transport
}

func userAgent() (agent gophercloud.UserAgent) {
	agent.Prepend("coffer/" + version.Version)
	return agent
}
