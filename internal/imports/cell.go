package imports

import (
	"regexp"
	"slices"
	"strings"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
)

// bareAddress is the address in a cell as people, mail programs and directories
// write it: "mailto:a@b", "Name <a@b>", "SMTP:a@b", "a@b;". Of anything else it
// is the text without blanks around it.
func bareAddress(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.LastIndexByte(s, '<'); i >= 0 {
		if inner, ok := strings.CutSuffix(strings.TrimRight(s[i+1:], " ;,."), ">"); ok {
			s = inner
		}
	}
	bare := strings.TrimSpace(strings.TrimRight(strings.Trim(s, `" `), ";,. "))
	for _, scheme := range [...]string{"mailto:", "smtp:"} {
		if len(bare) >= len(scheme) && strings.EqualFold(bare[:len(scheme)], scheme) {
			bare = strings.TrimSpace(bare[len(scheme):])
			if scheme == "mailto:" {
				bare, _, _ = strings.Cut(bare, "?")
			}
		}
	}
	if !strings.Contains(bare, "@") {
		return s
	}
	return bare
}

// proxies are the addresses of a mailbox as Exchange lists them.
type proxies struct {
	primary string
	others  []string
}

// proxyScheme is what stands before an address in such a list: SMTP, SIP, X500
// and what else there may be, behind the beginning or a separator.
var proxyScheme = regexp.MustCompile(`(?:^|[\s;,+|{"'])([A-Za-z][A-Za-z0-9.-]{0,15}):`)

// readProxies reads a list with or without schemes. "SMTP:" is the primary
// address, "smtp:" and none another one; whatever else stands there is no
// address of a mail.
func readProxies(s string) (p proxies) {
	places := proxyScheme.FindAllStringSubmatchIndex(s, -1)
	if len(places) == 0 {
		p.others = addressList(s)
		return p
	}
	p.others = slices.DeleteFunc(addressList(s[:places[0][2]]), func(a string) bool { return !strings.Contains(a, "@") })
	for i, at := range places {
		end := len(s)
		if i+1 < len(places) {
			end = places[i+1][2]
		}
		scheme, all := s[at[2]:at[3]], addressList(s[at[3]+1:end])
		switch {
		case len(all) == 0 || !strings.EqualFold(scheme, "smtp"):
			continue
		case scheme == "SMTP" && p.primary == "":
			p.primary, all = all[0], all[1:]
		}
		p.others = append(p.others, all...)
	}
	return p
}

// schemed tells whether a list says which of its addresses is what.
func schemed(s string) bool {
	return slices.ContainsFunc(proxyScheme.FindAllStringSubmatch(s, -1), func(m []string) bool { return strings.EqualFold(m[1], "smtp") })
}

// addressList are the addresses between blanks, commas and semicolons, or those
// in angle brackets where there are such.
func addressList(s string) (all []string) {
	if strings.Contains(s, "<") && strings.Contains(s, ">") {
		for part := range strings.SplitSeq(s, ">") {
			if _, a, ok := strings.Cut(part, "<"); ok {
				all = append(all, bareAddress(a))
			}
		}
		return all
	}
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r <= ' ' || r == ',' || r == ';' || r == 0xa0 }) {
		if part = strings.TrimRight(part, "+|}'\""); part != "" { // no domain ends like this
			all = append(all, bareAddress(part))
		}
	}
	return all
}

// choose takes of a list of proxy addresses those that can be aliases of the
// row: other than the primary one, in domains of its group, and no more than
// two, first those that it has already. What is left out is hinted at.
func (e *entry) choose(in *mailbox.Input, d org.EmailDomain, known map[org.Domain]org.EmailDomain) {
	seen := map[string]bool{e.key: true}
	var all []org.Address
	var foreign []string
	for _, s := range in.Aliases {
		a, wrong := org.ParseAddress(s)
		switch {
		case wrong != "":
			foreign = append(foreign, s)
		case seen[a.Folded()]:
		case known[a.Domain()].ID == 0 || known[a.Domain()].Group != d.Group:
			if !strings.HasSuffix(string(a.Domain()), ".onmicrosoft.com") { // everybody has one there, and sends with none
				foreign = append(foreign, s)
			}
		default:
			all = append(all, a)
		}
		seen[a.Folded()] = true
	}
	had := org.Folded(e.row.Aliases)
	slices.SortStableFunc(all, func(x, y org.Address) int { return rank(had, x) - rank(had, y) })
	in.Aliases = nil
	var kept, left []string
	for i, a := range all {
		if i < 2 {
			in.Aliases, kept = append(in.Aliases, string(a)), append(kept, string(a))
		} else {
			left = append(left, string(a))
		}
	}
	if len(left) > 0 {
		e.hints.Add(string(FieldProxies), "mailbox.import.hint_more", "kept", strings.Join(kept, ", "), "left", listed(left))
	}
	if len(foreign) > 0 {
		e.hints.Add(string(FieldProxies), "mailbox.import.hint_foreign", "left", listed(foreign))
	}
}

// rank puts what is had before what is not.
func rank(had []string, a org.Address) int {
	if slices.Contains(had, a.Folded()) {
		return 0
	}
	return 1
}

// listed is a list for a person, cut where it is long.
func listed(all []string) string {
	const most = 10
	if len(all) > most {
		return strings.Join(all[:most], ", ") + ", …"
	}
	return strings.Join(all, ", ")
}

// samePrimary refuses a line whose lists do not agree on the primary address:
// it can never be changed.
func (e *entry) samePrimary() {
	said, ok := e.cell(FieldPrimary)
	list, _ := e.cell(FieldProxies)
	if p := readProxies(list).primary; ok && said != "" && p != "" {
		if a, wrong := org.ParseAddress(p); wrong == "" && e.key != "" && a.Folded() != e.key {
			e.faults = append(e.faults, fault.Field{
				Name: string(FieldPrimary), ID: "mailbox.import.proxy_primary", Args: []any{"primary", bareAddress(said), "smtp", p},
			})
		}
	}
}
