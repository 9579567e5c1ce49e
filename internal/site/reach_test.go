package site_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"petschaft/internal/bulk"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/recipe"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// estate is something of everything that nora has in uni.example and in her
// organisation; the row is linked to her and its certificate is hers.
type estate struct {
	row              mailbox.ID
	certificate      cert.ID
	bulk             bulk.ID
	recipe           recipe.ID
	imported         imports.ID
	order, served    string
	name             org.ServerNameID
	application      order.ID
	email            org.Address
	organisation     org.OrganisationID
	reachable, other int64 // numbers of uni.example and labor.example
}

func newEstate(r *sitetest.Rig) estate {
	r.T.Helper()
	ctx, nora := r.T.Context(), r.Actors["nora"]
	e := estate{organisation: r.Organisation, email: "mein@uni.example"}
	e.row = r.LinkRow("mein", "nora")
	e.certificate, e.application = r.Certified("nora", e.row), r.Failed("nora", r.LinkRow("wartend", "nora"))
	row, _ := r.Add("viele")
	e.bulk = trial.Must(r.Bulk.Prepare(ctx, nora, "uni.example", bulk.Deactivate, mailbox.View{IDs: []mailbox.ID{row}}))
	e.recipe = trial.Must(r.Recipe.Start(ctx, nora, "uni.example", row, recipe.Left))
	m := &matrixRig{Rig: r}
	e.imported = m.imported("/email-domains/{domain}/imports/{import}/")
	e.order, e.served = r.Ordered("www.uni.example"), r.Served(r.Organisation, sitetest.ECKey().Public(), 90, "mail.uni.example")
	e.name = trial.Must(r.Org.AskName(ctx, nora, r.Organisation, org.NameInput{Name: "gefragt.example"}))
	e.reachable = int64(trial.Must(r.Org.Domain(ctx, nora, "uni.example")).ID)
	e.other = int64(trial.Must(r.Org.Domain(ctx, nora, "labor.example")).ID)
	return e
}

// glance is a way to see something of the estate: how much of it by sees, or
// that it is missing.
type glance func(ctx context.Context, by person.Actor) (int, error)

// seen is 1 for what was found.
func seen(err error) (int, error) { return 1, err }

func glances(r *sitetest.Rig, e estate) map[string]glance {
	uni := func(ctx context.Context, by person.Actor) (org.EmailDomain, error) {
		return r.Org.Domain(ctx, by, "uni.example")
	}
	return map[string]glance{
		"the domain": func(ctx context.Context, by person.Actor) (int, error) { return seen(second(uni(ctx, by))) },
		"its row": func(ctx context.Context, by person.Actor) (int, error) {
			return seen(second(r.Mailbox.Row(ctx, by, "uni.example", e.row)))
		},
		"its row by number": func(ctx context.Context, by person.Actor) (int, error) {
			return seen(second(r.Mailbox.RowByID(ctx, r.DB, by, e.row)))
		},
		"its row by address": func(ctx context.Context, by person.Actor) (int, error) {
			return seen(second(r.Mailbox.RowByPrimary(ctx, r.DB, by, e.email)))
		},
		"its export": func(ctx context.Context, by person.Actor) (n int, err error) {
			return n, r.Mailbox.Export(ctx, by, "uni.example", mailbox.View{}, func(mailbox.Exported) error { n++; return nil })
		},
		"its imports": func(ctx context.Context, by person.Actor) (int, error) {
			all, err := r.Imports.OfDomain(ctx, by, "uni.example", 0, 10)
			return len(all), err
		},
		"its import": func(ctx context.Context, by person.Actor) (int, error) {
			return seen(second(r.Imports.One(ctx, by, "uni.example", e.imported)))
		},
		"its bulk": func(ctx context.Context, by person.Actor) (int, error) {
			return seen(second(r.Bulk.One(ctx, by, "uni.example", e.bulk)))
		},
		"its recipe": func(ctx context.Context, by person.Actor) (int, error) {
			return seen(second(r.Recipe.One(ctx, by, e.recipe)))
		},
		"its certificate": func(ctx context.Context, by person.Actor) (int, error) {
			return seen(second(r.Cert.One(ctx, by, e.certificate)))
		},
		"certificates of an address": func(ctx context.Context, by person.Actor) (int, error) {
			all, err := r.Cert.OfAddress(ctx, by, e.email, 0, 10)
			return len(all), err
		},
		"writing a comment": func(ctx context.Context, by person.Actor) (int, error) {
			return seen(second(r.Mailbox.Patch(ctx, by, "uni.example", e.row, nil, mailbox.Patch{Comment: new("von hier")})))
		},
		"adding a row": func(ctx context.Context, by person.Actor) (int, error) {
			in := mailbox.Input{Kind: mailbox.Personal, Name: "Neu", Primary: fmt.Sprintf("neu-%d@uni.example", by.Token)}
			return seen(second(r.Mailbox.Add(ctx, by, "uni.example", in)))
		},
		"organisations": func(ctx context.Context, by person.Actor) (int, error) {
			all, err := r.Org.Organisations(ctx, by)
			return len(all), err
		},
		"the organisation": func(ctx context.Context, by person.Actor) (int, error) {
			return seen(second(r.Org.Organisation(ctx, by, e.organisation)))
		},
		"its name": func(ctx context.Context, by person.Actor) (int, error) {
			return seen(second(r.Org.ServerName(ctx, by, e.name)))
		},
		"its counts": func(ctx context.Context, by person.Actor) (int, error) {
			all, err := r.Org.NameCounts(ctx, by)
			return len(all), err
		},
		"its orders": func(ctx context.Context, by person.Actor) (int, error) {
			all, _, err := r.Order.Orders(ctx, by, order.OrderView{})
			return len(all), err
		},
		"its open orders": func(ctx context.Context, by person.Actor) (int, error) {
			n, err := r.Order.OpenOrders(ctx, by)
			return int(n), err
		},
		"its order": func(ctx context.Context, by person.Actor) (int, error) {
			return seen(second(r.Order.Server(ctx, by, e.order)))
		},
		"its checks": func(ctx context.Context, by person.Actor) (int, error) {
			_, _, err := r.Order.Inspect(ctx, by, e.order)
			return seen(err)
		},
		"its server certificates": func(ctx context.Context, by person.Actor) (int, error) {
			p, err := r.Cert.Servers(ctx, by, cert.ServerView{})
			return len(p.Certificates), err
		},
		"its server certificates by a search": func(ctx context.Context, by person.Actor) (int, error) {
			p, err := r.Cert.Servers(ctx, by, cert.ServerView{Text: "mail", Organisation: e.organisation})
			return len(p.Certificates), err
		},
		"its server certificate": func(ctx context.Context, by person.Actor) (int, error) {
			return seen(second(r.Cert.Server(ctx, by, e.served)))
		},
		"revoking it": func(ctx context.Context, by person.Actor) (int, error) {
			other := r.Served(e.organisation, sitetest.ECKey().Public(), 90, "weg.uni.example")
			return seen(r.Cert.RevokeServer(ctx, by, other, pki.Superseded))
		},
	}
}

// own is what nora sees because it is hers, and no token of hers does.
func own(r *sitetest.Rig, e estate) map[string]glance {
	return map[string]glance{
		"her certificates": func(ctx context.Context, by person.Actor) (int, error) {
			all, err := r.Cert.Mine(ctx, by, cert.All, 0, 10)
			return len(all), err
		},
		"her certificates that end": func(ctx context.Context, by person.Actor) (int, error) {
			all, err := r.Cert.Ending(ctx, by, 10*365*24*time.Hour)
			return len(all), err
		},
		"her applications": func(ctx context.Context, by person.Actor) (int, error) {
			all, err := r.Order.Mine(ctx, by, 10)
			return len(all), err
		},
		"her application": func(ctx context.Context, by person.Actor) (int, error) {
			return seen(second(r.Order.One(ctx, by, e.application)))
		},
		"her links": func(ctx context.Context, by person.Actor) (int, error) {
			all, err := r.Mailbox.LinkedTo(ctx, by)
			return len(all), err
		},
		"her link": func(ctx context.Context, by person.Actor) (int, error) {
			return seen(second(r.Mailbox.LinkedRow(ctx, by, e.row)))
		},
	}
}

func TestATokenReachesNothingElseInAnyRoom(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	e, nora := newEstate(r), r.Actors["nora"]
	within := func(domains, organisations []int64) person.Actor {
		by := nora
		by.Token, by.Reach = 1, &person.Reach{Domains: domains, Organisations: organisations, Verbs: person.Verbs()}
		return by
	}
	inside, outside := within([]int64{e.reachable}, []int64{int64(e.organisation)}), within([]int64{e.other}, nil)
	outside.Token = 2
	for name, look := range glances(r, e) {
		if n, err := look(t.Context(), inside); err != nil || n == 0 {
			t.Errorf("%s, in reach: got %d and %v, want it", name, n, err)
		}
		if n, err := look(t.Context(), outside); err != nil && !fault.Is(err, fault.Missing) || err == nil && n > 0 {
			t.Errorf("%s, out of reach: got %d and %v, want nothing or that it is missing", name, n, err)
		}
	}
	for name, look := range own(r, e) {
		if n, err := look(t.Context(), nora); err != nil || n == 0 {
			t.Errorf("%s, in a session: got %d and %v, want it", name, n, err)
		}
		if n, err := look(t.Context(), inside); err != nil && !fault.Is(err, fault.Missing) || err == nil && n > 0 {
			t.Errorf("%s, by a token: got %d and %v, want nothing", name, n, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
