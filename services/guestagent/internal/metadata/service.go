package metadata

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Service is where every cloud has it.
const Service = "http://169.254.169.254"

// answerLimit bounds one question.
const answerLimit = 10 * time.Second

// FromService asks the metadata service at a URL. It needs a network that works already. ErrNone: the service knows no
// user data of this machine. It follows no redirection and no proxy.
func FromService(ctx context.Context, url string) (Data, error) {
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	user, err := ask(ctx, client, url+"/"+userFile)
	if err != nil {
		return Data{}, err
	}
	if user == nil {
		return Data{}, fmt.Errorf("%w: the service has no user data", ErrNone)
	}
	network, err := ask(ctx, client, url+"/"+networkFile)
	return Data{User: user, Network: network}, err
}

// ask gives nil for what the service does not have.
func ask(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("ask the metadata service: %w", err)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the metadata service: %w", err)
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, nil
	default:
		return nil, fmt.Errorf("ask the metadata service: %s answers %s", url, response.Status)
	}
	data, err := readAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("ask the metadata service: %s: %w", url, err)
	}
	return data, nil
}
