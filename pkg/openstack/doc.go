// Package openstack logs in to an OpenStack cloud for a service that stays logged in for months: as an entry of
// clouds.yaml says, with limits on every wait, and with a token that is renewed under load by one login for all who
// need it. The settings are read again at every login, so a password or an application credential is replaced by
// writing clouds.yaml, without a restart.
//
//	provider, endpoint, err := openstack.Client(ctx, openstack.Config{Cloud: "coffer"})
//	compute, err := gopheropenstack.NewComputeV2(provider, endpoint)
package openstack
