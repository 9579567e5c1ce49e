package handover_test

import (
	"testing"

	"petschaft/internal/campus"
	"petschaft/internal/postgres"
)

// TestTheSchemaHoldsTheRules: what no code may do, also not by mistake.
func TestTheSchemaHoldsTheRules(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := r.accepted(t)
	id, _, err := r.AskReassign(t.Context(), r.rita, r.garden, r.bob.Account, "weg")
	r.ok(t, err)
	another := `insert into handover (organisation, giver, successor, form, hash, state, created, ends) values ($1, $2, $3, 'x', '', 'offered', now(), now())`
	for _, c := range []struct {
		name, want, sql string
		args            []any
	}{
		{"a second open offer", "schema.handover_one_open", another, []any{r.garden, r.tina.Account, r.bob.Account}},
		{"an offer to oneself", "schema.handover_self", another, []any{r.library, r.tina.Account, r.tina.Account}},
		{"a sixth try", "schema.handover_wrong", `update handover set wrong = 6 where id = $1`, []any{o.ID}},
		{"a fifth try that leaves it open", "schema.handover_wrong", `update handover set wrong = 5 where id = $1`, []any{o.ID}},
		{"done without an acceptance", "schema.handover_order", `update handover set state = 'done', ended = now(), accepted = null where id = $1`, []any{o.ID}},
		{"over without an end", "schema.handover_ended", `update handover set state = 'done' where id = $1`, []any{o.ID}},
		{"no contact", "internal", `update organisation set contact = null where id = $1`, []any{r.garden}},
		{"confirmed by who asked", "schema.reassignment_second", `update reassignment set state = 'done', ended = now(), ended_by = asked_by where id = $1`, []any{id}},
		{"confirmed by who is appointed", "schema.reassignment_second", `update reassignment set state = 'done', ended = now(), ended_by = successor where id = $1`, []any{id}},
		{"asked by who is appointed", "schema.reassignment_parties", `update reassignment set asked_by = successor where id = $1`, []any{id}},
		{"six further addresses", "schema.organisation_unconfirmed_few", `update organisation set reminders = '{a,b,c}', unconfirmed = '{d,e,f}' where id = $1`, []any{r.garden}},
	} {
		_, err := r.db.Exec(t.Context(), c.sql, c.args...)
		got := campus.Said(postgres.Fault(err))
		if c.want == "internal" && len(got) > 8 {
			got = got[:8]
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
