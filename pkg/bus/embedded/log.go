package embedded

import (
	"fmt"
	"log/slog"
)

// slogger gives the server's lines to slog. What the server notices in its own start and end is detail here.
type slogger struct{ logger *slog.Logger }

func (l *slogger) Noticef(format string, v ...any) { l.logger.Debug(line(format, v)) }
func (l *slogger) Warnf(format string, v ...any)   { l.logger.Warn(line(format, v)) }
func (l *slogger) Fatalf(format string, v ...any)  { l.logger.Error(line(format, v)) }
func (l *slogger) Errorf(format string, v ...any)  { l.logger.Error(line(format, v)) }
func (l *slogger) Debugf(format string, v ...any)  { l.logger.Debug(line(format, v)) }
func (l *slogger) Tracef(format string, v ...any)  { l.logger.Debug(line(format, v)) }

func line(format string, v []any) string { return "nats: " + fmt.Sprintf(format, v...) }
