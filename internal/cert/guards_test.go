package cert_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/ca"
	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/mail"
	"petschaft/internal/pki"
)

// guard is a part of the schema that keeps a statement out: a condition of the
// trigger certificate_fixed, or a constraint or trigger, by what takes it away.
type guard struct {
	what    string
	id      cert.ID
	set     string // what an update of the certificate sets
	says    string // the constraint
	without string // SQL that takes the guard away; or a condition of certificate_fixed
}

// TestEachGuardOfCertificatesKeepsOutWhatNothingElseDoes: the statement is refused, and
// passes once the guard alone is gone. So none of them is there for nothing.
func TestEachGuardOfCertificatesKeepsOutWhatNothingElseDoes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	struck := func(address string, change func(i *cert.Issuance)) cert.ID {
		i := r.Strike(t, r.ada, r.AddRow(t, address+"@uni.example"), address+"@uni.example")
		change(&i)
		return r.Keep(t, i)
	}
	elsewhere := func(i *cert.Issuance) { i.Authority, i.Chain = "elsewhere", r.local.Chain(ca.Mail) }
	own, revoked := struck("own", func(*cert.Issuance) {}), struck("revoked", func(*cert.Issuance) {})
	r.ok(t, r.Revoke(t.Context(), r.ada, revoked, pki.Superseded))
	fallen := struck("fallen", func(*cert.Issuance) {})
	r.ok(t, r.Revoke(t.Context(), r.ada, fallen, pki.KeyCompromise))
	outside, revoking, refused := struck("outside", elsewhere), struck("revoking", elsewhere), struck("refused", elsewhere)
	r.ok(t, r.Revoke(t.Context(), r.ada, revoking, pki.KeyCompromise))
	r.ok(t, r.Revoke(t.Context(), r.ada, refused, pki.Superseded))
	r.refuse(t, refused, "no")
	unwanted := struck("unwanted", func(i *cert.Issuance) { elsewhere(i); i.Unwanted = mail.EndedRow })

	const (
		drop        = `alter table certificate drop constraint `
		noLongerSo  = `(new.revoked, new.revoked_by) is not distinct from (old.revoked, old.revoked_by)`
		whenRevoked = `(old.revoked is null
            or ` + noLongerSo + ` and new.reason in (old.reason, 1))`
	)
	for _, g := range []guard{
		{"a chain is written once", outside, `chain = '{\x02}'`, "certificate_fixed", `(old.chain = '{}' or new.chain = old.chain)`},
		{"a chain does not go again", outside, `chain = '{}'`, "certificate_fixed", `(old.chain = '{}' or new.chain = old.chain)`},
		{"what was wanted stays so", own, `unwanted = true`, "certificate_fixed", `new.unwanted = old.unwanted`},
		{"what was unwanted stays so", unwanted, `unwanted = false`, "certificate_fixed", `new.unwanted = old.unwanted`},
		{"what was reported stays so", revoking, `compromised = false`, "certificate_fixed", `new.compromised >= old.compromised`},
		{"a reason becomes keyCompromise only", revoked, `reason = 5`, "certificate_fixed", `new.reason in (old.reason, 1)`},
		{"keyCompromise stays", fallen, `reason = 4`, "certificate_fixed", `new.reason in (old.reason, 1)`},
		{"a revocation has one moment", revoked, `revoked = revoked + interval '1 s'`, "certificate_fixed", noLongerSo},
		{"a revocation is not taken back", revoked, `revoked = null, revoked_by = null, reason = null`, "certificate_fixed", whenRevoked},
		{"since when it is being revoked stays", revoking, `revoking = revoking + interval '1 s'`, "certificate_fixed", `new.revoking, `},
		{"who had it revoked stays", revoking, `revoking_by = null`, "certificate_fixed", `new.revoking_by, `},
		{"why it is being revoked stays", revoking, `revoking_reason = 4`, "certificate_fixed", `new.revoking_reason`},
		{"who signed is a fact", own, `external = true`, "certificate_fixed", `new.external`},
		{
			"what was expected stays so", own, `unexpected = '[]', meant_account = account, meant_row = row_id, account = null, row_id = null, emails = '{}'`,
			"certificate_fixed", `create or replace function certificate_fixed() returns trigger language plpgsql as $$ begin return new; end $$`,
		},

		{"one outside is revoked only after it is revoking", outside, `revoked = now(), reason = 4`, "certificate_revoking", drop + `certificate_revoking`},
		{"one outside is revoked only after its authority answered", revoking, `revoked = now(), reason = 1`, "certificate_revoking", drop + `certificate_revoking`},
		{"one of ours is never revoking", own, `revoking = now(), revoking_reason = 4`, "certificate_revoking", drop + `certificate_revoking`},
		{"what is revoking says why", outside, `revoking = now()`, "certificate_revoking", drop + `certificate_revoking`},
		{"who had it revoked belongs to a revocation", outside, fmt.Sprintf(`revoking_by = %d`, r.ada.Account), "certificate_revoking", drop + `certificate_revoking`},
		{"what was refused is not revoking", refused, `revoking = now(), revoking_reason = 4`, "certificate_revoking", drop + `certificate_revoking`},
		{"a refusal is an answer", outside, `revoking_refused = 'no'`, "certificate_revoking", drop + `certificate_revoking`},
	} {
		said, passes := r.guarded(t, g)
		if said != "schema."+g.says {
			t.Errorf("%s: %q is answered by %q, want schema.%s", g.what, g.set, said, g.says)
		}
		if passes != "" {
			t.Errorf("%s: %q is answered by %q without that guard: another one keeps it out, too", g.what, g.set, passes)
		}
	}
}

// guarded is what the update is answered with, and then without the guard; all of it is
// taken back.
func (r *rig) guarded(t *testing.T, g guard) (said, without string) {
	t.Helper()
	tx, err := r.db.Pool.Begin(t.Context())
	r.ok(t, err)
	defer tx.Rollback(context.WithoutCancel(t.Context()))
	try := func() string {
		err := pgx.BeginFunc(t.Context(), tx, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), `update certificate set `+g.set+` where id = $1`, g.id)
			return err
		})
		return campus.Said(schema(err))
	}
	said = try()
	sql := g.without
	if !strings.Contains(sql, " certificate") {
		sql = r.condition(t, tx, g.without)
	}
	_, err = tx.Exec(t.Context(), sql)
	r.ok(t, err)
	return said, try()
}

// condition is certificate_fixed without a condition: where that is a column, with one
// that has not changed.
func (r *rig) condition(t *testing.T, tx pgx.Tx, condition string) string {
	t.Helper()
	var source string
	r.ok(t, tx.QueryRow(t.Context(), `select prosrc from pg_proc where proname = 'certificate_fixed'`).Scan(&source))
	if !strings.Contains(source, condition) {
		t.Fatalf("certificate_fixed has no condition %q", condition)
	}
	instead := "true"
	if column, is := strings.CutPrefix(condition, "new."); is && !strings.Contains(condition, "=") && !strings.Contains(condition, "(") {
		instead = "old." + column
	}
	return `create or replace function certificate_fixed() returns trigger language plpgsql as $guard$` + strings.Replace(source, condition, instead, 1) + `$guard$`
}

// TestWithoutTheirTriggerNotesOfTheVersionBeforeSayNoBegin, which a column wants.
func TestWithoutTheirTriggerNotesOfTheVersionBeforeSayNoBegin(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.outside(t)
	trial := func(sql ...string) error {
		return pgx.BeginFunc(t.Context(), r.db.Pool, func(tx pgx.Tx) error {
			for _, s := range append([]string{`delete from address_certificate`}, sql...) {
				if _, err := tx.Exec(t.Context(), s); err != nil {
					return err
				}
			}
			return nil
		})
	}
	note := fmt.Sprintf(`insert into address_certificate (certificate, row_id, account, issued, ends, addresses)
		select id, row_id, account, issued, not_after, emails from certificate where id = %d`, id)
	if err := trial(`drop trigger address_certificate_begins on address_certificate`, note); err == nil {
		t.Error("without the trigger: got no error")
	}
	r.ok(t, trial(note))
	if n := r.campus.Scalar(`select count(*) from address_certificate a join certificate c on c.id = a.certificate and c.not_before = a.begins`); n != 1 {
		t.Errorf("got %d notes with the certificate's begin, want 1", n)
	}
}
