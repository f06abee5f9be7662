// Command coffer-fakeagent stands in for coffer-guestagent where the control plane is measured and not the database: the
// local provider starts it in its place (local.guestagent), and it answers like an agent whose database does everything
// at once. It understands the same command line and the same server folder.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/coffer-dbaas/coffer/pkg/status"
	"github.com/coffer-dbaas/coffer/services/taskmanager/internal/guest/fake"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGPWR)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "coffer-fakeagent:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("want serve or make-template")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	dir := flags.String("dir", "", "the server's folder, or that of the templates")
	manager := flags.String("manager", "", "the template's datastore manager")
	version := flags.String("version", "", "the template's version")
	flags.String("engine-root", "", "ignored")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "serve":
		return serve(ctx, *dir)
	case "make-template":
		return os.MkdirAll(filepath.Join(*dir, *manager+"-"+*version), 0o755) //nolint:gosec // every server reads it
	}
	return fmt.Errorf("unknown command %q", args[0])
}

// server is what is needed of server.json.
type server struct {
	InstanceID  string `json:"instance_id"`
	AgentListen string `json:"agent_listen"`
}

func serve(ctx context.Context, dir string) error {
	described, err := os.ReadFile(filepath.Join(dir, "server.json")) //nolint:gosec // the folder is the caller's choice
	if err != nil {
		return fmt.Errorf("read what the server is: %w", err)
	}
	var s server
	if err := json.Unmarshal(described, &s); err != nil {
		return fmt.Errorf("read what the server is: %w", err)
	}
	agent, err := open(dir, s.InstanceID)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.AgentListen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer context.AfterFunc(ctx, agent.Stop)()
	return agent.Serve(listener)
}

// open finds the identity of an earlier enrolment, or the one for the first. Certificate and key lie in one file, so that
// there are never halves of two.
func open(dir, instanceID string) (*fake.Agent, error) {
	ca, err := os.ReadFile(filepath.Join(dir, "bootstrap", "ca.pem")) //nolint:gosec // as above
	if err != nil {
		return nil, fmt.Errorf("read the authority: %w", err)
	}
	own := filepath.Join(dir, "agent", "identity.pem")
	identity, err := os.ReadFile(own) //nolint:gosec // as above
	enrolled := err == nil
	if !enrolled {
		certificate, certificateErr := os.ReadFile(filepath.Join(dir, "bootstrap", "cert.pem")) //nolint:gosec // as above
		key, keyErr := os.ReadFile(filepath.Join(dir, "bootstrap", "key.pem"))                  //nolint:gosec // as above
		if err := errors.Join(certificateErr, keyErr); err != nil {
			return nil, fmt.Errorf("read the bootstrap identity: %w", err)
		}
		identity = slices.Concat(key, certificate)
	}
	agent, err := fake.New(instanceID, identity, identity, ca)
	if err != nil {
		return nil, err
	}
	if enrolled {
		agent.Become(status.ServiceHealthy, "")
	}
	agent.OnEnrolled(func(certificatePEM, keyPEM []byte) error {
		if err := os.MkdirAll(filepath.Dir(own), 0o700); err != nil { //nolint:gosec // as above
			return fmt.Errorf("keep the identity: %w", err)
		}
		if err := os.WriteFile(own+".new", slices.Concat(keyPEM, certificatePEM), 0o600); err != nil { //nolint:gosec // as above
			return fmt.Errorf("keep the identity: %w", err)
		}
		return os.Rename(own+".new", own) //nolint:gosec // as above
	})
	return agent, nil
}
