package recipe_test

import (
	"testing"

	"petschaft/internal/mailbox"
	"petschaft/internal/pki"
	"petschaft/internal/recipe"
	"petschaft/internal/trial"
)

func TestAReusedAddressBelongsToTheNewPerson(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.add("Adler, Ada", "chef@uni.example", "", "leitung@uni.example")
	r.link(row, r.ada)
	c := r.issue(row, r.ada)
	id := r.start(row, recipe.Reuse)
	r.wantStands(id, ">deactivate revoke name activate challenge")
	r.mustDo(id, recipe.Deactivate)
	r.mustDo(id, recipe.Revoke, func(in *recipe.Input) { in.Reason = pki.CessationOfOperation })
	if got := r.revoked(c); got != int(pki.CessationOfOperation) {
		t.Errorf("got the old certificate revoked for %d, want for %d", got, pki.CessationOfOperation)
	}
	r.wantStands(id, "+deactivate +revoke >name activate challenge")
	wants(t, r.do(r.nora, id, recipe.Name, name("")), "name: field.required")
	r.mustDo(id, recipe.Name, name("Bach, Bob"))
	if got := r.row(row); got.Linked != nil || got.Name != "Bach, Bob" {
		t.Errorf("got %q linked to %v, want the new name and no link", got.Name, got.Linked)
	}
	r.mustDo(id, recipe.Activate)
	r.wantStands(id, "+deactivate +revoke +name +activate >challenge")
	r.mustDo(id, recipe.Challenge)
	r.wantStands(id, "+deactivate +revoke +name +activate +challenge finished")
	r.confirm(row, r.bob)
	r.wantLinked(row, r.bob)
	if linked := trial.Must(r.Mailbox.LinkedTo(t.Context(), r.ada)); len(linked) != 0 {
		t.Errorf("Ada still has %d linked rows, want none", len(linked))
	}
	if mine := trial.Must(r.Cert.Mine(t.Context(), r.bob, "all", 0, 10)); len(mine) != 0 {
		t.Errorf("Bob sees %d certificates, want none of Ada's", len(mine))
	}
	wants(t, r.do(r.nora, id, recipe.Challenge), "recipe.ended")
}

func TestAnAddressIsReusedBySomebodyOfTheSameName(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.add("Müller, Max", "mueller@uni.example", "")
	r.link(row, r.ada)
	id := r.start(row, recipe.Reuse)
	r.mustDo(id, recipe.Deactivate)
	r.wantStands(id, "+deactivate +revoke >name activate challenge")
	r.mustDo(id, recipe.Name)
	if got := r.row(row).Linked; got != nil {
		t.Errorf("the link to account %d is still there", *got)
	}
	r.mustDo(id, recipe.Activate)
	r.mustDo(id, recipe.Challenge)
	r.wantStands(id, "+deactivate +revoke +name +activate +challenge finished")
}

func TestWithANewAddressTheSamePersonIsLinkedToTheNewRow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.add("Adler, Ada", "adler@uni.example", "")
	r.link(row, r.ada)
	c := r.issue(row, r.ada)
	id := r.start(row, recipe.RenameNew)
	r.mustDo(id, recipe.Deactivate)
	// While a valid certificate holds the old address, it cannot become an alias.
	wants(t, r.do(r.nora, id, recipe.NewRow), "recipe.step.order")
	r.mustDo(id, recipe.Revoke)
	r.wantStands(id, "+deactivate +revoke >row challenge")
	typed := func(primary string) func(*recipe.Input) {
		return func(in *recipe.Input) {
			in.Name, in.Primary, in.Aliases = "Bussard, Ada", primary, []string{"adler@uni.example", ""}
		}
	}
	wants(t, r.do(r.nora, id, recipe.NewRow, typed("bussard@institut.example")), "primary: mailbox.primary.domain")
	wants(t, r.do(r.nora, id, recipe.NewRow, typed("nobody")), "primary: org.address.form")
	r.mustDo(id, recipe.NewRow, typed("bussard@uni.example"))
	r.wantStands(id, "+deactivate +revoke +row >challenge")
	r.mustDo(id, recipe.Challenge)
	s := trial.Must(r.One(t.Context(), r.nora, id))
	if s.New == nil || s.New.Primary != "bussard@uni.example" {
		t.Fatalf("got new row %+v, want bussard@uni.example", s.New)
	}
	r.confirm(s.New.ID, r.ada)
	r.wantLinked(s.New.ID, r.ada)
	if got := r.row(row); got.Active {
		t.Error("the old row is active, want it to rest")
	}
	if r.revoked(c) < 0 {
		t.Error("the old certificate is still valid")
	}
}

func TestWithTheSameAddressNameChangesAndLinkStays(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.add("Adler, Ada", "ada@uni.example", "")
	r.link(row, r.ada)
	c := r.issue(row, r.ada)
	rounds := r.campus.Scalar(`select count(*) from challenge_round`)
	id := r.start(row, recipe.RenameSame)
	r.mustDo(id, recipe.Deactivate)
	r.mustDo(id, recipe.Revoke)
	wants(t, r.do(r.nora, id, recipe.Name), "name: recipe.name.same")
	r.mustDo(id, recipe.Name, name("Bussard, Ada"))
	r.mustDo(id, recipe.Activate)
	r.wantStands(id, "+deactivate +revoke +name +activate +challenge finished")
	r.wantLinked(row, r.ada)
	if got := r.row(row); got.Status != mailbox.Confirmed || got.Name != "Bussard, Ada" {
		t.Errorf("got %q in status %s, want the new name, confirmed", got.Name, got.Status)
	}
	if got := r.campus.Scalar(`select count(*) from challenge_round`); got != rounds {
		t.Errorf("got %d rounds, want no more than the %d before", got, rounds)
	}
	if r.revoked(c) < 0 {
		t.Error("the old certificate is still valid")
	}
}

func TestWithOtherAliasesTheSamePersonConfirmsAnew(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.add("Adler, Ada", "ada@uni.example", "")
	r.link(row, r.ada)
	id := r.start(row, recipe.RenameSame)
	r.mustDo(id, recipe.Deactivate)
	r.mustDo(id, recipe.Name, name("Bussard, Ada"), aliases("ada.bussard@uni.example"))
	r.mustDo(id, recipe.Activate)
	r.wantStands(id, "+deactivate +revoke +name +activate >challenge")
	r.mustDo(id, recipe.Challenge)
	r.wantStands(id, "+deactivate +revoke +name +activate +challenge finished")
	r.confirm(row, r.ada)
	r.wantLinked(row, r.ada)
}

func TestAnotherApplicantTakesOverWithoutTheOldCertificates(t *testing.T) {
	t.Parallel()
	for _, skip := range []bool{false, true} {
		t.Run(map[bool]string{false: "revoked", true: "left valid"}[skip], func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			row := r.add("Sekretariat", "sekretariat@uni.example", "ada@anderswo.example")
			r.link(row, r.ada)
			c := r.issue(row, r.ada)
			id := r.start(row, recipe.Applicant)
			r.wantStands(id, ">deactivate applicant revoke activate challenge")
			wants(t, r.Skip(t.Context(), r.nora, id, recipe.Deactivate), "recipe.step.needed")
			r.mustDo(id, recipe.Deactivate)
			wants(t, r.do(r.nora, id, recipe.NewApplicant, applicant(" ADA@anderswo.example")), "applicant: recipe.applicant.same")
			wants(t, r.do(r.nora, id, recipe.NewApplicant), "applicant: field.required")
			wants(t, r.do(r.nora, id, recipe.NewApplicant, applicant("sekretariat@uni.example")), "applicant: mailbox.applicant.self")
			r.mustDo(id, recipe.NewApplicant, applicant("bob@anderswo.example"))
			r.wantStands(id, "+deactivate +applicant >revoke activate challenge")
			if skip {
				trial.Must(0, r.Skip(t.Context(), r.nora, id, recipe.Revoke))
			} else {
				r.mustDo(id, recipe.Revoke)
			}
			if got := r.revoked(c) >= 0; got == skip {
				t.Errorf("got certificate revoked: %v, want %v", got, !skip)
			}
			r.mustDo(id, recipe.Activate)
			r.mustDo(id, recipe.Challenge)
			r.wantStands(id, "+deactivate +applicant +revoke +activate +challenge finished")
			r.confirm(row, r.bob)
			r.wantLinked(row, r.bob)
			if _, err := r.Cert.One(t.Context(), r.ada, c); err != nil {
				t.Errorf("the previous applicant cannot see her certificate: %v", err)
			}
			_, err := r.Cert.One(t.Context(), r.bob, c)
			wants(t, err, "fault.missing")
		})
	}
}

func TestWhoLeftLeavesFunctionalAddressesBehind(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.add("Adler, Ada", "ada@uni.example", "", "adler@uni.example")
	r.link(row, r.ada)
	c := r.issue(row, r.ada)
	byAddress := r.add("Sekretariat", "sekretariat@uni.example", "Adler@uni.example")
	byLink := r.add("Labor", "labor@uni.example", "ada@anderswo.example")
	r.link(byLink, r.ada)
	r.add("Pforte", "pforte@uni.example", "bob@uni.example")
	trial.Must(r.Mailbox.Add(t.Context(), r.sven, "institut.example", mailbox.Input{
		Kind: mailbox.Functional, Name: "Fremd", Primary: "fremd@institut.example", Applicant: "ada@uni.example",
	}))
	id := r.start(row, recipe.Left)
	r.mustDo(id, recipe.Deactivate)
	r.mustDo(id, recipe.Revoke, func(in *recipe.Input) { in.Reason = pki.Superseded })
	if got := r.revoked(c); got != int(pki.AffiliationChanged) {
		t.Errorf("got reason %d, want affiliationChanged, whatever the form said", got)
	}
	r.wantStands(id, "+deactivate +revoke >hand")
	s := trial.Must(r.One(t.Context(), r.nora, id))
	rows := trial.Must(r.Mailbox.AppliesFor(t.Context(), r.nora, s.Row, s.Account, 10))
	if len(rows) != 2 || rows[0].ID != byLink || rows[1].ID != byAddress {
		t.Errorf("got functional rows %+v, want Labor (by link) and Sekretariat (by address) and none of another contact", rows)
	}
	r.mustDo(id, recipe.Hand)
	r.wantStands(id, "+deactivate +revoke +hand finished")
	if got := r.row(row); got.Active {
		t.Error("the row is active, want it to rest")
	}
}
