package lint

import (
	"encoding/asn1"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/publicsuffix"

	"petschaft/internal/fault"
	"petschaft/internal/pki"
)

func weakKey(l leaf) *trouble {
	if l.keyErr == nil {
		return nil
	}
	f := fault.Of(l.keyErr)
	return &trouble{id: f.ID, args: f.Args}
}

func issuerKey(l leaf) *trouble {
	if l.Issuer == nil || l.keyErr != nil {
		return nil
	}
	k, err := pki.NewKey(l.Issuer.PublicKey)
	return when(err == nil && k.Equal(l.key))
}

// attributes wants those of the profile, each at most once and in an RDN of its
// own.
func attributes(l leaf) *trouble {
	allowed := l.Profile.Attributes()
	for i, a := range l.subject {
		again := slices.ContainsFunc(l.subject[:i], func(b attribute) bool { return b.oid.Equal(a.oid) })
		has := slices.ContainsFunc(allowed, func(b pki.Attribute) bool { return b.OID.Equal(a.oid) })
		if again || !has || a.joined {
			return bad("oid", a.oid.String())
		}
	}
	return nil
}

func needed(l leaf) *trouble {
	for _, a := range l.Profile.Attributes() {
		if a.Needed && len(l.of(a.OID)) == 0 {
			return bad("oid", a.OID.String())
		}
	}
	person := len(l.of(oidGivenName))+len(l.of(oidSurname)) > 0
	if l.Profile.OfPerson() && !person {
		return bad("oid", oidSurname.String())
	}
	return when(len(l.subject) == 0 && !l.Profile.Servers, "oid", oidCommonName.String())
}

// texts wants values that are short enough, of the proper type, and say
// something.
func texts(l leaf) *trouble {
	for _, a := range l.subject {
		s := a.text()
		odd := !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
		if odd || strings.TrimSpace(s) != s || strings.Trim(s, "-. ") == "" || !l.fits(a, s) {
			return bad("oid", a.oid.String())
		}
	}
	return nil
}

func (l leaf) fits(a attribute, s string) bool {
	for _, b := range l.Profile.Attributes() {
		if b.OID.Equal(a.oid) {
			typed := a.value.Tag == b.Tag || b.Tag == 0 && (a.value.Tag == asn1.TagUTF8String || a.value.Tag == asn1.TagPrintableString)
			return typed && utf8.RuneCountInString(s) <= b.Longest
		}
	}
	return true // attributes says that it has no place here
}

// subjectMailbox: every mailbox in the Subject is a name too, character by
// character.
func subjectMailbox(l leaf) *trouble {
	all := l.of(oidEmail)
	if !l.Profile.Servers {
		for _, cn := range l.of(oidCommonName) {
			if strings.Contains(cn, "@") {
				all = append(all, cn)
			}
		}
	}
	names := l.named(tagMailbox)
	return when(slices.ContainsFunc(all, func(m string) bool { return !slices.Contains(names, m) }))
}

func subjectServer(l leaf) *trouble {
	if !l.Profile.Servers {
		return nil
	}
	names := l.named(tagServer)
	return when(slices.ContainsFunc(l.of(oidCommonName), func(cn string) bool { return !slices.Contains(names, cn) }))
}

func organisationIdentifier(l leaf) *trouble {
	for _, id := range l.of(oidOrgID) {
		if _, ok := pki.IdentifierCountry(id); !ok {
			return bad("identifier", id)
		}
	}
	return nil
}

// country wants two capitals, and those of the identifier where it names a
// country.
func country(l leaf) *trouble {
	for _, c := range l.of(oidCountry) {
		if len(c) != 2 || strings.Trim(c, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return bad("country", c)
		}
		for _, id := range l.of(oidOrgID) {
			if in, ok := pki.IdentifierCountry(id); ok && in != "XG" && in != c {
				return bad("country", c)
			}
		}
	}
	return nil
}

// nameKind wants mailboxes alone in a mailbox's certificate, and servers alone in
// a server's.
func nameKind(l leaf) *trouble {
	wrong := slices.ContainsFunc(l.names, func(n asn1.RawValue) bool {
		return n.Class != asn1.ClassContextSpecific || n.Tag != l.kind()
	})
	return when(wrong || len(l.names) == 0)
}

func nameForm(l leaf) *trouble {
	all := l.named(l.kind())
	for i, n := range all {
		good := pki.Mailbox(n)
		if l.Profile.Servers {
			good = pki.Server(n)
		}
		if !good || slices.Contains(all[:i], n) {
			return bad("name", strings.ToValidUTF8(n, "\uFFFD"))
		}
	}
	return nil
}

// namesGiven wants exactly what was given, and nothing beside it.
func namesGiven(l leaf) *trouble {
	if l.Given == nil {
		return nil
	}
	given := l.Given.Emails
	if l.Profile.Servers {
		given = l.Given.DNS
	}
	for _, n := range l.named(l.kind()) {
		if !slices.Contains(given, n) {
			return bad("name", strings.ToValidUTF8(n, "\uFFFD"))
		}
	}
	return when(len(l.named(l.kind())) < len(given), "name", strings.Join(given, ", "))
}

// wildcard refuses one over a domain under which anybody registers.
func wildcard(l leaf) *trouble {
	for _, n := range l.named(tagServer) {
		rest, star := strings.CutPrefix(n, "*.")
		if suffix, registry := publicsuffix.PublicSuffix(rest); star && registry && suffix == rest {
			return bad("name", n)
		}
	}
	return nil
}

func namesCritical(l leaf) *trouble {
	_, critical, ok := l.extension(oidAlternative)
	return when(ok && critical != (len(l.subject) == 0))
}
