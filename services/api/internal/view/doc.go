// Package view writes what the store keeps in the shapes of Trove's answers: trove/instance/views.py,
// trove/datastore/views.py, trove/flavor/views.py.
package view
