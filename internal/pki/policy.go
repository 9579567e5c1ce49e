package pki

import (
	"crypto/x509"
	"fmt"
	"regexp"
	"strings"
)

// Mode is by which book an authority issues.
type Mode string

const (
	Private  Mode = "private"   // a book of its own, with the public limits unless one is switched off
	PublicBR Mode = "public-br" // the baseline requirements of the CA/Browser Forum, audited
)

// Policy is under which policy an authority issues. The zero value is private
// and names none.
type Policy struct {
	Mode Mode   // "": private
	Arc  string // the operator's own arc, "1.3.6.1.4.1.99999.7"; empty: certificates of a private authority name no policy
}

// reservedArc is the CA/Browser Forum's: what lies below it claims an audited
// authority.
const reservedArc = "2.23.140.1"

var arcShape = regexp.MustCompile(`^[0-2](\.(0|[1-9][0-9]{0,18})){3,20}$`)

// Check refuses an unknown mode and an arc that is none or belongs to the
// CA/Browser Forum.
func (p Policy) Check() error {
	if p.Mode != "" && p.Mode != Private && p.Mode != PublicBR {
		return fmt.Errorf("the mode %q is neither %s nor %s", p.Mode, Private, PublicBR)
	}
	if p.Arc == "" {
		return nil
	}
	if _, err := x509.ParseOID(p.Arc); err != nil || !arcShape.MatchString(p.Arc) {
		return fmt.Errorf("the arc %q is not an object identifier like 1.3.6.1.4.1.99999.7", p.Arc)
	}
	if p.Arc == "2.23.140" || strings.HasPrefix(p.Arc+".", "2.23.140.") {
		return fmt.Errorf("the arc %q belongs to the CA/Browser Forum", p.Arc)
	}
	return nil
}

// Public tells whether the authority is bound by the baseline requirements.
func (p Policy) Public() bool { return p.Mode == PublicBR }

// OID is the policy that a certificate of the profile names; false: none.
func (p Policy) OID(of Profile) (x509.OID, bool) {
	arc := p.Arc
	if p.Public() {
		arc = reservedArc
	}
	if arc == "" || of.Silent {
		return x509.OID{}, false
	}
	oid, err := x509.ParseOID(arc + "." + of.Book)
	return oid, err == nil
}

// Reserved is the policy of the baseline requirements that says the same as the
// profile.
func (p Profile) Reserved() x509.OID {
	oid, err := x509.ParseOID(reservedArc + "." + p.Book)
	if err != nil {
		panic(err) // the table of profiles is wrong
	}
	return oid
}
