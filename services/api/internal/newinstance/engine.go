package newinstance

// rules are an engine's rules for names.
type rules interface {
	databaseName(name string) error
	// charset checks character set and collation, each of which may be empty, and fills in what is meant.
	charset(charset, collate string) (string, string, error)
	userName(name string) error
	password(user, password string) error
	// host checks from where the user may come, and fills in what is meant.
	host(user, host string) (string, error)
}

func rulesOf(manager string) rules {
	if manager == "postgresql" {
		return postgresql{}
	}
	return mysql{}
}
