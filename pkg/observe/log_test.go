package observe_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/coffer-dbaas/coffer/pkg/observe"
)

func TestValuesUnderSecretKeysAreHidden(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		logger, err := observe.NewLogger(&out, observe.LogConfig{Level: "info", Format: format})
		require.NoError(t, err)
		logger.With("x_auth_token", "t0psecret").Info("call", "user_password", "t0psecret", "instance_id", "i1",
			slog.Group("state", "dsn", "t0psecret"))
		assert.NotContains(t, out.String(), "t0psecret", format)
		assert.Contains(t, out.String(), "i1", format)
	}
}

func TestOnlyKnownLevelsAndFormatsAreTaken(t *testing.T) {
	require.NoError(t, observe.DefaultLogConfig().Validate())
	require.ErrorContains(t, observe.LogConfig{Level: "loud", Format: "text"}.Validate(), "level: must be debug, info")
	require.ErrorContains(t, observe.LogConfig{Level: "info", Format: "xml"}.Validate(), "format: must be text or json")
}
