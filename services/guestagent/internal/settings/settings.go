// Package settings reads what the provider tells a server's agent: server.json in the server's folder.
package settings

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// FileName is the file's in the server's folder.
const FileName = "server.json"

// Server is the content of server.json. It is written by the provider or, in a machine, at its boot.
type Server struct {
	InstanceID string `json:"instance_id"`
	// Address is where the database listens.
	Address string `json:"address"`
	// AgentListen is where the agent listens, with the port.
	AgentListen string `json:"agent_listen"`
	// DataDir is the mount point of the volume, or a plain folder. Absolute.
	DataDir string `json:"data_dir"`
	// StateDir is where the agent keeps what must live as long as the data: on the volume, where the machine may be built
	// anew around that. Empty is the server's folder. Absolute.
	StateDir string `json:"state_dir,omitempty"`
	// VolumeLimitBytes bounds a plain folder; 0 where the file system itself is the limit.
	VolumeLimitBytes uint64 `json:"volume_limit_bytes"`
	// RunAsUID and RunAsGID are the database's user; 0 leaves the agent's.
	RunAsUID uint32 `json:"run_as_uid"`
	RunAsGID uint32 `json:"run_as_gid"`
	// TemplatesDir holds the templates of data directories. Absolute.
	TemplatesDir string `json:"templates_dir"`
	// EngineRoot is the root folder in which the engine's programs run, a distribution's file system of its own; empty
	// for those of the machine. Absolute.
	EngineRoot string `json:"engine_root"`
	// EnginePrefix is put before the paths of the machine's own programs, for an engine that is not installed at its
	// usual place.
	EnginePrefix string `json:"engine_prefix"`
	// Version is the exact version of the engine that the server was built for; empty when unknown.
	Version string `json:"version"`
	// Manager is the engine of which the server is to get an empty database: the agent makes its data directory before it is
	// asked to. Empty where the data come from elsewhere, or it is not known.
	Manager string `json:"manager,omitempty"`
	// MemoryBytes is what the flavor gives; 0 when unknown.
	MemoryBytes uint64 `json:"memory_bytes"`

	// Folder is where server.json was found. Absolute.
	Folder string `json:"-"`
}

// Read reads a server's folder. The error joins all that is wrong.
func Read(folder string) (Server, error) {
	path := filepath.Join(folder, FileName)
	text, err := os.ReadFile(path)
	if err != nil {
		return Server{}, err
	}
	s := Server{Folder: folder}
	if err := json.Unmarshal(text, &s); err != nil {
		return Server{}, fmt.Errorf("read %s: %w", path, err)
	}
	if err := s.validate(); err != nil {
		return Server{}, fmt.Errorf("read %s: %w", path, err)
	}
	return s, nil
}

func (s Server) validate() error {
	var faults []error
	if s.InstanceID == "" {
		faults = append(faults, errors.New("instance_id is missing"))
	}
	if net.ParseIP(s.Address) == nil {
		faults = append(faults, fmt.Errorf("address %q is not an IP address", s.Address))
	}
	if _, _, err := net.SplitHostPort(s.AgentListen); err != nil {
		faults = append(faults, fmt.Errorf("agent_listen: %w", err))
	}
	if s.EngineRoot != "" && !filepath.IsAbs(s.EngineRoot) {
		faults = append(faults, fmt.Errorf("engine_root %q is not an absolute path", s.EngineRoot))
	}
	for key, path := range map[string]string{
		"the server's folder": s.Folder, "data_dir": s.DataDir, "state_dir": s.state(), "templates_dir": s.TemplatesDir,
	} {
		if !filepath.IsAbs(path) {
			faults = append(faults, fmt.Errorf("%s %q is not an absolute path", key, path))
		}
	}
	return errors.Join(faults...)
}

// IdentityDir holds the agent's key and certificates, which are the machine's. It is closed to everybody else.
func (s Server) IdentityDir() string { return filepath.Join(s.Folder, "agent") }

// AgentDir holds what the agent knows of its database, which goes with the data. It is closed to everybody else.
func (s Server) AgentDir() string { return filepath.Join(s.state(), "agent") }

// BootstrapDir holds the CA's certificate and, before enrolment, the bootstrap certificate and key.
func (s Server) BootstrapDir() string { return filepath.Join(s.Folder, "bootstrap") }

func (s Server) state() string { return cmp.Or(s.StateDir, s.Folder) }

// RunDir holds the database's socket; the database's user may write there.
func (s Server) RunDir() string { return filepath.Join(s.Folder, "run") }

// ConfDir holds the database's configuration; its user may read it.
func (s Server) ConfDir() string { return filepath.Join(s.state(), "conf") }

// LogDir holds agent.log and the database's log.
func (s Server) LogDir() string { return filepath.Join(s.Folder, "log") }

// MakeFolders makes the folders that are missing, each with the owner and mode it must have.
func (s Server) MakeFolders() error {
	for path, mode := range map[string]os.FileMode{
		s.IdentityDir(): 0o700, s.AgentDir(): 0o700, s.RunDir(): 0o755, s.ConfDir(): 0o755, s.LogDir(): 0o755,
	} {
		if err := errors.Join(os.MkdirAll(path, mode), os.Chmod(path, mode)); err != nil {
			return err
		}
	}
	return s.Give(s.RunDir())
}

// Give makes a file or folder the database user's own.
func (s Server) Give(path string) error {
	if s.RunAsUID == 0 && s.RunAsGID == 0 {
		return nil
	}
	return os.Lchown(path, int(s.RunAsUID), int(s.RunAsGID))
}
