// Package status computes what users see of an instance from the three things that are known of it: its task (what
// the control plane is doing), its server (what compute says) and its service (what the guest says). The words and
// their precedence are Trove's: trove/instance/models.py, trove/instance/tasks.py, trove/instance/service_status.py.
//
// An instance's life, in the words of its `status`:
//
//	stateDiagram-v2
//	  [*] --> BUILD: create
//	  BUILD --> ACTIVE: done
//	  BUILD --> ERROR: failed or cancelled
//	  ACTIVE --> REBOOT: restart
//	  REBOOT --> ACTIVE: done, or failed with a fault
//	  ACTIVE --> SHUTDOWN: delete
//	  REBOOT --> SHUTDOWN: delete
//	  ERROR --> SHUTDOWN: delete
//	  SHUTDOWN --> [*]: done
//	  SHUTDOWN --> ERROR: failed
package status
