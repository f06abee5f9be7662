package gormstore

import (
	"context"

	"github.com/coffer-dbaas/coffer/pkg/errs"
)

// roomWriter runs a unit once more for which the disk had no room, after somebody has made some: what frees the disk, a
// deletion, has to be written first.
type roomWriter struct {
	writer

	makeRoom func()
}

func (w roomWriter) write(ctx context.Context, doing string, fn func(*unit) error) error {
	err := w.writer.write(ctx, doing, fn)
	if !errs.IsReason(err, reasonFull) {
		return err
	}
	w.makeRoom()
	return w.writer.write(ctx, doing, fn)
}

func (w roomWriter) writeFirst(ctx context.Context, doing string, fn func(*unit) error) error {
	err := w.writer.writeFirst(ctx, doing, fn)
	if !errs.IsReason(err, reasonFull) {
		return err
	}
	w.makeRoom()
	return w.writer.writeFirst(ctx, doing, fn)
}
