package cert_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// TestWhoMayRevoke is the matrix of the mission ("Client certificates"): the
// page's button and the operation give the same answer.
func TestWhoMayRevoke(t *testing.T) {
	t.Parallel()
	const missing, active = "fault.missing", "cert.revoke.active"
	cases := map[string]struct {
		by              func(r *rig) person.Actor
		active, retired string
	}{
		"its holder":                     {func(r *rig) person.Actor { return r.ada }, "", ""},
		"another user":                   {func(r *rig) person.Actor { return r.bob }, missing, missing},
		"the contact of its row":         {func(r *rig) person.Actor { return r.contact }, active, ""},
		"the contact of another domain":  {func(r *rig) person.Actor { return r.stranger }, missing, missing},
		"a registration officer":         {func(r *rig) person.Actor { return r.officer }, "", ""},
		"an account that does not exist": {func(*rig) person.Actor { return person.Actor{Account: 1 << 40} }, missing, missing},
	}
	for name, c := range cases {
		for _, retired := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, row active %v", name, !retired), func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				row, want := r.AddRow(t, "ada@uni.example"), c.active
				id := r.Issue(t, r.ada, row, "ada@uni.example")
				if retired {
					r.off(t, row)
					want = c.retired
				}
				by := c.by(r)
				seen, err := r.One(t.Context(), by, id)
				if (err == nil) != (want != missing) {
					t.Errorf("reading it: got %v, want it only for those who may see it", err)
				}
				if err == nil && campus.Said(cert.MayRevoke(seen)) != want {
					t.Errorf("the button: got %v, want %q", cert.MayRevoke(seen), want)
				}
				campus.Wants(t, r.Revoke(t.Context(), by, id, pki.Superseded), want)
				if got := r.campus.Scalar(`select count(*) from certificate where revoked is not null and reason = 4`); (got == 1) != (want == "") {
					t.Errorf("got %d revoked, refused with %q", got, want)
				}
			})
		}
	}
}

func TestOnlyOfficersSayThatAPrivilegeWasWithdrawn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "ada@uni.example")
	id := r.Issue(t, r.ada, row, "ada@uni.example")
	r.off(t, row)
	for _, by := range []person.Actor{r.ada, r.contact} {
		campus.Wants(t, r.Revoke(t.Context(), by, id, pki.PrivilegeWithdrawn), "field.required")
		c := trial.Must(r.One(t.Context(), by, id))
		if slices.ContainsFunc(cert.Reasons(c), func(f pki.ReasonFacts) bool { return f.OfficerOnly }) {
			t.Errorf("%s is offered a reason that only officers give", by.Name)
		}
	}
	for _, reason := range []pki.Reason{-1, 2, 6, 7, 8, 10, 1 << 20} {
		campus.Wants(t, r.Revoke(t.Context(), r.officer, id, reason), "field.required")
	}
	r.ok(t, r.Revoke(t.Context(), r.officer, id, pki.PrivilegeWithdrawn))
}

func TestEveryAllowedReasonRevokes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "ada@uni.example")
	for _, f := range pki.Reasons(false) {
		id := r.Issue(t, r.ada, row, "ada@uni.example")
		r.ok(t, r.Revoke(t.Context(), r.ada, id, f.Reason))
		if c := trial.Must(r.One(t.Context(), r.ada, id)); c.Reason == nil || *c.Reason != int16(f.Reason) || c.Valid(r.Now()) {
			t.Errorf("got reason %v, valid %v; want %d and not valid", c.Reason, c.Valid(r.Now()), f.Reason)
		}
	}
}

func TestOfManyRevocationsOneCounts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "ada@uni.example")
	id := r.Issue(t, r.ada, row, "ada@uni.example")
	r.off(t, row)
	by := []person.Actor{r.ada, r.contact, r.officer}
	got := trial.Race(50, campus.Said, func(i int) error { return r.Revoke(t.Context(), by[i%3], id, pki.Superseded) })
	if got[""] != 1 || got["cert.revoked_already"] != 49 {
		t.Errorf("got %v, want one and 49 told that it is revoked already", got)
	}
	campus.Wants(t, r.Revoke(t.Context(), r.ada, id, pki.CessationOfOperation), "cert.revoked_already")
	for what, sql := range map[string]string{
		"audit lines": `select count(*) from audit_line where action = 'cert.revoked'`,
		"letters":     `select count(*) from letter where kind = 'revoked'`,
		"list jobs":   `select count(*) from river_job where kind = 'cert_list'`,
		"notes":       `select count(*) from address_certificate where revoked is not null`,
	} {
		if n := r.campus.Scalar(sql); n != 1 {
			t.Errorf("got %d %s, want 1", n, what)
		}
	}
}

func TestTheHolderIsToldAtTheVerifiedAddressOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "Ada@uni.example")
	mine, hers := r.Issue(t, r.ada, row, "Ada@uni.example"), r.Issue(t, r.eve, row, "Ada@uni.example")
	r.off(t, row)
	for _, id := range []cert.ID{mine, hers} {
		r.ok(t, r.Revoke(t.Context(), r.contact, id, pki.AffiliationChanged))
	}
	if n := r.campus.Scalar(`select count(*) from letter where recipient <> 'Adler@people.example'`); n != 0 {
		t.Errorf("got %d letters to somebody else, want them to the holder's verified address only", n)
	}
	for kind, by := range map[string]string{"issued": "", "revoked": "Netz"} {
		var stored []byte
		if err := r.db.QueryRow(t.Context(), `select words from letter where kind = $1`, kind).Scan(&stored); err != nil {
			t.Fatalf("letter %s: %v, want one", kind, err)
		}
		var words struct {
			By, Link  string
			Addresses []string
		}
		r.ok(t, json.Unmarshal(stored, &words))
		if words.By != by || words.Link != fmt.Sprintf("https://portal.example/client-certificates/%d", mine) ||
			!slices.Equal(words.Addresses, []string{"Ada@uni.example"}) {
			t.Errorf("letter %s: got %+v, want it by %q with the address as the certificate has it", kind, words, by)
		}
	}
}

func TestARevocationFreesTheAddressAndTheTable(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.AddRow(t, "ada@uni.example")
	id := r.Issue(t, r.ada, row, "ada@uni.example")
	if got := trial.Must(r.Mailbox.Row(t.Context(), r.contact, "uni.example", row)).CertificateEnd; got == nil {
		t.Error("the table shows no end of the certificate")
	}
	r.ok(t, r.Revoke(t.Context(), r.ada, id, pki.Superseded))
	if got := trial.Must(r.Mailbox.Row(t.Context(), r.contact, "uni.example", row)).CertificateEnd; got != nil {
		t.Errorf("the table shows the end of a revoked certificate: %v", got)
	}
}
