// Package openstack makes servers, volumes and addresses in an OpenStack cloud: Nova, Cinder, Neutron and Glance, by
// gophercloud.
//
// All of it belongs to the project of one service user. What is held for an instance is found by the instance's id: it
// stands, behind the name of the deployment, in the names of ports, volumes and groups, in the tags of servers and in the
// descriptions of floating IPs. So whatever an interrupted attempt has left is found by the next one, and what nobody
// owns any more by the sweeper.
//
// Where to look: create_server.go, power.go, resize_server.go, rebuild_server.go and migrate_server.go for what becomes
// of a server; volume.go and extend_volume.go; address.go, access.go and security_group.go; fault.go for what an answer of
// OpenStack means; await.go for how its slow doings are waited for; watch.go and sweep.go for what runs beside.
package openstack
