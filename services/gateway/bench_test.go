package gateway_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/coffer-dbaas/coffer/pkg/grpckit"
	instancev1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/instance/v1"
	"github.com/coffer-dbaas/coffer/services/gateway"
)

// rows answers GetInstance with a message that is built anew, as from a row.
type rows struct {
	instancev1.UnimplementedInstanceServiceServer
}

func (rows) GetInstance(context.Context, *instancev1.GetInstanceRequest) (*instancev1.GetInstanceResponse, error) {
	return &instancev1.GetInstanceResponse{Instance: shown()}, nil
}

// BenchmarkGetInstance compares a GET of one instance, through mux and channel, with a bare JSON handler that answers
// the same from structs: the gateway's share of the bar that the whole GET has to pass.
func BenchmarkGetInstance(b *testing.B) {
	channel := grpckit.NewChannel([]grpc.UnaryServerInterceptor{
		func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			return next(ctx, request)
		},
	}, nil)
	instancev1.RegisterInstanceServiceServer(channel, rows{})
	door, err := gateway.New(gateway.Config{}, channel, nil, slog.New(slog.DiscardHandler))
	require.NoError(b, err)
	text := play(door, request(http.MethodGet, inProject("/instances/"+instanceID), "")).Body.Bytes()
	var decoded any
	require.NoError(b, json.Unmarshal(text, &decoded))
	bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(bareInstance())
	})
	b.Run("gateway", func(b *testing.B) { load(b, door) })
	b.Run("bare", func(b *testing.B) { load(b, bare) })
	b.Run("gateway handler alone", func(b *testing.B) { direct(b, door) })
	b.Run("bare handler alone", func(b *testing.B) { direct(b, bare) })
}

// load sends requests over loopback connections that stay open, as many at once as there are processors times four.
func load(b *testing.B, h http.Handler) {
	b.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	b.ReportAllocs()
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		client := &http.Client{Transport: &http.Transport{}}
		defer client.CloseIdleConnections()
		for pb.Next() {
			r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, server.URL+inProject("/instances/"+instanceID), nil)
			if err != nil {
				b.Error(err)
				return
			}
			r.Header.Set("X-Auth-Token", goodToken)
			answer, err := client.Do(r)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
		}
	})
}

// direct calls the handler without a network.
func direct(b *testing.B, h http.Handler) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), request(http.MethodGet, inProject("/instances/"+instanceID), ""))
	}
}

type bareLink struct {
	Rel  string `json:"rel"`
	Href string `json:"href"`
}

type bareShown struct {
	Instance struct {
		ID              string     `json:"id"`
		Name            string     `json:"name"`
		Status          string     `json:"status"`
		OperatingStatus string     `json:"operating_status"`
		Links           []bareLink `json:"links"`
		Flavor          struct {
			ID    string     `json:"id"`
			Links []bareLink `json:"links"`
		} `json:"flavor"`
		Datastore struct {
			Type          string `json:"type"`
			Version       string `json:"version"`
			VersionNumber string `json:"version_number"`
		} `json:"datastore"`
		Region string `json:"region"`
		Volume struct {
			Size int     `json:"size"`
			Used float64 `json:"used"`
		} `json:"volume"`
		IP      []string `json:"ip"`
		Created string   `json:"created"`
		Updated string   `json:"updated"`
	} `json:"instance"`
}

func bareInstance() *bareShown {
	from, shown := shown(), &bareShown{}
	i := &shown.Instance
	i.ID, i.Name, i.Status, i.OperatingStatus = from.GetId(), from.GetName(), from.GetStatus(), from.GetOperatingStatus()
	for _, link := range from.GetLinks() {
		i.Links = append(i.Links, bareLink{Rel: link.GetRel(), Href: link.GetHref()})
	}
	i.Flavor.ID, i.Flavor.Links = from.GetFlavor().GetId(), i.Links
	i.Datastore.Type, i.Datastore.Version = from.GetDatastore().GetType(), from.GetDatastore().GetVersion()
	i.Datastore.VersionNumber = from.GetDatastore().GetVersionNumber()
	i.Region, i.IP, i.Created, i.Updated = from.GetRegion(), from.GetIp(), from.GetCreated(), from.GetUpdated()
	i.Volume.Size, i.Volume.Used = int(from.GetVolume().GetSize()), from.GetVolume().GetUsed()
	return shown
}
