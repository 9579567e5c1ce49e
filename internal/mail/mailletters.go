package mail

import (
	"slices"
	"time"
)

// MailEndingWords remind a holder of client certificates that end soon.
type MailEndingWords struct {
	Reader
	Certificates []MailEndingLine // 1 to MostEnding, what ends first in front
	Link         string           // to the certificate, or to all of the holder's
}

// MailEndingLine is one of them.
type MailEndingLine struct {
	Address   string // the first that it names
	More      int    // further ones
	Until     time.Time
	Elsewhere bool // another authority issued it
}

// MailEnding reminds of client certificates that end soon.
func MailEnding(w MailEndingWords) (Letter, error) {
	lines := make([]MailEndingLine, len(w.Certificates))
	for i, l := range w.Certificates {
		l.Address = name(l.Address)
		lines[i] = l
	}
	w.Certificates = lines
	return writeIn(w.Lang, mailEnding, w.To, w.Link, w)
}

// Earlier tells whether one of them is from before the portal.
func (w MailEndingWords) Earlier() bool {
	return slices.ContainsFunc(w.Certificates, func(l MailEndingLine) bool { return l.Elsewhere })
}

// AppliedWords tell that somebody new applied for a certificate of an address.
type AppliedWords struct {
	Reader
	Address string   // the row's primary one
	By      string   // name of who applied
	Holders []string // names of whose certificates count; empty: the reader's own does
	At      time.Time
	Link    string // to the row, or to the reader's certificates
}

// Applied tells whoever holds a certificate of an address, and those who look
// after it, that somebody else applied for one.
func Applied(w AppliedWords) (Letter, error) {
	w.Address, w.By, w.Holders = name(w.Address), name(w.By), fewNames(w.Holders)
	return writeIn(w.Lang, applied, w.To, w.Link, w)
}

// DigestWords tell a network contact which certificates of their domains end.
type DigestWords struct {
	Reader
	Days         int          // how far it looks ahead
	Certificates []DigestLine // at most MostEnding, what ends first in front
	More         int          // others that end in that time
	Doubtful     int          // rows whose linked person's verified address is none of the row's
	Link         string       // to the domains
}

// DigestLine is one of them.
type DigestLine struct {
	Address string // the row's primary one
	Holder  string
	Until   time.Time
}

// Digest tells of all in one letter.
func Digest(w DigestWords) (Letter, error) {
	lines := make([]DigestLine, len(w.Certificates))
	for i, l := range w.Certificates {
		l.Address, l.Holder = name(l.Address), name(l.Holder)
		lines[i] = l
	}
	w.Certificates = lines
	return writeIn(w.Lang, digest, w.To, w.Link, w)
}

// HeldWords tell a registration officer that the mail server took no letters for
// a while, and that it does again.
type HeldWords struct {
	Reader
	Since  time.Time
	Until  time.Time
	Answer string // what the server had said
	Link   string // to the state of the mail
}

// Held tells of it once it is over.
func Held(w HeldWords) (Letter, error) {
	w.Answer = oneLine(w.Answer, longestAnswer)
	return writeIn(w.Lang, held, w.To, w.Link, w)
}

const (
	held       = "held"
	mailEnding = "mail_ending"
	applied    = "applied"
	digest     = "digest"
)

func (w MailEndingWords) kind() string            { return mailEnding }
func (w MailEndingWords) recipient() string       { return w.To }
func (w MailEndingWords) letter() (Letter, error) { return MailEnding(w) }

func (w AppliedWords) kind() string            { return applied }
func (w AppliedWords) recipient() string       { return w.To }
func (w AppliedWords) letter() (Letter, error) { return Applied(w) }

func (w DigestWords) kind() string            { return digest }
func (w DigestWords) recipient() string       { return w.To }
func (w DigestWords) letter() (Letter, error) { return Digest(w) }

func (w HeldWords) kind() string            { return held }
func (w HeldWords) recipient() string       { return w.To }
func (w HeldWords) letter() (Letter, error) { return Held(w) }
