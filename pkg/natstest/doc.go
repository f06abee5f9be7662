// Package natstest gives a test a real NATS server of its own, inside the test's process.
package natstest
