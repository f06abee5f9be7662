package observe

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// LogConfig says what is logged, and how.
type LogConfig struct {
	// Level is debug, info, warn or error. Default info: what an operator acts on.
	Level string `koanf:"level"`
	// Format is text or json. Default text.
	Format string `koanf:"format"`
}

// DefaultLogConfig is what applies where nothing is set.
func DefaultLogConfig() LogConfig { return LogConfig{Level: "info", Format: "text"} }

// Validate names what is wrong.
func (c LogConfig) Validate() error {
	_, err := NewLogger(io.Discard, c)
	return err
}

// NewLogger makes the logger of a program. Values under keys that sound secret are hidden, wherever they stand.
func NewLogger(w io.Writer, config LogConfig) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(config.Level)); err != nil {
		return nil, fmt.Errorf("level: must be debug, info, warn or error, is %q", config.Level)
	}
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: hideSecrets}
	switch config.Format {
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	default:
		return nil, fmt.Errorf("format: must be text or json, is %q", config.Format)
	}
}

// hidden stands where a secret would.
const hidden = "[hidden]"

// secretWords mark a key whose value is never shown.
var secretWords = []string{"password", "passwd", "secret", "token", "authorization", "credential", "private_key", "dsn"}

// IsSecret says whether a value under this key is never to be shown.
func IsSecret(key string) bool {
	key = strings.ToLower(key)
	for _, word := range secretWords {
		if strings.Contains(key, word) {
			return true
		}
	}
	return false
}

func hideSecrets(_ []string, attribute slog.Attr) slog.Attr {
	if IsSecret(attribute.Key) {
		return slog.String(attribute.Key, hidden)
	}
	return attribute
}
