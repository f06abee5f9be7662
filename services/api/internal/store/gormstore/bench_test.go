package gormstore_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/services/api/internal/store"
	"github.com/coffer-dbaas/coffer/services/api/internal/store/storetest"
)

// BenchmarkInstance reads one row, as every GET does.
func BenchmarkInstance(b *testing.B) {
	s := openSQLite(b)
	defer s.Close()
	instance := storetest.NewInstance(b, s)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Instance(b.Context(), instance.ProjectID, instance.ID); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkToken reads one token, as every call does.
func BenchmarkToken(b *testing.B) {
	s := openSQLite(b)
	defer s.Close()
	token := store.Token{Hash: []byte("0123456789abcdef0123456789abcdef"), Payload: make([]byte, 200), Expires: time.Now()}
	require.NoError(b, s.SaveToken(b.Context(), token))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Token(b.Context(), token.Hash); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkAcceptFiftyInFlight accepts restarts on 50 instances at once, while those before are claimed and finished.
func BenchmarkAcceptFiftyInFlight(b *testing.B) {
	const flights = 50
	s := openSQLite(b)
	defer s.Close()
	var instances [flights]store.Instance
	for i := range instances {
		instances[i] = storetest.NewInstance(b, s)
	}
	var mu sync.Mutex
	var took []time.Duration
	b.ResetTimer()
	var all sync.WaitGroup
	for i := range flights {
		all.Go(func() {
			for range (b.N + flights - 1) / flights {
				began := time.Now()
				task := storetest.Restart(b, s, instances[i].ID)
				elapsed := time.Since(began)
				storetest.Settle(b, s, task)
				mu.Lock()
				took = append(took, elapsed)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
