package recipe_test

import (
	"slices"
	"testing"
	"time"

	"petschaft/internal/audit"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/recipe"
	"petschaft/internal/trial"
)

func TestWhatWasDoneByHandCounts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.add("Adler, Ada", "ada@uni.example", "")
	r.link(row, r.ada)
	r.issue(row, r.ada)
	id := r.start(row, recipe.Reuse)
	r.clock.Advance(2 * time.Minute)
	trial.Must(0, r.Mailbox.Deactivate(t.Context(), r.nils, uni, row))
	r.wantStands(id, "+deactivate >revoke name activate challenge")
	trial.Must(r.Cert.RevokeAll(t.Context(), r.nils, uni, row, pki.AffiliationChanged))
	r.wantStands(id, "+deactivate +revoke >name activate challenge")
	in := mailbox.Input{Kind: mailbox.Personal, Name: "Bach, Bob", Person: mailbox.SamePerson}
	trial.Must(0, r.Mailbox.Edit(t.Context(), r.nils, uni, row, r.row(row).Version, in))
	r.wantStands(id, "+deactivate +revoke >name activate challenge") // the link is still Ada's
	trial.Must(0, r.Mailbox.Unlink(t.Context(), r.nils, uni, row))
	r.wantStands(id, "+deactivate +revoke +name >activate challenge")
	trial.Must(0, r.Mailbox.Activate(t.Context(), r.nils, uni, row))
	r.wantStands(id, "+deactivate +revoke +name +activate >challenge")
	trial.Must(r.Mailbox.Challenge(t.Context(), r.nils, uni, row))
	r.wantStands(id, "+deactivate +revoke +name +activate +challenge")
	r.confirm(row, r.bob)
	r.issue(row, r.bob)
	r.wantStands(id, "+deactivate +revoke +name +activate +challenge") // his certificate is none of the old ones
	trial.Must(0, r.Cancel(t.Context(), r.nora, id))
	r.wantStands(id, "+deactivate +revoke +name +activate +challenge finished")
}

func TestWhatIsUndoneByHandComesAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.add("Adler, Ada", "ada@uni.example", "")
	r.link(row, r.ada)
	id := r.start(row, recipe.RenameSame)
	r.mustDo(id, recipe.Deactivate)
	trial.Must(0, r.Mailbox.Activate(t.Context(), r.nora, uni, row))
	r.wantStands(id, ">deactivate +revoke name activate challenge")
	r.mustDo(id, recipe.Deactivate)
	r.wantStands(id, "+deactivate +revoke >name activate challenge")
}

func TestARowThatWasAddedByHandTakesThePlace(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.add("Adler, Ada", "adler@uni.example", "")
	id := r.start(row, recipe.RenameNew)
	r.mustDo(id, recipe.Deactivate)
	byHand := r.add("Bussard, Ada", "bussard@uni.example", "")
	r.add("Sekretariat", "sekretariat@uni.example", "ada@uni.example")
	existing := func(s string) func(*recipe.Input) { return func(in *recipe.Input) { in.Existing = s } }
	for _, wrong := range []string{"adler@uni.example", "sekretariat@uni.example", "niemand@uni.example"} {
		wants(t, r.do(r.nora, id, recipe.NewRow, existing(wrong)), "existing: recipe.existing.none")
	}
	trial.Must(r.Mailbox.Add(t.Context(), r.sven, "institut.example", mailbox.Input{Kind: mailbox.Personal, Name: "x", Primary: "x@institut.example"}))
	wants(t, r.do(r.nora, id, recipe.NewRow, existing("x@institut.example")), "existing: recipe.existing.none")
	r.mustDo(id, recipe.NewRow, existing("Bussard@uni.example"))
	trial.Must(r.Mailbox.Challenge(t.Context(), r.nora, uni, byHand))
	r.wantStands(id, "+deactivate +revoke +row +challenge")
	trial.Must(0, r.Mailbox.Delete(t.Context(), r.nora, uni, r.add("Weg", "weg@uni.example", "")))
}

func TestANewRowThatWasDeletedIsMissed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.add("Adler, Ada", "adler@uni.example", "")
	id := r.start(row, recipe.RenameNew)
	r.mustDo(id, recipe.Deactivate)
	r.mustDo(id, recipe.NewRow, name("Bussard, Ada"), func(in *recipe.Input) { in.Primary = "bussard@uni.example" })
	s := trial.Must(r.One(t.Context(), r.nora, id))
	trial.Must(0, r.Mailbox.Delete(t.Context(), r.nora, uni, s.New.ID))
	r.wantStands(id, "+deactivate +revoke >row challenge")
}

func TestARecipeGoesWithItsRow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.add("Adler, Ada", "ada@uni.example", "")
	id := r.start(row, recipe.Left)
	trial.Must(0, r.Mailbox.Delete(t.Context(), r.nora, uni, row))
	_, err := r.One(t.Context(), r.nora, id)
	wants(t, err, "fault.missing")
	wants(t, r.Do(t.Context(), r.nora, id, recipe.Deactivate, recipe.Input{}), "fault.missing")
}

func TestARowThatChangedMeanwhileIsNotOverwritten(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.add("Adler, Ada", "ada@uni.example", "")
	id := r.start(row, recipe.RenameSame)
	r.mustDo(id, recipe.Deactivate)
	seen := r.row(row).Version
	trial.Must(0, r.Mailbox.Edit(t.Context(), r.nils, uni, row, seen, mailbox.Input{Kind: mailbox.Personal, Name: "Adler, Ada", Comment: "neu"}))
	wants(t, r.do(r.nora, id, recipe.Name, name("Bussard"), func(in *recipe.Input) { in.Version = seen }), "mailbox.changed_meanwhile")
	r.mustDo(id, recipe.Name, name("Bussard"))
	if got := r.row(row).Comment; got != "neu" {
		t.Errorf("got comment %q, want the one that was saved meanwhile", got)
	}
}

func TestStepsAreTakenInTheirOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, k := range recipe.Kinds {
		applicant := ""
		if k == recipe.Applicant {
			applicant = "ada@anderswo.example"
		}
		row := r.add("Adler, Ada", string(k)+"@uni.example", applicant)
		r.link(row, r.ada)
		r.issue(row, r.ada)
		id := r.start(row, k)
		for _, step := range k.Steps()[1:] {
			wants(t, r.do(r.nora, id, step), "recipe.step.order")
		}
		r.mustDo(id, recipe.Deactivate)
		wants(t, r.do(r.nora, id, recipe.Deactivate), "recipe.step.done")
		wants(t, r.do(r.nora, id, "sing"), "fault.missing")
	}
}

func TestAnAddressThatAnotherTookStopsTheActivation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.add("Adler, Ada", "ada@uni.example", "", "chef@uni.example")
	id := r.start(row, recipe.RenameSame)
	r.mustDo(id, recipe.Deactivate)
	r.mustDo(id, recipe.Name, name("Bussard, Ada"))
	r.add("Neu", "neu@uni.example", "", "chef@uni.example")
	wants(t, r.do(r.nora, id, recipe.Activate), "schema.address_active_once")
	r.wantStands(id, "+deactivate +revoke +name >activate challenge")
}

func TestOfManyWhoPressAtOnceOneDoesTheStep(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.add("Adler, Ada", "ada@uni.example", "")
	r.link(row, r.ada)
	r.issue(row, r.ada)
	id := r.start(row, recipe.Reuse)
	press := func(step recipe.Step, in recipe.Input) {
		t.Helper()
		r.clock.Advance(2 * time.Minute)
		by := []person.Actor{r.nora, r.nils}
		got := trial.Race(50, said, func(i int) error { return r.Do(t.Context(), by[i%2], id, step, in) })
		over := got["recipe.step.done"] + got["recipe.ended"]
		if got[""] != 1 || over != 49 {
			t.Errorf("%s: got %v, want one that did it and 49 that were told it is done", step, got)
		}
	}
	press(recipe.Deactivate, recipe.Input{})
	press(recipe.Revoke, recipe.Input{Reason: pki.AffiliationChanged})
	press(recipe.Name, recipe.Input{Version: r.row(row).Version, Name: "Bach, Bob"})
	press(recipe.Activate, recipe.Input{})
	press(recipe.Challenge, recipe.Input{})
	for action, want := range map[string]int{
		"mailbox.deactivated": 1, "cert.revoked": 1, "mailbox.edited": 1, "mailbox.unlinked": 1, "mailbox.activated": 1, "mailbox.challenged": 2, "recipe.finished": 1,
	} {
		if got := r.campus.Scalar(`select count(*) from audit_line where action = $1`, action); got != want {
			t.Errorf("got %d lines of %s, want %d", got, action, want)
		}
	}
}

func TestARowHasOneOpenRecipe(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.add("Adler, Ada", "ada@uni.example", "")
	got := trial.Race(10, said, func(int) error {
		_, err := r.Start(t.Context(), r.nora, uni, row, recipe.Left)
		return err
	})
	if got[""] != 1 || got["schema.recipe_one_open"] != 9 {
		t.Errorf("got %v, want one that began and nine conflicts", got)
	}
	st, open, err := r.OpenOf(t.Context(), r.nils, r.row(row))
	if err != nil || !open || st.StartedByName != "Nora" {
		t.Errorf("got %v, %v, %v: want the open one that Nora began", st.StartedByName, open, err)
	}
	trial.Must(0, r.Cancel(t.Context(), r.nils, st.ID))
	wants(t, r.Cancel(t.Context(), r.nils, st.ID), "recipe.ended")
	wants(t, r.do(r.nora, st.ID, recipe.Deactivate), "recipe.ended")
	next := r.start(row, recipe.RenameSame)
	trial.Must(0, r.Mailbox.Edit(t.Context(), r.nora, uni, row, r.row(row).Version, mailbox.Input{Kind: mailbox.Personal, Name: "Bussard"}))
	r.start(row, recipe.Left) // all of the one before was done by hand
	r.wantStands(next, "+deactivate +revoke +name +activate +challenge finished")
}

func TestARecipeIsThereForContactsOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.add("Adler, Ada", "ada@uni.example", "")
	id := r.start(row, recipe.Left)
	for _, by := range []person.Actor{r.sven, r.ada} {
		_, err := r.One(t.Context(), by, id)
		wants(t, err, "fault.missing")
		wants(t, r.Do(t.Context(), by, id, recipe.Deactivate, recipe.Input{}), "fault.missing")
		wants(t, r.Cancel(t.Context(), by, id), "fault.missing")
		_, err = r.Start(t.Context(), by, uni, row, recipe.Left)
		wants(t, err, "fault.missing")
	}
	if _, err := r.One(t.Context(), r.rita, id); err != nil {
		t.Errorf("an officer cannot look: %v", err)
	}
	wants(t, r.Do(t.Context(), r.rita, id, recipe.Deactivate, recipe.Input{}), "mailbox.contacts_only")
	wants(t, r.Skip(t.Context(), r.rita, id, recipe.Deactivate), "mailbox.contacts_only")
	wants(t, r.Cancel(t.Context(), r.rita, id), "mailbox.contacts_only")
	wants(t, r.do(r.nils, id, recipe.Deactivate), "")
}

func TestARecipeFitsItsKindOfRow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	personal, functional := r.add("Ada", "ada@uni.example", ""), r.add("Amt", "amt@uni.example", "ada@uni.example")
	for _, k := range append(slices.Clone(recipe.Kinds[:]), "fly") {
		wantPersonal, wantFunctional := error(nil), "recipe.kind.personal"
		switch k {
		case recipe.Applicant:
			wants(t, recipe.MayStart(k, contactOf(r.row(personal))), "recipe.kind.functional")
			wantFunctional = ""
		case "fly":
			wants(t, recipe.MayStart(k, contactOf(r.row(personal))), "fault.missing")
			wantFunctional = "fault.missing"
		default:
			if got := recipe.MayStart(k, contactOf(r.row(personal))); got != wantPersonal {
				t.Errorf("%s on a personal row: got %v, want yes", k, got)
			}
		}
		wants(t, recipe.MayStart(k, contactOf(r.row(functional))), wantFunctional)
	}
}

// contactOf is the row as its contact sees it.
func contactOf(r mailbox.Row) mailbox.Row { r.Contact = true; return r }

func TestEachStepNamesTheRecipeInTheRecord(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.add("Sekretariat", "sekretariat@uni.example", "ada@anderswo.example")
	r.link(row, r.ada)
	r.issue(row, r.ada)
	id := r.start(row, recipe.Applicant)
	r.mustDo(id, recipe.Deactivate)
	r.mustDo(id, recipe.NewApplicant, applicant("bob@anderswo.example"))
	trial.Must(0, r.Skip(t.Context(), r.nora, id, recipe.Revoke))
	r.mustDo(id, recipe.Activate)
	r.mustDo(id, recipe.Challenge)
	var got []string
	for _, l := range trial.Must(audit.About(t.Context(), r.db, id.Thing(), 0, 50)) {
		got = append(got, l.Action)
	}
	slices.Reverse(got)
	want := []string{
		"recipe.started", "mailbox.deactivated", "mailbox.edited", "mailbox.unlinked", "recipe.left_out", "mailbox.activated",
		"mailbox.challenged", "recipe.finished",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
