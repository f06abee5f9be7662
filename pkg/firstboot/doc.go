// Package firstboot is what a new machine is told by whoever builds it: the one JSON document in the server's user data.
// The OpenStack provider encodes it, the guest agent decodes it at each boot. It holds the only identity that a machine
// starts with, which is good for a single Enroll; it is a secret until then.
package firstboot
