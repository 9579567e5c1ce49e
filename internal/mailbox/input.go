package mailbox

import (
	"slices"
	"unicode/utf8"

	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/text"
)

// Input is a row as somebody types it. Primary is read only when the row is
// added. Empty aliases count as absent.
type Input struct {
	Kind      Kind
	Name      string
	Primary   string
	Aliases   []string
	Applicant string
	Comment   string
	Person    Person // only when a linked, inactive row is renamed

	kept Kind // the row's kind before an edit: what is there may stay
}

// Person answers whether a new display name means the same person.
type Person string

const (
	SamePerson  Person = "same"
	OtherPerson Person = "other" // ends the link
)

// Draft is an input that was read: every address parsed, every length checked.
type Draft struct {
	Kind      Kind
	Name      string
	Primary   org.Address
	Aliases   []org.Address
	Applicant org.Address
	Comment   string
	fields    map[string]string // folded address -> the input it was typed in
}

// Display name and comment have at most maxField characters, in at most maxRoom
// bytes: an index entry holds no more.
const (
	maxField = 1024
	maxRoom  = 2560
)

// Domains returns the domain parts that in mentions, so that they can be
// looked up before Read asks about them.
func (in Input) Domains() []string {
	var names []string
	for _, s := range append([]string{in.Primary}, in.Aliases...) {
		if a, wrong := org.ParseAddress(s); wrong == "" {
			names = append(names, string(a.Domain()))
		}
	}
	return names
}

// Read checks in against the rules that need no other row: it is pure, so that
// hand and file are judged by the same code. d is the row's domain, known the
// registered ones among the addresses'.
func (in Input) Read(d org.EmailDomain, known map[org.Domain]org.EmailDomain, bad *fault.Fields) Draft {
	out := Draft{Kind: in.Kind, Name: text.Line(in.Name), Comment: readComment(in.Comment, bad)}
	switch {
	case out.Name == "":
		bad.Add("name", "field.required")
	default:
		fits("name", out.Name, bad)
	}
	if in.Kind != Personal && in.Kind != Functional {
		bad.Add("kind", "field.required")
	}
	if in.Kind == Functional && in.kept != Functional && d.Validation != org.ByDomain {
		bad.Add("kind", "mailbox.kind.mailbox_domain")
	}
	out.Primary = readPrimary(in.Primary, d, bad)
	out.fields = map[string]string{out.Primary.Folded(): "primary"}
	out.Aliases = in.readAliases(out.fields, d, known, bad)
	out.Applicant = in.readApplicant(out, bad)
	return out
}

func readComment(s string, bad *fault.Fields) string {
	c := text.Lines(s)
	fits("comment", c, bad)
	return c
}

// fits notes where s is too long. How many characters are too many depends on
// how much room they take.
func fits(field, s string, bad *fault.Fields) {
	n, most := utf8.RuneCountInString(s), maxField
	if len(s) > maxRoom {
		most = min(maxField, maxRoom*n/len(s))
	}
	if n > most {
		bad.Add(field, "field.too_long", "max", most)
	}
}

func readPrimary(s string, d org.EmailDomain, bad *fault.Fields) org.Address {
	if text.Word(s) == "" {
		bad.Add("primary", "field.required")
		return ""
	}
	a, wrong := org.ParseAddress(s)
	switch {
	case wrong != "":
		bad.Add("primary", wrong)
	case a.Domain() != d.Name:
		bad.Add("primary", "mailbox.primary.domain", "domain", d.Name.Unicode())
	}
	return a
}

func (in Input) readAliases(seen map[string]string, d org.EmailDomain, known map[org.Domain]org.EmailDomain, bad *fault.Fields) []org.Address {
	aliases := []org.Address{}
	for i, s := range in.Aliases {
		if s = text.Word(s); s == "" {
			continue
		}
		field := "alias1"
		if i > 0 {
			field = "alias2"
		}
		a, wrong := org.ParseAddress(s)
		switch {
		case wrong != "":
			bad.Add(field, wrong)
		case len(aliases) == 2:
			bad.Add(field, "mailbox.alias.many")
		case seen[a.Folded()] != "":
			bad.Add(field, "mailbox.alias.twice")
		case known[a.Domain()].ID == 0 || known[a.Domain()].Group != d.Group:
			bad.Add(field, "mailbox.alias.domain", "domain", a.Domain().Unicode())
		default:
			aliases = append(aliases, a)
			seen[a.Folded()] = field
		}
	}
	return aliases
}

func (in Input) readApplicant(out Draft, bad *fault.Fields) org.Address {
	s := text.Word(in.Applicant)
	if s == "" {
		return ""
	}
	if in.Kind != Functional {
		bad.Add("applicant", "mailbox.applicant.personal")
		return ""
	}
	a, wrong := org.ParseAddress(s)
	switch {
	case wrong != "":
		bad.Add("applicant", wrong)
	case slices.Contains(org.Folded(append([]org.Address{out.Primary}, out.Aliases...)), a.Folded()):
		bad.Add("applicant", "mailbox.applicant.self")
	}
	return a
}
