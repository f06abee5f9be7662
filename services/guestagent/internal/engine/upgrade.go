package engine

import "context"

// Upgrader is an engine whose data another version of it can take over. No method is called while the database runs but
// ConvertRunning, and each may be repeated after a crash at any point. The folder is one on the volume, the agent's own and
// the same for all of an upgrade's calls.
type Upgrader interface {
	Engine

	// DataDir is the folder with all data. A clone of it that was made while no database ran is the way back.
	DataDir() string
	// PrepareUpgrade is asked of the version that goes: it leaves in the folder what the one that comes needs beside the
	// data directory. Invalid: the data cannot be brought there.
	PrepareUpgrade(ctx context.Context, to, folder string) error
	// ConvertData is asked of the version that comes, before its first start: the data directory is the former version's,
	// and the folder is as PrepareUpgrade left it.
	ConvertData(ctx context.Context, from, folder string) error
	// ConvertRunning is asked of the version that has come, when it answers for the first time: what can only be converted
	// while it runs. Tenants cannot write yet.
	ConvertRunning(ctx context.Context) error
}
