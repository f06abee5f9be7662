// Package volume is the disk with the data. In a machine it finds the disk, formats it if it is blank, which it must be
// beyond doubt, and mounts it; everywhere it grows the file system and measures its use. Where the volume is a plain
// folder, nothing but the agent holds its size: at 100 % the database is made read-only until the volume is grown or
// emptied.
package volume
