package cert

import (
	"encoding/hex"
	"strings"

	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/text"
)

// Issuance is a certificate as it comes from an authority, with whom it is for: a
// mailbox's names an account and a row, a server's an organisation.
type Issuance struct {
	Known       Known // what the caller read along; the zero value has Record read it
	Reference   string
	Authority   string // that signed it, by its name in the registry
	Certificate pki.Certificate
	Chain       [][]byte // those above it, the issuer first; the root may be missing

	Account     person.ID
	Holder      string
	HolderEmail string // that the provider verified, for the search
	Row         mailbox.ID

	Organisation org.OrganisationID // 0: it is a mailbox's
	Order        int64
	Replaces     *ID // the certificate that this one renews
	Product      string

	Evidence   *Evidence        // why it was issued; nil: nothing is kept
	Unexpected []pki.Difference // how it is not what was asked for; then it is nobody's, and only officers see it
	Unwanted   mail.Ended       // why nobody wants it any more: it is revoked at once; empty: it is wanted
}

// Known is what Record needs to know before it writes. A caller who draws the number
// reads the rest along, in one statement with what it asks itself, and has made sure
// under its lock that the certificate is not Recorded.
type Known struct {
	Number   ID          // drawn by NextNumber; 0: nothing is known
	To       mail.Reader // of a mailbox's: LettersAbout the row
	Replaced string      // reference of what it replaces
}

// NextNumber is SQL that draws the number of the next certificate.
const NextNumber = `nextval(pg_get_serial_sequence('certificate', 'id'))`

// Recorded is SQL for the number of the certificate with this issuer and serial, which
// are SQL; null where there is none.
func Recorded(issuer, serial string) string {
	return `(select k.id from certificate k where k.issuer = ` + issuer + ` and k.serial = ` + serial + `)`
}

// LettersAbout is SQL: where letters about a certificate of the row, which is SQL, go
// to its holder, the account a; "" for nowhere.
func LettersAbout(row string) string { return strings.ReplaceAll(holderTo, "c.row_id", row) }

// server tells whether it is a server's.
func (i Issuance) server() bool { return i.Organisation != 0 }

// external tells whether an authority outside signed it.
func (i Issuance) external() bool { return !pki.OwnAuthority(i.Authority) }

// words are what searches look at: addresses and names also as people spell them.
func (i Issuance) words() string {
	if i.server() {
		return i.serverWords()
	}
	c := i.Certificate
	words := append([]string{i.Reference, hex.EncodeToString(c.Serial), i.Holder, i.HolderEmail, c.Subject}, c.Emails...)
	for _, e := range c.Emails {
		if local, domain, _ := strings.Cut(e, "@"); Spelled(domain) != domain {
			words = append(words, local+"@"+Spelled(domain))
		}
	}
	return strings.ToLower(text.Line(strings.Join(words, " ")))
}

func (i Issuance) serverWords() string {
	words := []string{i.Reference, hex.EncodeToString(i.Certificate.Serial)}
	for _, n := range i.Certificate.DNS {
		words = append(words, n)
		if u := Spelled(n); u != n {
			words = append(words, u)
		}
	}
	return " " + strings.ToLower(strings.Join(words, " "))
}

// name stands for a server's certificate in lists: its common name, or its first name
// where that is too long to be one.
func (i Issuance) name() string {
	if len(i.Certificate.DNS) == 0 {
		return ""
	}
	return i.Certificate.DNS[0]
}

// things are the certificate n and whom it is for, as audit lines name them.
func (i Issuance) things(n ID) []thing {
	switch {
	case i.Unexpected != nil:
		return []thing{n.UnexpectedThing()}
	case i.server():
		return []thing{n.ServerThing(), i.Organisation.Thing()}
	}
	return []thing{n.Thing(), i.Row.Thing(), i.Account.Thing()}
}
