package network

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// toolLimit bounds one call of a tool that asks nobody but the kernel.
const toolLimit = 10 * time.Second

// environment has the folders of a machine's own tools.
var environment = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}

// ip calls iproute2, which says in words what the kernel refuses.
func ip(ctx context.Context, args ...string) error {
	_, err := ask(ctx, args...)
	return err
}

// ask is ip with what it says.
func ask(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, toolLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/sbin/ip", args...)
	cmd.Env = environment
	out, err := cmd.CombinedOutput()
	said := string(bytes.TrimSpace(out))
	if err != nil {
		return "", fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, said)
	}
	return said, nil
}
