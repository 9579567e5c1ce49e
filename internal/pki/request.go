package pki

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"petschaft/internal/fault"
	"petschaft/internal/text"
)

// Request is the intent to issue one certificate: all that decides what will be
// in it. Names and addresses are authorised and canonical by now.
type Request struct {
	Intent     int64 // an authority gives one certificate for one intent, however often it is asked
	Profile    ProfileID
	Key        Key
	CommonName string
	GivenName  string
	Surname    string
	Sponsor
	Emails    []string // the primary one first
	DNS       []string // of a server: lower case A-labels, perhaps with "*." in front; the first one is its common name
	Days      int      // how long a server's certificate is to live; 0: as its profile says
	Serial    []byte   // from NewSerial; an authority outside may choose its own
	NotBefore time.Time

	// For authorities outside; neither changes what is asked for, nor Digest.
	CSR       []byte // DER of the PKCS#10 that the holder signed, of the same Key; empty for what was asked for before it was kept
	Reference string // ours, by which an authority finds again what it was asked for
}

// serialLength is the length of a serial number in bytes (at most 20: RFC 5280,
// 4.1.2.2).
const serialLength = 16

// NewSerial returns 16 bytes of which 126 bits are random; the first is never
// zero and its top bit is clear, so that the number is positive and always of
// this length.
func NewSerial() []byte {
	serial := make([]byte, serialLength)
	rand.Read(serial)
	serial[0] = serial[0]&0x3f | 0x40
	return serial
}

// Digest is the same for two requests exactly when they ask for the same.
func (r Request) Digest() [32]byte {
	emails := r.Emails
	if len(emails) == 0 {
		emails = nil // what was read from a table has none that is not nil
	}
	all := []any{r.Intent, r.Profile, r.Key.SPKI, r.CommonName, r.GivenName, r.Surname, emails, r.Serial, r.NotBefore.Unix()}
	if len(r.DNS) > 0 || r.Days != 0 { // requests for mail keep the digest they always had
		all = append(all, r.DNS, r.Days)
	}
	if r.Sponsor != (Sponsor{}) {
		all = append(all, r.Organisation, r.Identifier, r.Country)
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err) // numbers, text and bytes only
	}
	return sha256.Sum256(text)
}

// ServerName is the name that stands for a request for a server: its first one.
func (r Request) ServerName() string {
	if len(r.DNS) == 0 {
		return ""
	}
	return r.DNS[0]
}

// Check refuses a request that no authority of ours may sign: unknown profile,
// no checked key, a CSR of another one, no or broken addresses or names, names of a kind that the
// profile does not have, a name that is missing, too long or holds what is no
// character of a name, a serial not from NewSerial.
func (r Request) Check() error {
	p, known := r.Profile.Profile()
	if !known {
		return fmt.Errorf("no profile is called %q", r.Profile)
	}
	if err := r.Key.Check(); err != nil {
		return err
	}
	if len(r.CSR) > 0 && !csrHolds(r.CSR, r.Key) {
		return fault.New(fault.Invalid, "pki.request.csr")
	}
	if len(r.Serial) != serialLength || r.Serial[0] == 0 || r.Serial[0]&0x80 != 0 {
		return fmt.Errorf("the serial number of intent %d is not one of NewSerial", r.Intent)
	}
	if r.NotBefore.IsZero() || r.NotBefore.Nanosecond() != 0 {
		return fmt.Errorf("the beginning of intent %d is not a whole second", r.Intent)
	}
	if err := p.checkNames(r); err != nil {
		return err
	}
	_, err := p.subject(r)
	return err
}

// checkNames refuses names that the profile has not: a person on a server, a
// server beside a mailbox.
func (p Profile) checkNames(r Request) error {
	if p.Servers {
		if len(r.Emails) > 0 || r.CommonName != "" || r.GivenName != "" || r.Surname != "" || r.Sponsor != (Sponsor{}) {
			return fault.New(fault.Invalid, "pki.request.mixed")
		}
		if r.Days < 0 {
			return fmt.Errorf("intent %d is to last %d days", r.Intent, r.Days)
		}
		return checkDNS(r.DNS)
	}
	if len(r.DNS) > 0 || r.Days != 0 {
		return fault.New(fault.Invalid, "pki.request.mixed")
	}
	return checkEmails(r.Emails)
}

func checkEmails(emails []string) error {
	if len(emails) == 0 {
		return fault.New(fault.Invalid, "pki.request.no_address")
	}
	for i, e := range emails {
		at := strings.LastIndexByte(e, '@')
		odd := strings.ContainsFunc(e, func(r rune) bool { return r <= ' ' || r >= 0x7f })
		if at < 1 || at == len(e)-1 || len(e) > 254 || odd || e[at+1:] != strings.ToLower(e[at+1:]) || slices.Contains(emails[:i], e) {
			return fault.New(fault.Invalid, "pki.request.address")
		}
	}
	return nil
}

// subject is the DER of the Subject that p gives to r. Each attribute stands in
// an RDN of its own.
func (p Profile) subject(r Request) ([]byte, error) {
	var sequence []pkix.RelativeDistinguishedNameSET
	if p.person && strings.Trim(r.GivenName+r.Surname, "-. ") == "" {
		return nil, fault.New(fault.Invalid, "pki.request.no_name")
	}
	for _, a := range p.Subject {
		s, err := a.of(r)
		if err != nil {
			return nil, err
		}
		if s == "" && a.needed {
			return nil, fault.New(fault.Invalid, "pki.request.no_name")
		}
		if s == "" {
			continue
		}
		value := any(s)
		if a.tag != 0 {
			value = asn1.RawValue{Tag: a.tag, Bytes: []byte(s)}
		}
		sequence = append(sequence, pkix.RelativeDistinguishedNameSET{{Type: a.oid, Value: value}})
	}
	if len(sequence) == 0 && !p.Servers { // a server whose name is too long for it has its names alone
		return nil, fault.New(fault.Invalid, "pki.request.no_name")
	}
	der, err := asn1.Marshal(pkix.RDNSequence(sequence))
	if err != nil {
		return nil, fmt.Errorf("write subject: %w", err)
	}
	return der, nil
}

// CheckPerson refuses the names of a person that no certificate can hold.
func CheckPerson(common, given, surname string) error {
	p, _ := MailIndividual.Profile()
	_, err := p.subject(Request{CommonName: common, GivenName: given, Surname: surname})
	return err
}

// of is the value of a for r, empty when it is to be left out.
func (a subjectAttribute) of(r Request) (string, error) {
	s := strings.TrimSpace(a.value(r))
	if strings.Trim(s, "-. ") == "" { // the rules allow no placeholders (S/MIME BR 7.1.4.2)
		return "", nil
	}
	if _, _, odd := text.Odd(s); odd {
		return "", fault.New(fault.Invalid, "pki.request.name_characters")
	}
	if utf8.RuneCountInString(s) > a.longest {
		if a.omitLong {
			return "", nil
		}
		return "", fault.New(fault.Invalid, "pki.request.name_long", "most", a.longest)
	}
	return s, nil
}
