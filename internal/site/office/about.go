package office

import (
	"context"
	"fmt"
	"slices"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/compromise"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// concerns names the things that audit lines are about, by line: people other
// than who acted, contact groups, domains, address rows and organisations, but
// not the thing but. It is for officers, who see them all.
func (s *Section) concerns(ctx context.Context, by person.Actor, lines []audit.Entry, but audit.Thing) (map[int64][]concern, error) {
	about, err := audit.Things(ctx, s.DB, lines)
	if err != nil || len(about) == 0 {
		return nil, err
	}
	n, err := s.nameThings(ctx, by, about)
	if err != nil {
		return nil, err
	}
	links := map[int64][]concern{}
	for _, l := range lines {
		for _, x := range about[l.ID] {
			if x == but || l.Account != nil && x == person.ID(*l.Account).Thing() {
				continue
			}
			link := n.link(ctx, x, about[l.ID])
			if x.Kind == "blocked_key" {
				link = keyLink(ctx, l)
			}
			if link.Label != "" {
				links[l.ID] = append(links[l.ID], concern{link, x})
			}
		}
	}
	return links, nil
}

// concern is something that a line is about, by its name.
type concern struct {
	view.Link
	of audit.Thing
}

// keyLink is the key that a line says was blocked: its page knows it by its digest.
func keyLink(ctx context.Context, l audit.Entry) view.Link {
	key, err := compromise.ParseDigest(fmt.Sprint(l.Detail["key"]))
	if err != nil {
		return view.Link{}
	}
	return view.Link{Label: page.T(ctx, "office.audit_key", "key", key.String()[:16]+"…"), Href: paths.OfficeKey(key.String())}
}

// thingNames are the names of things, by their numbers.
type thingNames struct {
	people        map[person.ID]string
	groups        map[org.GroupID]string
	domains       map[org.ID]org.Domain
	organisations map[org.OrganisationID]string
	servers       map[cert.ID]string // references of server certificates
}

func (s *Section) nameThings(ctx context.Context, by person.Actor, about map[int64][]audit.Thing) (n thingNames, err error) {
	var ids []person.ID
	var servers []cert.ID
	for _, xs := range about {
		for _, x := range xs {
			if x.Kind == "server_certificate" {
				servers = append(servers, cert.ID(x.ID))
			}
			if x.Kind == "account" && !slices.Contains(ids, person.ID(x.ID)) {
				ids = append(ids, person.ID(x.ID))
			}
		}
	}
	if n.people, err = s.People.Names(ctx, ids); err != nil {
		return n, err
	}
	if n.servers, err = s.Cert.References(ctx, by, servers); err != nil {
		return n, err
	}
	groups, err := s.Org.Groups(ctx, by)
	if err != nil {
		return n, err
	}
	domains, err := s.Org.Domains(ctx, by)
	if err != nil {
		return n, err
	}
	organisations, err := s.Org.Organisations(ctx, by)
	if err != nil {
		return n, err
	}
	n.groups, n.domains, n.organisations = map[org.GroupID]string{}, map[org.ID]org.Domain{}, map[org.OrganisationID]string{}
	for _, o := range organisations {
		n.organisations[o.ID] = o.Name
	}
	for _, g := range groups {
		n.groups[g.ID] = g.Name
	}
	for _, d := range domains {
		n.domains[d.ID] = d.Name
	}
	return n, nil
}

// link names x; beside it stands what else its line is about. An address row
// is found by its domain, which is then named with it and not once more.
func (n thingNames) link(ctx context.Context, x audit.Thing, beside []audit.Thing) view.Link {
	switch x.Kind {
	case "account":
		return view.Link{Label: n.people[person.ID(x.ID)], Href: paths.OfficePerson(x.ID)}
	case "contact_group":
		return view.Link{Label: n.groups[org.GroupID(x.ID)], Href: paths.OfficeGroup(x.ID)}
	case "email_domain":
		if !slices.ContainsFunc(beside, func(y audit.Thing) bool { return y.Kind == "address_row" }) {
			return view.Link{Label: n.domains[org.ID(x.ID)].Unicode(), Href: paths.OfficeDomain(x.ID)}
		}
	case "organisation":
		return view.Link{Label: n.organisations[org.OrganisationID(x.ID)], Href: paths.OfficeOrganisation(org.OrganisationID(x.ID))}
	case "token":
		return view.Link{Label: page.T(ctx, "office.audit_token", "number", page.ID(x.ID)), Href: paths.Token(person.TokenID(x.ID))}
	case "certificate":
		return view.Link{Label: page.T(ctx, "office.audit_certificate", "number", page.ID(x.ID)), Href: paths.ClientCertificate(x.ID)}
	case "key_report":
		return view.Link{Label: page.T(ctx, "office.audit_key_report", "number", page.ID(x.ID)), Href: paths.OfficeReport(x.ID)}
	case "unexpected_certificate":
		return view.Link{Label: page.T(ctx, "office.audit_certificate", "number", page.ID(x.ID)), Href: paths.Unexpected}
	case "server_certificate":
		reference := n.servers[cert.ID(x.ID)]
		return view.Link{Label: reference, Href: paths.Certificate(reference)}
	case "application":
		return view.Link{Label: page.T(ctx, "office.audit_application", "number", page.ID(x.ID)), Href: paths.Application(x.ID)}
	case "certificate_import":
		return view.Link{Label: page.T(ctx, "earlier.number", "number", page.ID(x.ID)), Href: paths.OfficeEarlierImport(x.ID)}
	case "bulk":
		for _, y := range beside {
			if name := n.domains[org.ID(y.ID)]; y.Kind == "email_domain" && name != "" {
				return view.Link{Label: page.T(ctx, "bulk.number", "number", page.ID(x.ID)), Href: paths.Bulks(name) + "/" + page.ID(x.ID)}
			}
		}
	case "address_row":
		for _, y := range beside {
			if name := n.domains[org.ID(y.ID)]; y.Kind == "email_domain" && name != "" {
				return view.Link{Label: page.T(ctx, "office.audit_row", "domain", name.Unicode(), "number", page.ID(x.ID)), Href: paths.Row(name, x.ID)}
			}
		}
	}
	return view.Link{}
}

// history is the newest of what happened to a thing, with what else each
// line is about.
func (s *Section) history(ctx context.Context, by person.Actor, of audit.Thing) ([]view.Event, error) {
	lines, err := audit.About(ctx, s.DB, of, 0, page.HistoryLines)
	if err != nil {
		return nil, err
	}
	who, err := s.WhoDid(ctx, lines)
	if err != nil {
		return nil, err
	}
	links, err := s.concerns(ctx, by, lines, of)
	if err != nil {
		return nil, err
	}
	var events []view.Event
	for i, l := range lines {
		e := view.Event{Kind: page.ActionKind(l.Action), Title: page.ActionWords(ctx, l.Action), When: view.At(ctx, l.At, s.Now()), Who: who[i]}
		for _, link := range links[l.ID] {
			e.Notes = append(e.Notes, link.Label)
		}
		e.Notes = append(e.Notes, page.DetailWords(ctx, l)...)
		events = append(events, e)
	}
	return events, nil
}
