package local

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// lastWords is how much of an agent's log is looked at.
const lastWords = 4 << 10

// agentFault is what the server's agent said when it ended by itself: its program ends its log with its name and the
// error. Empty when it said nothing, as one that was killed.
func (p *Provider) agentFault(instanceID string) (string, error) {
	log, err := os.Open(filepath.Join(p.folder.server(instanceID), "log", "agent.log"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the agent's log: %w", err)
	}
	defer log.Close() // only read
	info, err := log.Stat()
	if err != nil {
		return "", fmt.Errorf("read the agent's log: %w", err)
	}
	end, err := io.ReadAll(io.NewSectionReader(log, max(0, info.Size()-lastWords), lastWords))
	if err != nil {
		return "", fmt.Errorf("read the agent's log: %w", err)
	}
	fault, said := bytes.CutPrefix(lastLine(end), []byte(guestAgentProgram+": "))
	if !said {
		return "", nil
	}
	return string(fault), nil
}
