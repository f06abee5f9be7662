// Package config loads a program's settings: what its structs hold as defaults, then the file, then COFFER_* variables,
// then flags, each over the one before. What it does not know it refuses, with the line where it stands.
//
// A setting is a field with a `koanf` tag; nested structs make dotted keys, unless the tag is ",squash": then their
// settings are the struct's own. The variable of the key `api.page_size` is COFFER_API_PAGE_SIZE. A struct that has a
// Validate method is asked, and the faults it joins, each beginning with a key and a colon ("page_size: must be at least
// 1"), are found again in the file.
package config
