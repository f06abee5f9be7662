package pki

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Files are where a program's certificate lies, all PEM; `coffer pki issue` makes them.
type Files struct{ CA, Certificate, Key string }

// LoadIdentity reads an identity from files and follows them: when the certificate is issued again, connections made from
// then on use it. One that cannot be used, or has another name, is logged, and the former one stays. The CA is read once.
// An error begins with the setting's name.
func LoadIdentity(files Files, logger *slog.Logger) (*Identity, error) {
	var texts [3][]byte
	for i, file := range []struct{ setting, path string }{
		{"ca_file", files.CA}, {"certificate_file", files.Certificate}, {"key_file", files.Key},
	} {
		if file.path == "" {
			return nil, fmt.Errorf("%s: must name a file; `coffer pki issue` makes it", file.setting)
		}
		text, err := os.ReadFile(file.path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.setting, err)
		}
		texts[i] = text
	}
	identity, err := NewIdentity(texts[1], texts[2], texts[0])
	if err != nil {
		return nil, fmt.Errorf("certificate_file: %w", err)
	}
	identity.follow = newFollower([]string{files.Certificate, files.Key}, logger, func() error {
		return identity.replaceFrom(files)
	})
	return identity, nil
}

func (i *Identity) replaceFrom(files Files) error {
	certificate, err := tls.LoadX509KeyPair(files.Certificate, files.Key)
	if err != nil {
		return err
	}
	if name, err := nameOf(certificate.Leaf); err != nil || name != i.Name() {
		return errors.Join(err, fmt.Errorf("%s has another name than %s", files.Certificate, i.Name()))
	}
	return i.take(&certificate)
}

// HostTLS serves TLS with a certificate for a host's name from files, and follows them as LoadIdentity does.
func HostTLS(certificateFile, keyFile string, logger *slog.Logger) (*tls.Config, error) {
	var current atomic.Pointer[tls.Certificate]
	load := func() error {
		certificate, err := tls.LoadX509KeyPair(certificateFile, keyFile)
		if err != nil {
			return fmt.Errorf("load the certificate: %w", err)
		}
		current.Store(&certificate)
		return nil
	}
	follow := newFollower([]string{certificateFile, keyFile}, logger, load)
	if err := load(); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			follow.look()
			return current.Load(), nil
		},
	}, nil
}

// follower has files read again when they have changed. It looks when it is asked, so it needs nobody to stop it.
type follower struct {
	paths  []string
	logger *slog.Logger
	read   func() error

	mu sync.Mutex
	// seen are the files' times when they were last read, with or without success.
	seen []time.Time
}

// newFollower takes the files as they are now for read.
func newFollower(paths []string, logger *slog.Logger, read func() error) *follower {
	return &follower{paths: paths, logger: logger, read: read, seen: times(paths)}
}

func (f *follower) look() {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := times(f.paths)
	changed := false
	for i := range now {
		changed = changed || !now[i].Equal(f.seen[i])
	}
	if !changed {
		return
	}
	f.seen = now
	if err := f.read(); err != nil {
		f.logger.Error("the new certificate cannot be used, the former one stays", "file", f.paths[0], "error", err)
		return
	}
	f.logger.Info("the new certificate is used", "file", f.paths[0])
}

// times are when the files were changed last; that of a file that cannot be looked at is zero.
func times(paths []string) []time.Time {
	all := make([]time.Time, len(paths))
	for i, path := range paths {
		if info, err := os.Stat(path); err == nil {
			all[i] = info.ModTime()
		}
	}
	return all
}
