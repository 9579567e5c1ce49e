package signin

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"

	"petschaft/internal/person"
)

// statement is a set of claims as received. Whatever has an odd type counts
// as not said.
type statement map[string]json.RawMessage

// readStatement reads a set of claims; what is none says nothing.
func readStatement(payload []byte) statement {
	s := statement{}
	if json.Unmarshal(payload, &s) != nil || s == nil {
		return statement{}
	}
	return s
}

// read puts the claim into v, as far as it has its type.
func (s statement) read(name string, v any) { json.Unmarshal(s[name], v) }

// names tells whether the claim, one text or a list of them, holds text.
func (s statement) names(name, text string) bool {
	var all []string
	if json.Unmarshal(s[name], &all) != nil {
		all = []string{s.text(name)}
	}
	return text != "" && slices.Contains(all, text)
}

// holdsObject tells whether the claim is an object.
func (s statement) holdsObject(name string) bool {
	var o map[string]json.RawMessage
	return json.Unmarshal(s[name], &o) == nil && o != nil
}

func (s statement) set(name, text string) {
	s[name], _ = json.Marshal(text)
}

// says tells whether the claim is there at all; null says nothing.
func (s statement) says(name string) bool {
	v, ok := s[name]
	return ok && string(v) != "null"
}

// tells tells whether everything is said that a sign-in wants to know, the
// groups by their path.
func (s statement) tells(groups string, names ...string) bool {
	return s.finds(groups) && !slices.ContainsFunc(names, func(n string) bool { return !s.says(n) })
}

// find looks a claim up by its name, else by its path: realm_access.roles is
// roles in realm_access. Any of the names may hold dots itself.
func (s statement) find(path string) (json.RawMessage, bool) {
	if s.says(path) {
		return s[path], true
	}
	for i, r := range path {
		if r != '.' {
			continue
		}
		inner := statement{}
		if json.Unmarshal(s[path[:i]], &inner) != nil {
			continue
		}
		if v, ok := inner.find(path[i+1:]); ok {
			return v, true
		}
	}
	return nil, false
}

func (s statement) finds(path string) bool {
	_, ok := s.find(path)
	return ok
}

func (s statement) text(name string) string { return asText(s[name]) }

func asText(v json.RawMessage) string {
	var t string
	json.Unmarshal(v, &t)
	return t
}

func (s statement) time(name string) time.Time {
	var seconds float64
	if json.Unmarshal(s[name], &seconds) != nil {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0)
}

// one is the value of a claim, of several the first: directories have lists where
// the standard has one value. nil is that there is none.
func (s statement) one(name string) json.RawMessage {
	v := s[name]
	var several []json.RawMessage
	if json.Unmarshal(v, &several) == nil {
		if len(several) == 0 {
			return nil
		}
		v = several[0]
	}
	if string(v) == "null" {
		return nil
	}
	return v
}

func (s statement) first(name string) string { return asText(s.one(name)) }

// truth also takes the word, which some providers send.
func (s statement) truth(name string) bool {
	v := s.one(name)
	var yes bool
	json.Unmarshal(v, &yes)
	return yes || asText(v) == "true"
}

// owned is what Entra ID says in the optional claim xms_edov: the domain of the
// address belongs to who keeps the account. It is sent as a truth, a number or a
// text.
func (s statement) owned() bool {
	return s.truth("xms_edov") || strings.Trim(string(s.one("xms_edov")), `"`) == "1"
}

// verified tells whether somebody stands for the address: the provider, wherever
// it says so or denies it, by email_verified or else by xms_edov; where it says
// neither, it is unsaid, and the operator may for the domain (0051).
func (s statement) verified(vouches func(address string) bool) (ok, unsaid bool) {
	switch {
	case s.first("email") == "":
		return false, false
	case s.one("email_verified") != nil:
		return s.truth("email_verified"), false
	case s.one("xms_edov") != nil:
		return s.owned(), false
	}
	return vouches != nil && vouches(s.first("email")), true
}

// groups are what the claim at path lists, or the one text that it is; lost tells
// why it is not there.
func (s statement) groups(path string) (all []string, lost person.Lost) {
	v, ok := s.find(path)
	if !ok {
		if s.elsewhere(path) {
			return nil, person.GroupsElsewhere
		}
		return nil, person.GroupsUnsaid
	}
	var parts []any
	if json.Unmarshal(v, &parts) != nil {
		parts = []any{asText(v)}
	}
	for _, x := range parts {
		if g, ok := x.(string); ok && g != "" && !strings.ContainsFunc(g, unicode.IsControl) {
			all = append(all, g)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), ""
}

// elsewhere tells whether the provider only says where the claim could be asked
// for (OpenID Connect Core 1.0, 5.6.2), as Entra ID does for who has more than 200
// groups, or that there are groups.
func (s statement) elsewhere(path string) bool {
	names := statement{}
	json.Unmarshal(s["_claim_names"], &names)
	for i, r := range path {
		if r == '.' && names.says(path[:i]) {
			return true
		}
	}
	return names.says(path) || path == "groups" && s.truth("hasgroups")
}

// person is what said means here: of the groups only those are kept that mean
// anything in this portal, however many there are.
func (d *Desk) person(ctx context.Context, s statement) (person.Claims, error) {
	short := func(name string) string {
		t := s.first(name)
		return strings.ToValidUTF8(t[:min(len(t), 500)], "")
	}
	c := person.Claims{
		Issuer: d.cfg.Issuer, Subject: s.text("sub"),
		Username: short("preferred_username"), Name: short("name"),
		GivenName: short("given_name"), FamilyName: short("family_name"), Email: short("email"),
	}
	c.EmailVerified, c.EmailUnsaid = s.verified(d.cfg.Vouches)
	all, lost := s.groups(d.cfg.GroupsClaim)
	known, err := d.meaningful(ctx, all)
	c.Groups, c.Lost = known, lost
	return c, err
}

// meaningful are those of the groups that rights hang on.
func (d *Desk) meaningful(ctx context.Context, all []string) (known []string, err error) {
	if len(all) > 0 && d.cfg.KnownGroups != nil {
		if known, err = d.cfg.KnownGroups(ctx, all); err != nil {
			return nil, err
		}
	}
	if ra := d.cfg.RAGroup; ra != "" && slices.Contains(all, ra) {
		known = append(known, ra)
	}
	slices.Sort(known)
	return slices.Compact(known), nil
}
