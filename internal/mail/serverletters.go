package mail

import (
	"slices"
	"time"
)

// ServerRevokedWords tell a technical contact that a server's certificate was
// revoked.
type ServerRevokedWords struct {
	Reader
	Organisation string
	Reference    string
	Names        []string // that the certificate names
	By           string   // name of who revoked it
	At           time.Time
	Link         string // to the certificate
	Elsewhere    bool   // another authority issued it: it is only marked here
}

// ServerRevoked tells a technical contact that a certificate counts no more.
func ServerRevoked(w ServerRevokedWords) (Letter, error) {
	w.Organisation, w.Reference, w.Names, w.By = name(w.Organisation), name(w.Reference), names(w.Names), name(w.By)
	return writeIn(w.Lang, serverRevoked, w.To, w.Link, w)
}

// EndingWords remind of server certificates that end soon.
type EndingWords struct {
	Reader
	Organisation string
	Certificates []EndingLine // 1 to MostEnding, what ends first in front
	Link         string       // to the certificate, or to all that end soon
}

// EndingLine is one of them.
type EndingLine struct {
	Name      string // the first name
	More      int    // further names
	Reference string
	Until     time.Time
	Elsewhere bool // another authority issued it: the portal cannot renew it
}

// MostEnding is how many certificates one letter reminds of.
const MostEnding = 25

// Ending reminds of server certificates that end soon.
func Ending(w EndingWords) (Letter, error) {
	w.Organisation = name(w.Organisation)
	lines := make([]EndingLine, len(w.Certificates))
	for i, l := range w.Certificates {
		l.Name, l.Reference = name(l.Name), name(l.Reference)
		lines[i] = l
	}
	w.Certificates = lines
	return writeIn(w.Lang, ending, w.To, w.Link, w)
}

// Earlier tells whether one of them is from before the portal.
func (w EndingWords) Earlier() bool {
	return slices.ContainsFunc(w.Certificates, func(l EndingLine) bool { return l.Elsewhere })
}

const (
	serverRevoked = "server_revoked"
	ending        = "ending"
)

func (w ServerRevokedWords) kind() string            { return serverRevoked }
func (w ServerRevokedWords) recipient() string       { return w.To }
func (w ServerRevokedWords) letter() (Letter, error) { return ServerRevoked(w) }

func (w EndingWords) kind() string            { return ending }
func (w EndingWords) recipient() string       { return w.To }
func (w EndingWords) letter() (Letter, error) { return Ending(w) }
