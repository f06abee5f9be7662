// Package template makes new data directories quickly: a template is built once per exact version of an engine, and
// each data directory is a clone of it, sharing its blocks where the file system can.
package template
