package pki

import (
	"strings"
	"time"

	"petschaft/internal/fault"
)

// ErrUnasked is the no of an authority that is to say what became of a request
// and knows of none.
var ErrUnasked = fault.New(fault.Missing, "pki.answer.unasked")

// Answer is what an authority says to a request: a certificate, a no for good,
// or to come back later; exactly one of them. To the wish to revoke, the zero
// Answer says that it is done.
type Answer struct {
	Certificate *Certificate // yes; whether it is what was asked for is for Differences to say
	Chain       [][]byte     // DER of those above it, its issuer first; the root may be missing
	Checks      []byte       // what the authority checked before it signed, JSON of a lint.Report; nil: unknown

	No    error     // no for good, and nothing was signed; a *lint.Refusal stands in its chain when rules forbade it
	Later time.Time // when to look again; nothing was refused and nothing was given

	Reference string // the authority's own name of the matter, to be kept before it is asked again; "": none, or as before
	Words     string // what the authority said, for officers, as WordsOf makes it
	Person    bool   // with Later: somebody at the authority has to look first
}

// AnswerKind is what an Answer amounts to.
type AnswerKind int

const (
	AnswerNothing AnswerKind = iota // to a wish to revoke: done; to every other request a mistake of the authority
	AnswerYes
	AnswerNo
	AnswerLater
)

// Kind of a. One that says several things at once counts as the first of yes, no
// and later: what was signed exists.
func (a Answer) Kind() AnswerKind {
	switch {
	case a.Certificate != nil:
		return AnswerYes
	case a.No != nil:
		return AnswerNo
	case !a.Later.IsZero():
		return AnswerLater
	}
	return AnswerNothing
}

// mostWords is how much is kept of what an authority said, in bytes.
const mostWords = 2 << 10

// WordsOf is what an authority said as it can be kept and shown: text of at most
// 2 kB, blanks and ends of lines folded, what cannot be shown replaced.
func WordsOf(said string) string {
	said = printable(strings.Join(strings.Fields(said), " "))
	if len(said) > mostWords {
		said = strings.ToValidUTF8(said[:mostWords-len("…")], "") + "…" // the last letter may be cut through
	}
	return said
}
