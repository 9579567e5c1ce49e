package mail

import "time"

// Ended is why nobody wants a certificate any more that an authority is still making.
type Ended string

// What ends the right to a certificate, or the wish for it.
const (
	EndedWish     Ended = "wish"     // whoever applied or ordered took it back
	EndedRow      Ended = "row"      // the row is inactive
	EndedLink     Ended = "link"     // the address is not linked to the holder any more, or the link is suspended
	EndedName     Ended = "name"     // a server's name is not the organisation's any more
	EndedAccount  Ended = "account"  // the account is locked
	EndedLater    Ended = "later"    // a later application took its place
	EndedSurplus  Ended = "surplus"  // the authority had issued one for the same application or order
	EndedRejected Ended = "rejected" // a registration officer rejected the order
	EndedKey      Ended = "key"      // the key fell into other hands
	EndedRight    Ended = "right"    // something else it rests on
)

// UnwantedWords tell that a certificate came when nobody wanted it any more, and what
// was done about it.
type UnwantedWords struct {
	Reader
	Office       bool   // the reader is a registration officer
	Organisation string // whose server it is for; empty: it is for a mailbox
	Reference    string
	Names        []string // addresses, or names of a server
	Why          Ended
	Revoking     bool // another authority is asked to revoke it; else it is revoked
	At           time.Time
	Link         string // to the certificate
}

// Unwanted tells of it.
func Unwanted(w UnwantedWords) (Letter, error) {
	w.Organisation, w.Reference, w.Names = name(w.Organisation), name(w.Reference), fewNames(w.Names)
	return writeIn(w.Lang, unwanted, w.To, w.Link, w)
}

// UnrevokedWords tell that an authority outside will not revoke a certificate.
type UnrevokedWords struct {
	Reader
	Office       bool   // the reader is a registration officer
	Organisation string // whose server it is for; empty: it is for a mailbox
	Reference    string
	Names        []string // addresses, or names of a server
	Authority    string
	Since        time.Time // when somebody wanted it revoked
	Said         string    // what the authority said, for officers
	Link         string    // to the certificate
}

// Unrevoked tells of it.
func Unrevoked(w UnrevokedWords) (Letter, error) {
	w.Organisation, w.Reference, w.Names = name(w.Organisation), name(w.Reference), fewNames(w.Names)
	w.Authority, w.Said = name(w.Authority), oneLine(w.Said, longestAnswer)
	return writeIn(w.Lang, unrevoked, w.To, w.Link, w)
}

const (
	unwanted  = "unwanted"
	unrevoked = "unrevoked"
)

func (w UnwantedWords) kind() string            { return unwanted }
func (w UnwantedWords) recipient() string       { return w.To }
func (w UnwantedWords) letter() (Letter, error) { return Unwanted(w) }

func (w UnrevokedWords) kind() string            { return unrevoked }
func (w UnrevokedWords) recipient() string       { return w.To }
func (w UnrevokedWords) letter() (Letter, error) { return Unrevoked(w) }
