// Package migrations holds the schema, one file a step, forward only. A step
// that has landed is never edited; old code runs on the new schema for one
// release.
package migrations

import "embed"

// Files are the steps in goose's format, named NNNN_subject.sql.
//
//go:embed *.sql
var Files embed.FS
