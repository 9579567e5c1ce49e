package mail

import "time"

// KeyFellWords tell whose certificate it is that it ended because its key fell into
// other hands.
type KeyFellWords struct {
	Reader
	Organisation string // whose server it is for; empty: it is for a mailbox
	Reference    string
	Names        []string // addresses, or names of a server
	Fate         string   // what became of it: revoked, revoking, told (it is from before the portal) or raised
	Proof        bool     // somebody showed that they hold the private key
	By           string   // name of who said so, empty for nobody
	At           time.Time
	Link         string // to the certificate
}

// KeyFell tells of it.
func KeyFell(w KeyFellWords) (Letter, error) {
	w.Organisation, w.Reference, w.Names, w.By = name(w.Organisation), name(w.Reference), fewNames(w.Names), name(w.By)
	return writeIn(w.Lang, keyFell, w.To, w.Link, w)
}

// KeyBlockedWords tell a registration officer that a key fell though no officer did it.
type KeyBlockedWords struct {
	Reader
	Key                     string // its digest
	At                      time.Time
	Revoked, Revoking, Told int    // how many of its certificates are revoked, being revoked, for others to revoke
	Link                    string // to the key
}

// KeyBlocked tells of it.
func KeyBlocked(w KeyBlockedWords) (Letter, error) {
	return writeIn(w.Lang, keyBlocked, w.To, w.Link, w)
}

// KeyReportWords ask a registration officer to look at a report.
type KeyReportWords struct {
	Reader
	Reference  string
	By         string // name of who reports, empty for somebody who was not signed in
	Word       bool   // a holder or contact revoked theirs: it is about the others of the key
	Others     int    // how many those are
	Compromise bool   // somebody else reports a key
	Due        time.Time
	Link       string // to the report
}

// KeyReport asks for it.
func KeyReport(w KeyReportWords) (Letter, error) {
	w.Reference, w.By = name(w.Reference), name(w.By)
	return writeIn(w.Lang, keyReport, w.To, w.Link, w)
}

// KeyReportsWords ask a registration officer to look at reports that came while they
// were told of others.
type KeyReportsWords struct {
	Reader
	Reports int
	Due     time.Time // of the first
	Link    string    // to all
}

// KeyReports asks for it.
func KeyReports(w KeyReportsWords) (Letter, error) {
	return writeIn(w.Lang, keyReports, w.To, w.Link, w)
}

const (
	keyFell    = "key_fell"
	keyBlocked = "key_blocked"
	keyReport  = "key_report"
	keyReports = "key_reports"
)

func (w KeyFellWords) kind() string            { return keyFell }
func (w KeyFellWords) recipient() string       { return w.To }
func (w KeyFellWords) letter() (Letter, error) { return KeyFell(w) }

func (w KeyBlockedWords) kind() string            { return keyBlocked }
func (w KeyBlockedWords) recipient() string       { return w.To }
func (w KeyBlockedWords) letter() (Letter, error) { return KeyBlocked(w) }

func (w KeyReportWords) kind() string            { return keyReport }
func (w KeyReportWords) recipient() string       { return w.To }
func (w KeyReportWords) letter() (Letter, error) { return KeyReport(w) }

func (w KeyReportsWords) kind() string            { return keyReports }
func (w KeyReportsWords) recipient() string       { return w.To }
func (w KeyReportsWords) letter() (Letter, error) { return KeyReports(w) }
