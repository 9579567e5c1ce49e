package imports_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"petschaft/internal/audit"
	"petschaft/internal/campus"
	"petschaft/internal/fault"
	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

func TestApplyingDoesWhatEditingByHandDoes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.LinkRow(t, r.ada, "ada", "one@uni.example")
	pending := r.ChallengeRow(t, id)
	fun := r.AddFunctional(t, "office", "ada@uni.example")
	for _, d := range r.ChallengeRow(t, fun) {
		_, err := r.Confirm(t.Context(), r.ada, d)
		r.ok(t, err)
	}
	r.SwitchOff(t, fun)
	im := r.planned(t, heads+
		"Ada A.;ada@uni.example;two@uni.example;;personal;;x\n"+
		"office;office@uni.example;;;functional;boss@uni.example;\n"+
		"neu;neu@uni.example;one@uni.example;;personal;;\n")
	r.wantClasses(t, im, "2 changed aliases:import.hint_pending aliases:import.hint_suspended", "3 changed applicant:import.hint_unlinked", "4 new")
	before := r.campus.Scalar(`select count(*) from river_job where kind like '%deliver%'`)
	im = r.apply(t, r.contact, im)
	ada := r.ReadRow(t, id)
	if ada.Name != "Ada A." || fmt.Sprint(ada.Aliases) != "[two@uni.example]" || ada.Comment != "x" || ada.Version != 2 || !*ada.Suspended || ada.Status != mailbox.None {
		t.Errorf("got %+v, want the file's values, the link suspended and the status none", ada)
	}
	for _, d := range pending {
		_, err := r.Confirm(t.Context(), r.ada, d)
		campus.Wants(t, err, "mailbox.link.invalidated")
	}
	if office := r.ReadRow(t, fun); office.Applicant != "boss@uni.example" || office.Linked != nil {
		t.Errorf("got applicant %s and link %v, want another applicant and no link", office.Applicant, office.Linked)
	}
	if n := r.campus.Scalar(`select count(*) from river_job where kind like '%deliver%'`); n != before {
		t.Errorf("got %d mails queued by the import, want none", n-before)
	}
	r.CountsAreTrue(t)
	for thing, want := range map[audit.Thing]string{
		id.Thing():    "mailbox.edited map[aliases:[one@uni.example two@uni.example] comment:[ x] import:%d name:[ada Ada A.]]",
		fun.Thing():   "mailbox.unlinked map[import:%d]",
		im.ID.Thing(): "mailbox.imported map[changed:2 file:Liste.csv import:%d new:1]",
	} {
		lines, err := audit.About(t.Context(), r.db, thing, 0, 2)
		r.ok(t, err)
		want = fmt.Sprintf(want, im.ID)
		if got := []string{fmt.Sprint(lines[0].Action, " ", lines[0].Detail), fmt.Sprint(lines[1].Action, " ", lines[1].Detail)}; got[0] != want && got[1] != want || *lines[0].Account != int64(r.contact.Account) {
			t.Errorf("about %v: got %q, want %q by Nora Netz", thing, got, want)
		}
	}
	sealed, err := (&audit.Book{DB: r.db, Sealer: trial.Must(r.db.Sealer(t.Context(), make([]byte, 32))), Now: trial.Today}).Seal(t.Context())
	r.ok(t, err)
	if got, err := audit.Verify(t.Context(), r.db, audit.Expected{}); err != nil || got.Lines != int64(sealed) {
		t.Errorf("verified %d of %d lines: %v", got.Lines, sealed, err)
	}
}

func TestARowThatChangedMeanwhileIsNeverOverwritten(t *testing.T) {
	t.Parallel()
	file := heads + "Ada A.;ada@uni.example;;;personal;;\nneu;neu@uni.example;frei@uni.example;;personal;;\nBob B.;bob@uni.example;;;personal;;\n"
	for name, c := range map[string]struct {
		do   func(t *testing.T, r *rig, ada mailbox.ID)
		want string
	}{
		"edited": {func(t *testing.T, r *rig, ada mailbox.ID) {
			r.EditRow(t, ada, func(in *mailbox.Input) { in.Comment = "by hand" })
		}, "2 faulty :import.meanwhile,3 new,4 changed"},
		"deactivated": {func(t *testing.T, r *rig, ada mailbox.ID) { r.SwitchOff(t, ada) }, "2 faulty :import.meanwhile,3 new,4 changed"},
		"deleted": {func(t *testing.T, r *rig, ada mailbox.ID) {
			r.ok(t, r.Delete(t.Context(), r.contact, r.uni, ada))
		}, "2 faulty :import.meanwhile,3 new,4 changed"},
		"challenged": {func(t *testing.T, r *rig, ada mailbox.ID) { r.ChallengeRow(t, ada) }, "2 faulty :import.meanwhile,3 new,4 changed"},
		"the alias taken": {func(t *testing.T, r *rig, _ mailbox.ID) {
			r.AddRow(t, "quick", "FREI@uni.example")
		}, "2 changed,3 faulty alias1:address.taken,4 changed"},
		"the new primary taken as an alias": {func(t *testing.T, r *rig, _ mailbox.ID) {
			r.AddRow(t, "quick", "neu@uni.example")
		}, "2 changed,3 faulty primary:address.taken,4 changed"},
		"the new row added by hand": {func(t *testing.T, r *rig, _ mailbox.ID) { r.AddRow(t, "neu") }, "2 changed,3 faulty :import.meanwhile,4 changed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			ada := r.AddRow(t, "ada")
			r.AddRow(t, "bob")
			im := r.planned(t, file)
			c.do(t, r, ada)
			before := r.campus.Scalar(`select count(*) from audit_line`)
			im = r.apply(t, r.contact, im)
			if im.State != imports.Planned || im.Trouble != "mailbox.import.trouble_meanwhile" {
				t.Fatalf("got state %s and trouble %q, want a new plan that says why", im.State, im.Trouble)
			}
			if n := r.campus.Scalar(`select count(*) from address_row where name in ('Ada A.', 'Bob B.', 'neu') and name <> $1 or name = 'neu' and changed < created`, "neu"); n != 0 {
				t.Errorf("got %d rows of the file written, want none", n)
			}
			if n := r.campus.Scalar(`select count(*) from audit_line`); n != before {
				t.Errorf("got %d audit lines of an import that wrote nothing", n-before)
			}
			r.wantClasses(t, im, strings.Split(c.want, ",")...)
			im = r.apply(t, r.contact, im) // what is left is applied
			if im.State != imports.Applied || r.campus.Scalar(`select count(*) from address_row where name = 'Bob B.'`) != 1 {
				t.Errorf("the rest: got state %s, want it applied", im.State)
			}
			r.CountsAreTrue(t)
		})
	}
}

func TestAPlanMadeAnewTakesTheFreshStateAsItsBase(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada")
	im := r.planned(t, heads+"Ada A.;ada@uni.example;;;personal;;\n")
	r.EditRow(t, id, func(in *mailbox.Input) { in.Comment = "by hand" })
	im = r.apply(t, r.contact, im)
	campus.Wants(t, second(r.Imports.Apply(t.Context(), r.contact, r.uni, im.ID, im.Changed)), "mailbox.import.nothing")
	im = r.plan(t, r.contact, im)
	if im.Trouble != "" || im.Changed != 1 {
		t.Fatalf("got trouble %q and %d changed, want a plan as new", im.Trouble, im.Changed)
	}
	if im = r.apply(t, r.contact, im); im.State != imports.Applied || r.ReadRow(t, id).Name != "Ada A." {
		t.Errorf("got state %s and name %q", im.State, r.ReadRow(t, id).Name)
	}
}

func TestADomainThatMovedToAnotherGroupMakesThePlanStale(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	im := r.planned(t, heads+"neu;neu@uni.example;x@labor.example;;personal;;\n")
	r.ok(t, r.Org.EditDomain(t.Context(), r.officer, r.labsID, org.DomainInput{Group: r.other, Validation: org.ByMailbox}))
	r.wantClasses(t, r.apply(t, r.contact, im), "2 faulty alias1:alias.domain")
}

func TestAppliedByManyAtOnceItIsAppliedOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	im := r.planned(t, heads+"neu;neu@uni.example;;;personal;;\n")
	trial.Expect(t, trial.Race(50, campus.Said, func(int) error { return second(r.Imports.Apply(t.Context(), r.contact, r.uni, im.ID, 0)) }), map[string]int{"": 50})
	if n := r.campus.Scalar(`select count(*) from river_job where kind = 'mailbox_import' and args->>'import' = $1`, fmt.Sprint(im.ID)); n != 2 {
		t.Errorf("got %d jobs, want one for the plan and one to apply it", n)
	}
	trial.Expect(t, trial.Race(20, campus.Said, func(int) error { return r.Imports.Work(t.Context(), im.ID) }), map[string]int{"": 20})
	if n := r.campus.Scalar(`select count(*) from address_row`); n != 1 || r.imp(t, r.contact, r.uni, im.ID).State != imports.Applied {
		t.Errorf("got %d rows, want one", n)
	}
	if n := r.campus.Scalar(`select count(*) from audit_line where action = 'mailbox.imported'`); n != 1 {
		t.Errorf("got %d audit lines of the import, want one", n)
	}
	trial.Expect(t, trial.Race(20, campus.Said, func(int) error { return r.Imports.Undo(t.Context(), r.contact, r.uni, im.ID) }), map[string]int{"": 20})
	trial.Expect(t, trial.Race(20, campus.Said, func(int) error { return r.Imports.Work(t.Context(), im.ID) }), map[string]int{"": 20})
	if n := r.campus.Scalar(`select count(*) from address_row`); n != 0 || r.imp(t, r.contact, r.uni, im.ID).State != imports.Undone {
		t.Errorf("after undoing: got %d rows, want none", n)
	}
}

func TestApplyingWhileOthersEditNeverMixes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range 8 {
		r.AddRow(t, fmt.Sprint("r", i))
	}
	var file strings.Builder
	file.WriteString(heads)
	for i := range 8 {
		fmt.Fprintf(&file, "Import;r%d@uni.example;a%d@uni.example;;personal;;\n", i, i)
	}
	im := r.planned(t, file.String())
	trial.Must(r.Imports.Apply(t.Context(), r.contact, r.uni, im.ID, im.Changed))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			_, err := r.Add(t.Context(), r.contact, r.uni, mailbox.Input{
				Kind: mailbox.Personal, Name: "Hand", Primary: fmt.Sprintf("h%d@uni.example", i), Aliases: []string{fmt.Sprintf("a%d@uni.example", i)},
			})
			if err != nil && fault.Of(err).Kind != fault.Invalid && fault.Of(err).Kind != fault.Conflict {
				t.Error(err)
			}
		})
	}
	all.Go(func() {
		if err := r.Imports.Work(t.Context(), im.ID); err != nil {
			t.Error(err)
		}
	})
	all.Wait()
	im = r.imp(t, r.contact, r.uni, im.ID)
	written := r.campus.Scalar(`select count(*) from address_row where name = 'Import'`)
	if im.State == imports.Applied && written != 8 || im.State == imports.Planned && written != 0 || im.State.Working() {
		t.Errorf("got state %s and %d rows written, want all or nothing", im.State, written)
	}
	r.CountsAreTrue(t)
}

func TestAPlanThatChangesManyRowsAsksForTheirNumber(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range 10 {
		r.AddRow(t, fmt.Sprint("r", i))
	}
	two := r.planned(t, heads+"x;r0@uni.example;;;personal;;\nx;r1@uni.example;;;personal;;\nneu;neu@uni.example;;;personal;;\n")
	three := r.planned(t, heads+"x;r0@uni.example;;;personal;;\nx;r1@uni.example;;;personal;;\nx;r2@uni.example;;;personal;;\n")
	if imports.NeedsNumber(two) || !imports.NeedsNumber(three) {
		t.Errorf("got %v for 2 and %v for 3 of 10, want only the latter to ask", imports.NeedsNumber(two), imports.NeedsNumber(three))
	}
	for _, n := range []int{0, 2, 4, -3} {
		campus.Wants(t, second(r.Imports.Apply(t.Context(), r.contact, r.uni, three.ID, n)), "mailbox.import.number")
	}
	if r.apply(t, r.contact, three).State != imports.Applied {
		t.Error("with the right number it was not applied")
	}
}

func TestRowsThatTheFileLacksAreCountedAndStay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.AddRow(t, "ada")
	r.AddRow(t, "bob")
	eve := r.AddRow(t, "eve")
	fay := r.AddRow(t, "fay")
	r.SwitchOff(t, r.AddRow(t, "gil"))
	im := r.planned(t, heads+"ada;ada@uni.example;;;personal;;\nbob;BOB@uni.example;;;resource;;\n;fay@uni.example;;;personal;;\n;fay@uni.example;;;personal;;\nneu;neu@uni.example;;;personal;;\n")
	if im.Missing != 1 || im.Existing != 5 {
		t.Errorf("got %d missing of %d, want 1 of 5: in the file are also skipped and faulty lines", im.Missing, im.Existing)
	}
	_ = fay
	for range 2 {
		rows := trial.Must(r.Imports.MissingRows(t.Context(), im, 0, 10))
		if len(rows) != 1 || rows[0].ID != eve || !rows[0].Contact {
			t.Errorf("got %+v, want only eve", rows)
		}
		im = r.apply(t, r.contact, im)
	}
	if rows := trial.Must(r.Imports.MissingRows(t.Context(), im, eve, 10)); len(rows) != 0 {
		t.Errorf("behind eve: got %+v", rows)
	}
}

func TestWhoMayImport(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	im := r.planned(t, heads+"neu;neu@uni.example;;;personal;;\n")
	ctx, rd := t.Context(), imports.Reading{Format: im.Format(), Columns: im.Columns}
	does := func(by person.Actor, domain string) map[string]error {
		_, upload := r.Imports.Upload(ctx, by, domain, "x.csv", strings.NewReader(heads))
		return map[string]error{
			"upload": upload, "plan": r.Imports.Plan(ctx, by, domain, im.ID, rd), "apply": second(r.Imports.Apply(ctx, by, domain, im.ID, 0)),
			"undo": r.Imports.Undo(ctx, by, domain, im.ID), "discard": r.Imports.Discard(ctx, by, domain, im.ID),
		}
	}
	reads := func(by person.Actor, domain string) string {
		_, err := r.Imports.One(ctx, by, domain, im.ID)
		return campus.Said(err)
	}
	for what, err := range does(r.officer, r.uni) {
		if campus.Said(err) != "mailbox.contacts_only" {
			t.Errorf("an officer who is no contact, %s: got %v, want mailbox.contacts_only", what, err)
		}
	}
	for what, err := range does(r.stranger, r.uni) {
		if campus.Said(err) != "fault.missing" {
			t.Errorf("somebody else's domain, %s: got %v, want fault.missing", what, err)
		}
	}
	for what, err := range does(r.contact, r.labs) {
		if campus.Said(err) != "fault.missing" && what != "upload" {
			t.Errorf("under another domain, %s: got %v, want fault.missing", what, err)
		}
	}
	if a, b, c := reads(r.officer, r.uni), reads(r.stranger, r.uni), reads(r.contact, r.labs); a != "" || b != "fault.missing" || c != "fault.missing" {
		t.Errorf("reading: officer %q, stranger %q, other domain %q; want only the officer to read", a, b, c)
	}
	if all := trial.Must(r.Imports.OfDomain(ctx, r.officer, r.uni, 0, 10)); len(all) != 1 || all[0].AccountName != "Nora Netz" {
		t.Errorf("got %+v, want the one import by Nora Netz", all)
	}
	if _, err := r.Imports.OfDomain(ctx, r.stranger, r.uni, 0, 10); campus.Said(err) != "fault.missing" {
		t.Errorf("a stranger's list: got %v, want fault.missing", err)
	}
	// Between the order and the work the right is lost.
	trial.Must(r.Imports.Apply(ctx, r.contact, r.uni, im.ID, 0))
	r.ok(t, r.Org.RemoveMember(ctx, r.officer, r.group, r.contact.Account))
	r.ok(t, r.Imports.Work(ctx, im.ID))
	im = r.imp(t, r.officer, r.uni, im.ID)
	if n := r.campus.Scalar(`select count(*) from address_row`); n != 0 || im.State != imports.Planned || im.Trouble != "mailbox.import.trouble_rights" {
		t.Errorf("got %d rows, state %s, trouble %q; want nothing done", n, im.State, im.Trouble)
	}
}

func TestImportsNobodyDecidesAboutAreForgotten(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	planned := r.planned(t, heads+"neu;neu@uni.example;;;personal;;\n")
	applied := r.apply(t, r.contact, r.planned(t, heads+"alt;alt@uni.example;;;personal;;\n"))
	thrown := r.planned(t, heads+"x;x@uni.example;;;personal;;\n")
	r.ok(t, r.Imports.Discard(ctx, r.contact, r.uni, thrown.ID))
	r.ok(t, r.Imports.Discard(ctx, r.contact, r.uni, thrown.ID))
	campus.Wants(t, second(r.Imports.Apply(ctx, r.contact, r.uni, thrown.ID, 0)), "mailbox.import.over")
	campus.Wants(t, r.Imports.Discard(ctx, r.contact, r.uni, applied.ID), "mailbox.import.over")
	left := func(im imports.Import) int {
		return r.campus.Scalar(`select (select count(*) from import_line where import = $1) + (select count(*) from import_chunk where import = $1)`, im.ID)
	}
	if left(thrown) != 0 || left(planned) != 2 || left(applied) != 1 {
		t.Errorf("got %d lines and pieces thrown away, %d planned, %d applied; want 0, 2, 1", left(thrown), left(planned), left(applied))
	}
	r.clock.Advance(7*24*time.Hour - time.Second)
	r.ok(t, r.Imports.Tick(ctx))
	if left(planned) != 2 {
		t.Error("a plan was forgotten before a week was over")
	}
	r.clock.Advance(time.Second)
	r.ok(t, r.Imports.Tick(ctx))
	if im := r.imp(t, r.contact, r.uni, planned.ID); left(planned) != 0 || left(applied) != 1 || im.State != imports.Discarded || im.New != 1 {
		t.Errorf("after a week: got %+v, want it discarded, with its counts", im)
	}
	if n := r.campus.Scalar(`select count(*) from audit_line where action = 'mailbox.import_discarded'`); n != 2 {
		t.Errorf("got %d audit lines, want one by hand and one by the portal", n)
	}
}

func TestWorkThatFailsAgainAndAgainIsGivenUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	im := r.planned(t, heads+"neu;neu@uni.example;;;personal;;\n")
	trial.Must(r.Imports.Apply(t.Context(), r.contact, r.uni, im.ID, 0))
	_, err := r.db.Exec(t.Context(), `create function no() returns trigger language plpgsql as 'begin raise exception ''no''; end';
		create trigger no before insert on address_row for each row execute function no()`)
	r.ok(t, err)
	failed := 0
	for range 6 {
		if err := r.Imports.Work(t.Context(), im.ID); err != nil {
			failed++
		}
	}
	if im = r.imp(t, r.contact, r.uni, im.ID); failed != 5 || im.State != imports.Planned || im.Trouble != "mailbox.import.trouble_failed" {
		t.Errorf("got %d failures, state %s, trouble %q; want five, and the plan as it was", failed, im.State, im.Trouble)
	}
	_, err = r.db.Exec(t.Context(), `drop trigger no on address_row`)
	r.ok(t, err)
	if im = r.apply(t, r.contact, im); im.State != imports.Applied || im.Trouble != "" {
		t.Errorf("later: got %s with trouble %q, want it applied", im.State, im.Trouble)
	}
}
