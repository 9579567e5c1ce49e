package mailbox_test

import (
	"testing"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

// TestTheSchemaHoldsWhatTheCodeCouldForget writes past the operations.
func TestTheSchemaHoldsWhatTheCodeCouldForget(t *testing.T) {
	t.Parallel()
	const other = `insert into address_row (domain, kind, name, primary_address, aliases, active, status, created, changed)
		select domain, 'personal', 'x', `
	cases := []struct{ name, sql, want string }{
		{"the primary never changes", `update address_row set primary_address = 'eve@uni.example'`, "schema.address_row_primary_fixed"},
		{"nor does its case", `update address_row set primary_address = 'ADA@uni.example'`, "schema.address_row_primary_fixed"},
		{"nor the domain", `update address_row set domain = domain + 1`, "schema.address_row_primary_fixed"},
		{"the kind is fixed once challenged", `update address_row set kind = 'functional'`, "schema.address_row_kind_fixed"},
		{"what was challenged stays so", `update address_row set challenged = false`, "schema.address_row_challenged_fixed"},
		{"what was challenged is not deleted", `delete from address_row`, "schema.address_row_delete_challenged"},
		{"two aliases at most", `update address_row set aliases = '{a@uni.example,b@uni.example,c@uni.example}'`, "schema.address_row_two_aliases"},
		{"an alias is no primary of an active row", `update address_row set aliases = '{ADA@uni.example}'`, "schema.address_active_once"},
		{"an alias stands once in a row", `update address_row set aliases = '{a@uni.example,A@uni.example}'`, "schema.address_active_once"},
		{"only ASCII comes in", `update address_row set aliases = '{ä@uni.example}'`, "schema.address_ascii"},
		{"a domain is lower case", `update address_row set aliases = '{a@UNI.example}'`, "schema.address_ascii"},
		{"a primary is unique in any case", other + `'ADA@uni.example', '{}', true, 'none', created, changed from address_row`, "schema.address_primary_once"},
		{"a primary is unique even while inactive", other + `'Ada@uni.example', '{}', false, 'inactive', created, changed from address_row`, "schema.address_primary_once"},
		{"an alias is unique among active rows", other + `'bob@uni.example', '{ONE@uni.example}', true, 'none', created, changed from address_row`, "schema.address_active_once"},
		{"an inactive row may hold another's alias", other + `'bob@uni.example', '{ONE@uni.example}', false, 'inactive', created, changed from address_row`, ""},
		{"a personal row has no applicant", `update address_row set applicant = 'x@uni.example'`, "schema.address_row_applicant"},
		{"inactive is a status", `update address_row set active = false`, "schema.address_row_inactive"},
		{"a row has one open round", `insert into challenge_round (row_id, started, started_by) select row_id, started, started_by from challenge_round`, "schema.challenge_round_one_open"},
		{"an answer has an account", `update challenge set state = 'confirmed', ended = now()`, "schema.challenge_answered"},
		{"an ended challenge has a time", `update challenge set state = 'expired'`, "schema.challenge_ended"},
		{"what is not there is missing", `insert into challenge_round (row_id, started, started_by) values (4711, now(), 1)`, "fault.missing"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			id := r.AddRow(t, "ada", "one@uni.example")
			trial.Must(r.Challenge(t.Context(), r.contact, r.uni, id))
			_, err := r.db.Exec(t.Context(), c.sql)
			got := ""
			if f := fault.Of(postgres.Fault(err)); f != nil {
				got = f.ID
			}
			if got != c.want {
				t.Errorf("%s\ngot %q (%v), want %q", c.sql, got, err, c.want)
			}
		})
	}
}

func TestAddressesFollowTheirRow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada", "one@uni.example", "two@uni.example")
	count := func(active bool) int {
		return r.campus.Scalar(`select count(*) from address where row_id = $1 and active = $2`, id, active)
	}
	r.EditRow(t, id, aliases("Two@uni.example", "one@uni.example")) // they trade places
	if got := count(true); got != 3 {
		t.Errorf("after trading places: got %d active addresses, want 3", got)
	}
	r.EditRow(t, id, aliases("two@uni.example"))
	if got := count(true); got != 2 {
		t.Errorf("after removing an alias: got %d active addresses, want 2", got)
	}
	r.SwitchOff(t, id)
	if on, off := count(true), count(false); on != 0 || off != 2 {
		t.Errorf("after deactivating: got %d active and %d inactive addresses, want 0 and 2", on, off)
	}
	r.ok(t, r.Delete(t.Context(), r.contact, r.uni, id))
	if n := r.campus.Scalar(`select count(*) from address`); n != 0 {
		t.Errorf("after deleting: got %d addresses, want none", n)
	}
	if n := trial.Must(r.Tallies(t.Context(), r.uniID))[r.uniID].Of[mailbox.Inactive]; n != 0 {
		t.Errorf("after deleting: got %d inactive rows counted, want none", n)
	}
}
