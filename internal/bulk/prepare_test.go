package bulk_test

import (
	"testing"
	"time"

	"petschaft/internal/bulk"
	"petschaft/internal/campus"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

func TestADraftSaysWhatWillHappenToEachRowAndChangesNone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	fresh := r.add("frisch", "alias@"+uni)
	challenged := r.add("gefragt")
	trial.Must(r.Mailbox.Challenge(t.Context(), r.contact, uni, challenged))
	inactive := r.add("weg")
	r.ok(r.Mailbox.Deactivate(t.Context(), r.contact, uni, inactive))
	office := r.addRow(mailbox.Input{Kind: mailbox.Functional, Name: "Amt", Primary: "amt@" + uni})
	why := map[bulk.Verb]map[mailbox.ID]string{
		bulk.Challenge:  {fresh: "", challenged: "", inactive: "mailbox.challenge.inactive", office: "mailbox.challenge.no_applicant"},
		bulk.Deactivate: {fresh: "", challenged: "", inactive: "mailbox.inactive_already", office: ""},
		bulk.Activate: {
			fresh: "mailbox.active_already", challenged: "mailbox.active_already", inactive: "", office: "mailbox.active_already",
		},
		bulk.Delete:  {fresh: "", challenged: "mailbox.delete.challenged", inactive: "", office: ""},
		bulk.Comment: {fresh: "", challenged: "", inactive: "", office: ""},
	}
	mails := map[bulk.Verb]int{bulk.Challenge: 3}
	for _, v := range bulk.Verbs {
		id := r.prepared(v)
		due := 0
		for _, i := range r.items(id, "") {
			want, outcome := why[v][i.Row], bulk.LeftOut
			if want == "" {
				outcome = bulk.Due
				due++
			}
			if i.Reason != want || i.Outcome != outcome {
				t.Errorf("%s %s: got %s because of %q, want %s because of %q", v, i.Name, i.Outcome, i.Reason, outcome, want)
			}
		}
		x := r.one(id)
		if x.State != bulk.Draft || x.Total != 4 || x.Due != due || x.LeftOut != 4-due || x.Mails != mails[v] {
			t.Errorf("%s: got %+v, want a draft of 4 rows, %d of them due, %d mails", v, x, due, mails[v])
		}
		n := 0
		groups, err := r.Reasons(t.Context(), x)
		r.ok(err)
		for _, g := range groups {
			n += g.N
		}
		if n != x.LeftOut {
			t.Errorf("%s: got reasons for %d rows, want for all %d that are left out", v, n, x.LeftOut)
		}
	}
	if n := r.campus.Scalar(`select count(*) from challenge_round`) + r.campus.Scalar(`select count(*) from address_row where not active`); n != 2 {
		t.Errorf("got %d rounds and inactive rows, want the 2 from before: a draft changes nothing", n)
	}
}

func TestOnlyContactsPrepareStartAndCancel(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx, row := t.Context(), r.add("ada")
	colleague := person.Actor{Account: r.stranger.Account, Name: r.stranger.Name}
	chosen := mailbox.View{IDs: []mailbox.ID{row}}
	_, err := r.Prepare(ctx, r.stranger, uni, bulk.Deactivate, chosen)
	campus.Wants(t, err, "fault.missing")
	_, err = r.Prepare(ctx, r.officer, uni, bulk.Deactivate, chosen)
	campus.Wants(t, err, "mailbox.contacts_only")
	id := r.prepared(bulk.Deactivate, row)
	for _, f := range []func(by person.Actor) error{
		func(by person.Actor) error { return r.Start(ctx, by, uni, id, "") },
		func(by person.Actor) error { return r.Cancel(ctx, by, uni, id) },
	} {
		campus.Wants(t, f(r.stranger), "fault.missing")
		campus.Wants(t, f(r.officer), "mailbox.contacts_only")
	}
	_, err = r.One(ctx, r.stranger, uni, id)
	campus.Wants(t, err, "fault.missing")
	_, err = r.One(ctx, r.contact, "institut.example", id)
	campus.Wants(t, err, "fault.missing")
	if x, err := r.One(ctx, r.officer, uni, id); err != nil || bulk.MayStart(r.officer, x) == nil || bulk.MayCancel(x) == nil {
		t.Errorf("an officer got %v; want them to read, without a button", err)
	}
	r.ok(r.Org.AddMember(ctx, r.officer, r.group, colleague.Account))
	campus.Wants(t, r.Start(ctx, colleague, uni, id, ""), "bulk.start.other")
	r.ok(r.Start(ctx, r.contact, uni, id, ""))
	r.ok(r.Cancel(ctx, colleague, uni, id))
	if x := r.one(id); x.State != bulk.Cancelled || x.EndedBy == nil || *x.EndedBy != colleague.Name {
		t.Errorf("got %s by %v, want it cancelled by the colleague", x.State, x.EndedBy)
	}
}

func TestAForeignRowIsNotAmongTheChosen(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	mine := r.add("ada")
	theirs := trial.Must(r.Mailbox.Add(t.Context(), r.stranger, "institut.example", mailbox.Input{Kind: mailbox.Personal, Name: "Fremd", Primary: "fremd@institut.example"})).ID
	id := r.prepared(bulk.Deactivate, mine, theirs)
	if items := r.items(id, ""); len(items) != 1 || items[0].Row != mine {
		t.Errorf("got %v, want the own row alone", items)
	}
	_, err := r.Prepare(t.Context(), r.contact, uni, bulk.Deactivate, mailbox.View{IDs: []mailbox.ID{theirs}})
	campus.Wants(t, err, "bulk.no_rows")
	_, err = r.Prepare(t.Context(), r.contact, uni, "explode", mailbox.View{IDs: []mailbox.ID{mine}})
	campus.Wants(t, err, "bulk.verb")
}

func TestMoreRowsThanAllowedAreRefusedInWords(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.many(3)
	r.Most = 2
	_, err := r.Prepare(t.Context(), r.contact, uni, bulk.Deactivate, mailbox.View{})
	campus.Wants(t, err, "bulk.too_many")
	if !fault.Is(err, fault.TooLarge) {
		t.Errorf("got %v, want it too large", err)
	}
	if n := r.campus.Scalar(`select count(*) from bulk`); n != 0 {
		t.Errorf("got %d drafts, want none", n)
	}
	r.Most = 3
	r.prepared(bulk.Deactivate)
	if bulk.Most != 200_000 {
		t.Errorf("got a limit of %d, want 200,000", bulk.Most)
	}
}

func TestAllMatchesAreThoseOfTheFilter(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.many(5)
	anna := r.add("anna")
	gone := r.add("annabel")
	r.ok(r.Mailbox.Deactivate(t.Context(), r.contact, uni, gone))
	id := trial.Must(r.Prepare(t.Context(), r.contact, uni, bulk.Comment, mailbox.View{Status: mailbox.None, Text: "anna"}))
	if items := r.items(id, ""); len(items) != 1 || items[0].Row != anna {
		t.Errorf("got %v, want the one active row that matches", items)
	}
}

func TestADraftThatNobodyStartsIsForgotten(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.add("ada")
	draft, over := r.prepared(bulk.Comment, row), r.started(bulk.Comment, row)
	r.finish(over)
	r.clock.Advance(bulk.Forgotten + 1e9)
	r.ok(r.Forget(t.Context()))
	_, err := r.One(t.Context(), r.contact, uni, draft)
	campus.Wants(t, err, "fault.missing")
	if items := r.items(over, ""); len(items) != 1 {
		t.Errorf("got %d rows of what was done yesterday, want 1", len(items))
	}
	r.clock.Advance(bulk.Kept)
	r.ok(r.Forget(t.Context()))
	if x := r.one(over); x.Done != 1 || len(r.items(over, "")) != 0 {
		t.Errorf("after 90 days: got %d done and %d rows, want the counts alone", x.Done, len(r.items(over, "")))
	}
}

func TestACommentIsJudgedBeforeItStarts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.add("ada")
	id := r.prepared(bulk.Comment, row)
	long := make([]byte, 1025)
	for i := range long {
		long[i] = 'x'
	}
	campus.Wants(t, r.Start(t.Context(), r.contact, uni, id, string(long)), "field.too_long")
	if x := r.one(id); x.State != bulk.Draft {
		t.Errorf("got %s, want the draft still there", x.State)
	}
	r.ok(r.Start(t.Context(), r.contact, uni, id, "  31.12.2027 "))
	r.finish(id)
	if got := r.row(row).Comment; got != "31.12.2027" {
		t.Errorf("got comment %q, want 31.12.2027", got)
	}
}

func TestExpiredRowsAreAskedAgainOnlyAmongThemselves(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	k := r.campus.Keeper(r.contact, uni)
	first, second := r.add("spaet"), r.add("nie", "nie2@"+uni)
	k.ChallengeRow(t, first)
	k.ChallengeRow(t, second)
	r.clock.Advance(15 * 24 * time.Hour)
	r.ok(r.Mailbox.Tick(t.Context()))
	fresh := r.add("frisch")
	mixed := r.prepared(bulk.Challenge)
	left := map[mailbox.ID]string{fresh: "", first: "mailbox.challenge.expired", second: "mailbox.challenge.expired"}
	for _, i := range r.items(mixed, "") {
		if i.Reason != left[i.Row] {
			t.Errorf("among others, %s: got %s because of %q, want %q", i.Name, i.Outcome, i.Reason, left[i.Row])
		}
	}
	if x := r.one(mixed); x.Due != 1 || x.LeftOut != 2 || x.Mails != 1 {
		t.Errorf("among others: got %+v, want one row and one mail", x)
	}
	for _, v := range []mailbox.View{{Status: mailbox.RowExpired}, {IDs: []mailbox.ID{first, second}}} {
		if x := r.one(trial.Must(r.Prepare(t.Context(), r.contact, uni, bulk.Challenge, v))); x.Due != 2 || x.Mails != 3 {
			t.Errorf("%+v: got %+v, want both rows and their three mails", v, x)
		}
	}
	if x := r.one(r.prepared(bulk.Deactivate)); x.Due != 3 {
		t.Errorf("another verb: got %+v, want all rows", x)
	}
	if x := r.finish(r.started(bulk.Challenge, first, second)); x.Done != 2 {
		t.Errorf("got %+v, want both asked again", x)
	}
}

// Somebody prepares one step after the other and starts none: five drafts stay.
func TestAnotherDraftTakesThePlaceOfTheOldest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.add("ada")
	running := r.started(bulk.Deactivate)
	var ids []bulk.ID
	for range 20 {
		ids = append(ids, r.prepared(bulk.Comment))
	}
	got := trial.Race(50, campus.Said, func(int) error {
		_, err := r.Prepare(t.Context(), r.contact, uni, bulk.Comment, mailbox.View{})
		return err
	})
	trial.Expect(t, got, map[string]int{"": 50})
	if n := r.campus.Scalar(`select count(*) from bulk where state = 'draft'`); n != bulk.MostDrafts {
		t.Errorf("got %d drafts, want %d", n, bulk.MostDrafts)
	}
	if n := r.campus.Scalar(`select count(distinct bulk) from bulk_item`); n != bulk.MostDrafts+1 {
		t.Errorf("got rows of %d bulks, want those of the drafts and of what runs", n)
	}
	if x := r.one(running); x.State != bulk.Running {
		t.Errorf("what runs is %s", x.State)
	}
	campus.Wants(t, r.Start(t.Context(), r.contact, uni, ids[0], "x"), "fault.missing")
}
