package mariadb

import (
	"fmt"
	"os"
	"path/filepath"
)

// dropRelayLogs removes what a server that does not run has received and not applied, which it would ask its source for
// again in any case (relay_log_recovery). A server that dies while it begins to follow can leave a list that names relay
// logs which are gone; with that it never follows again, nor can a source be named (error 1201).
func (e *Engine) dropRelayLogs() error {
	for _, pattern := range []string{relayLog + ".*", "relay-log.info"} {
		found, err := filepath.Glob(filepath.Join(e.dataDir(), pattern))
		if err != nil {
			return fmt.Errorf("find the relay logs: %w", err)
		}
		for _, path := range found {
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("remove a relay log: %w", err)
			}
		}
	}
	return nil
}
