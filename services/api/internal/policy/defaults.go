package policy

// defaults are the rules of trove/common/policies that have something to guard yet.
var defaults = map[string]check{
	"instance:create":                    write,
	"instance:delete":                    write,
	"instance:force_delete":              write,
	"instance:index":                     read,
	"instance:detail":                    read,
	"instance:show":                      read,
	"instance:update":                    write,
	"instance:edit":                      write,
	"instance:configuration":             read,
	"instance:backups":                   read,
	"instance:restart":                   write,
	"instance:resize_flavor":             write,
	"instance:resize_volume":             write,
	"instance:promote_to_replica_source": write,
	"instance:eject_replica_source":      write,
	"instance:reset_status":              {word: Admin},
	"instance:module_apply":              write,
	"instance:extension:user:create":     write,
	"instance:extension:database:create": write,

	// The restart of a whole server is DDM's, whose owners may; Trove gives it to admins.
	"instance:restart_hard": write,

	// Trove's management has no rules, only the role.
	"mgmt:instance:index":  {word: Admin},
	"mgmt:instance:show":   {word: Admin},
	"mgmt:instance:action": {word: Admin},

	"datastore:index":         {word: Anyone},
	"datastore:show":          {word: Anyone},
	"datastore:version_index": {word: Anyone},
	"datastore:version_show":  {word: Anyone},

	"flavor:index": {word: Anyone},
	"flavor:show":  {word: Anyone},

	"limits:index": read,

	// Tasks and events are Coffer's own.
	"task:index":  read,
	"task:show":   read,
	"task:cancel": write,
	"event:index": read,
}

var (
	read  = check{word: AdminOrOwner}
	write = check{roles: []string{roleAdmin, roleMember}}
)
