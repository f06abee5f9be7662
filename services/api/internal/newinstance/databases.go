package newinstance

import (
	"slices"

	commandv1 "github.com/coffer-dbaas/coffer/proto/gen/coffer/command/v1"
)

func (k *checker) databases() error {
	rules := rulesOf(k.plan.Version.Manager)
	var names []string
	for _, wanted := range k.body.GetDatabases() {
		name := wanted.GetName()
		if err := rules.databaseName(name); err != nil {
			return err
		}
		if slices.Contains(names, name) {
			return refused("DUPLICATE_DATABASE", "Databases must have unique names; '%s' is given more than once.", name)
		}
		names = append(names, name)
		charset := wanted.GetCharacterSet()
		if charset == "" {
			charset = wanted.GetCharacterSetCamel()
		}
		charset, collate, err := rules.charset(charset, wanted.GetCollate())
		if err != nil {
			return err
		}
		k.plan.Databases = append(k.plan.Databases,
			&commandv1.Database{Name: name, CharacterSet: charset, Collate: collate})
	}
	return nil
}

func (k *checker) users() error {
	rules := rulesOf(k.plan.Version.Manager)
	known := make([]string, 0, len(k.plan.Databases))
	for _, database := range k.plan.Databases {
		known = append(known, database.GetName())
	}
	k.plan.Passwords = map[string]string{}
	for _, wanted := range k.body.GetUsers() {
		user := &commandv1.User{Name: wanted.GetName()}
		if err := rules.userName(wanted.GetName()); err != nil {
			return err
		}
		if err := rules.password(wanted.GetName(), wanted.GetPassword()); err != nil {
			return err
		}
		host, err := rules.host(wanted.GetName(), wanted.GetHost())
		if err != nil {
			return err
		}
		user.Host = host
		for _, database := range wanted.GetDatabases() {
			if !slices.Contains(known, database.GetName()) {
				return refused("UNKNOWN_DATABASE",
					"Database '%s' of user '%s' is not among the databases of the request.", database.GetName(), user.GetName())
			}
			if !slices.Contains(user.GetDatabases(), database.GetName()) {
				user.Databases = append(user.Databases, database.GetName())
			}
		}
		account := user.GetName() + "@" + user.GetHost()
		if _, taken := k.plan.Passwords[account]; taken {
			return refused("DUPLICATE_USER", "Users must be unique by name and host; '%s' is given more than once.", account)
		}
		k.plan.Passwords[account] = wanted.GetPassword()
		k.plan.Users = append(k.plan.Users, user)
	}
	return nil
}
