// Package guestimage brings the guest image that deploy/image builds to a cloud's Glance. The taskmanager's provider finds
// it there by its tags, and offers the datastore versions that its properties name: to register the image is to register
// them. An image is known by its content; an older one stays, since instances run on it, and the newest is built from.
package guestimage
