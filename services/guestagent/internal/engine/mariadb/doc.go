// Package mariadb is the MariaDB engine. Its data directory lies in the volume (mysql/), cloned from a template without
// any account of people; the agent's own account, os_admin, may connect through the socket alone and has a random
// password that is kept in the agent's folder.
package mariadb
