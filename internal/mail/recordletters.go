package mail

import "time"

// RecordWords take the newest seal of the audit record to an auditor, or say that
// the record is broken.
type RecordWords struct {
	Reader
	Seal   int64
	Hash   string // of the record up to there, in hex
	Key    string // that signs, in base64
	Broken bool
	Line   int64 // where, 0: unknown
	At     time.Time
	Link   string // to the record
}

// Record writes it.
func Record(w RecordWords) (Letter, error) { return writeIn(w.Lang, auditRecord, w.To, w.Link, w) }

const auditRecord = "audit_record"

func (w RecordWords) kind() string            { return auditRecord }
func (w RecordWords) recipient() string       { return w.To }
func (w RecordWords) letter() (Letter, error) { return Record(w) }
