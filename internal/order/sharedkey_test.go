package order_test

import (
	"slices"
	"testing"
	"time"

	"petschaft/internal/cert"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

// TestAKeyOfAnotherOrganisationNeverPassesByItself: whichever way an order comes to a
// place that nobody decides, with a rule that approves everything, it waits for an
// officer, who reads why. An application for such a key is refused (see
// TestAKeyBelongsToOnePerson).
func TestAKeyOfAnotherOrganisationNeverPassesByItself(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]func(t *testing.T, h *house, own string) string{
		"ordered in the portal": func(t *testing.T, h *house, _ string) string {
			return ordered(t, h, h.tina, order.Submission{Wish: h.wish("neu.uni.example")})
		},
		"ordered by a token": func(t *testing.T, h *house, _ string) string {
			token := h.tina
			token.Reach = &person.Reach{Organisations: []int64{int64(h.id)}, Verbs: []person.Verb{person.WriteOrders, person.ReadOrders}}
			return ordered(t, h, token, order.Submission{Wish: h.wish("neu.uni.example")})
		},
		"renewed with a request": func(t *testing.T, h *house, own string) string {
			return ordered(t, h, h.tina, order.Submission{Wish: h.wish("www.uni.example"), Renews: own})
		},
		"renewed with the key that it has": func(t *testing.T, h *house, own string) string {
			w := h.wish("www.uni.example")
			w.CSR = ""
			return ordered(t, h, h.tina, order.Submission{Wish: w, Renews: own})
		},
		"corrected": func(t *testing.T, h *house, _ string) string {
			w := h.wish("neu.uni.example")
			w.CSR = csr(t, ecKey(t))
			h.rule(t, false)
			reference := ordered(t, h, h.tina, order.Submission{Wish: w})
			h.ok(t, h.Return(t.Context(), h.otto, reference, order.Decision{Version: 1, Reason: "Bitte anders."}))
			h.rule(t, true)
			h.ok(t, h.Correct(t.Context(), h.tina, reference, h.see(t, reference).Version, h.wish("neu.uni.example")))
			return reference
		},
		"waited for a name": func(t *testing.T, h *house, _ string) string {
			reference := ordered(t, h, h.tina, order.Submission{Wish: h.wish("neu.example")})
			h.is(t, reference, order.Waiting)
			h.validate(t, "neu.example")
			h.ok(t, h.Recheck(t.Context(), h.id))
			return reference
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := localHouse(t)
			own := h.issued(t, "www.uni.example")
			other := trial.Must(h.Mailbox.Org.AddOrganisation(t.Context(), h.officer, org.OrganisationInput{Name: "Nachbarn", Country: "DE", Contact: h.otto.Account}))
			h.copied(t, own.ID, other)
			h.clock.Set(own.NotAfter.Add(-10 * 24 * time.Hour)) // it may be renewed
			h.rule(t, true)
			reference := way(t, h, own.Reference)
			h.is(t, reference, order.Received)
			_, checks, err := h.Inspect(t.Context(), h.otto, reference)
			h.ok(t, err)
			if !slices.ContainsFunc(checks, func(c order.Check) bool { return c.Code == order.KeyElsewhere }) {
				t.Errorf("the officer reads %+v, want %s among it", checks, order.KeyElsewhere)
			}
		})
	}
}

// copied gives an organisation a certificate of the same key.
func (h *house) copied(t *testing.T, id cert.ID, o org.OrganisationID) {
	t.Helper()
	var columns string
	h.ok(t, h.db.QueryRow(t.Context(), `select string_agg(quote_ident(attname), ', ') from pg_attribute where attrelid = 'certificate'::regclass and attnum > 0
		and not attisdropped and attname not in ('id', 'organisation', 'reference', 'serial', 'fingerprint', 'search', 'server_order')`).Scan(&columns))
	h.exec(t, `insert into certificate (organisation, reference, serial, fingerprint, search, server_order, `+columns+`)
		select $2, 'NACHBAR', '\x01', sha256('x'), ' nachbar', 1000000, `+columns+` from certificate where id = $1`, id, o)
}

func ordered(t *testing.T, h *house, by person.Actor, in order.Submission) string {
	t.Helper()
	return trial.Must(h.Submit(t.Context(), by, in))
}

// TestAKeyOfOneOrganisationAlonePassesByTheRule: the rows above fail for no other reason.
func TestAKeyOfOneOrganisationAlonePassesByTheRule(t *testing.T) {
	t.Parallel()
	h := localHouse(t)
	own := h.issued(t, "www.uni.example")
	h.clock.Set(own.NotAfter.Add(-10 * 24 * time.Hour))
	h.rule(t, true)
	h.is(t, trial.Must(h.Submit(t.Context(), h.tina, order.Submission{Wish: h.wish("www.uni.example"), Renews: own.Reference})), order.Issuing)
}
