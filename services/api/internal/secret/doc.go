// Package secret keeps passwords unreadable from the moment they are accepted: it seals them under the master key, bound
// to their instance, and makes fingerprints of requests that tell nothing about what was in them.
package secret
