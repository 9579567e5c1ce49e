package mail

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// ChallengeWords are what a challenge mail tells.
type ChallengeWords struct {
	To         string   // the address to confirm, or the applicant's
	Asks       string   // name of the network contact who asks
	Domain     string   // the mail domain they ask for
	Functional []string // the functional addresses the applicant answers for; empty: personal
	Link       string
	Until      time.Time
}

// Challenge asks the person behind an address to confirm it.
func Challenge(w ChallengeWords) (Letter, error) {
	w.Asks, w.Domain = name(w.Asks), name(w.Domain)
	w.Functional = names(w.Functional)
	return write("challenge", w.To, w.Link, w)
}

// DeclinedWords tell a contact group that somebody declined a challenge.
type DeclinedWords struct {
	To      string // the group's notification mailbox
	Row     string // the row's display name
	Address string // the challenged address
	By      string // name of who declined
	At      time.Time
	Link    string // to the row
}

// Declined tells a contact group that a challenge was declined.
func Declined(w DeclinedWords) (Letter, error) {
	w.Row, w.Address, w.By = name(w.Row), name(w.Address), name(w.By)
	return write(declined, w.To, w.Link, w)
}

// ConflictWords tell a contact group that a second account wanted to confirm
// in a round where another had confirmed already.
type ConflictWords struct {
	To      string // the group's notification mailbox
	Row     string // the row's display name
	Address string // the address the second account wanted
	First   string // name of who had confirmed
	By      string // name of who tried
	At      time.Time
	Link    string // to the row
}

// Conflict tells a contact group that two accounts confirm one row.
func Conflict(w ConflictWords) (Letter, error) {
	w.Row, w.Address, w.First, w.By = name(w.Row), name(w.Address), name(w.First), name(w.By)
	return write(conflict, w.To, w.Link, w)
}

// IssuedWords tell a holder that their certificate was issued.
type IssuedWords struct {
	Reader
	Addresses []string // that the certificate names
	Until     time.Time
	Link      string // to the certificate
}

// Issued tells a holder that their certificate can be fetched.
func Issued(w IssuedWords) (Letter, error) {
	w.Addresses = names(w.Addresses)
	return writeIn(w.Lang, issued, w.To, w.Link, w)
}

// RevokedWords tell a holder that their certificate was revoked.
type RevokedWords struct {
	Reader
	Addresses []string // that the certificate names
	By        string   // name of who revoked it
	At        time.Time
	Link      string // to the certificate
	Elsewhere bool   // another authority issued it: it is only marked here
}

// Revoked tells a holder that their certificate counts no more.
func Revoked(w RevokedWords) (Letter, error) {
	w.Addresses, w.By = names(w.Addresses), name(w.By)
	return writeIn(w.Lang, revoked, w.To, w.Link, w)
}

// Words are what Post can send: they lie in the database until they are a
// letter, so they hold no token.
type Words interface {
	kind() string
	recipient() string
	letter() (Letter, error)
}

const (
	declined = "declined"
	conflict = "conflict"
	issued   = "issued"
	revoked  = "revoked"
)

func (w DeclinedWords) kind() string            { return declined }
func (w DeclinedWords) recipient() string       { return w.To }
func (w DeclinedWords) letter() (Letter, error) { return Declined(w) }

func (w IssuedWords) kind() string            { return issued }
func (w IssuedWords) recipient() string       { return w.To }
func (w IssuedWords) letter() (Letter, error) { return Issued(w) }

func (w RevokedWords) kind() string            { return revoked }
func (w RevokedWords) recipient() string       { return w.To }
func (w RevokedWords) letter() (Letter, error) { return Revoked(w) }

func (w ConflictWords) kind() string            { return conflict }
func (w ConflictWords) recipient() string       { return w.To }
func (w ConflictWords) letter() (Letter, error) { return Conflict(w) }

// reread makes the letter of words that lay in the database.
func reread(kind string, words []byte) (Letter, error) {
	switch kind {
	case declined:
		return rewrite[DeclinedWords](words)
	case held:
		return rewrite[HeldWords](words)
	case conflict:
		return rewrite[ConflictWords](words)
	case issued:
		return rewrite[IssuedWords](words)
	case revoked:
		return rewrite[RevokedWords](words)
	case unwanted:
		return rewrite[UnwantedWords](words)
	case unrevoked:
		return rewrite[UnrevokedWords](words)
	case keyFell:
		return rewrite[KeyFellWords](words)
	case keyBlocked:
		return rewrite[KeyBlockedWords](words)
	case keyReports:
		return rewrite[KeyReportsWords](words)
	case keyReport:
		return rewrite[KeyReportWords](words)
	case auditRecord:
		return rewrite[RecordWords](words)
	case serverRevoked:
		return rewrite[ServerRevokedWords](words)
	case ending:
		return rewrite[EndingWords](words)
	case mailEnding:
		return rewrite[MailEndingWords](words)
	case applied:
		return rewrite[AppliedWords](words)
	case digest:
		return rewrite[DigestWords](words)
	case ordersWaiting:
		return rewrite[OrdersWaitingWords](words)
	case orderApproved:
		return rewrite[OrderApprovedWords](words)
	case orderReturned:
		return rewrite[OrderReturnedWords](words)
	case orderRejected:
		return rewrite[OrderRejectedWords](words)
	case serverIssued:
		return rewrite[ServerIssuedWords](words)
	case tokenEnding:
		return rewrite[TokenEndingWords](words)
	case tokensSleeping:
		return rewrite[TokensSleepingWords](words)
	}
	switch HandoverLetter(kind) {
	case HandoverOffered, HandoverReminder, HandoverAccepted, HandoverDeclined, HandoverCancelled, HandoverExpired, HandoverLocked,
		HandoverTaken, HandoverGiven, ContactAppointed, ContactRelieved:
		return rewrite[HandoverWords](words)
	}
	return Letter{}, fmt.Errorf("no letter is of kind %q", kind)
}

func rewrite[W Words](words []byte) (Letter, error) {
	var w W
	if err := json.Unmarshal(words, &w); err != nil {
		return Letter{}, errors.New("the words of the letter cannot be read")
	}
	return w.letter()
}

// name makes what people chose fit for a letter: printable, bounded, on one
// line, nothing a mail program would unpack in a subject, and no beginning of
// a list.
func name(s string) string {
	return strings.ReplaceAll(strings.TrimLeft(oneLine(s, longestName), "- "), "=?", "= ?")
}

func names(ss []string) []string {
	fit := make([]string, len(ss))
	for i, s := range ss {
		fit[i] = name(s)
	}
	return fit
}

// checkLink accepts a full web address that is one word.
func checkLink(link string) error {
	u, err := url.Parse(link)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || link != oneLine(link, 1000) || strings.Contains(link, " ") {
		return errors.New("the link of a letter is not a full web address")
	}
	return nil
}
