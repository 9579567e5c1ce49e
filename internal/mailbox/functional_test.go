package mailbox_test

import (
	"slices"
	"testing"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/trial"
)

func applicant(a string) func(*mailbox.Input) { return func(in *mailbox.Input) { in.Applicant = a } }

func TestAFunctionalRowGetsOneChallengeThatCoversAll(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddFunctional(t, "office", "Ada@elsewhere.example", "desk@uni.example", "hello@labor.example")
	digests := r.ChallengeRow(t, id)
	if len(digests) != 1 || digests["Ada@elsewhere.example"] == nil {
		t.Fatalf("got challenges to %v, want one to the applicant, as typed", digests)
	}
	a := trial.Must(r.Look(t.Context(), digests["Ada@elsewhere.example"]))
	if want := r.Now().Add(14 * 24 * time.Hour); !a.Expires.Equal(want) {
		t.Errorf("got a life until %v, want %v: the row's domain decides", a.Expires, want)
	}
	_, err := r.Confirm(t.Context(), r.ada, digests["Ada@elsewhere.example"])
	r.ok(t, err)
	row := r.ReadRow(t, id)
	if want := []string{"desk@uni.example", "hello@labor.example", "office@uni.example"}; !slices.Equal(sorted(row.Covered), want) || row.Status != mailbox.Confirmed {
		t.Errorf("got a link covering %v and status %q, want %v and confirmed", row.Covered, row.Status, want)
	}
	if l := trial.Must(r.LinkedTo(t.Context(), r.ada)); len(l) != 1 || l[0].Kind != mailbox.Functional {
		t.Errorf("got %+v linked to the applicant, want the functional row (R60)", l)
	}
}

func TestAFunctionalRowNeedsAnApplicantToBeChallenged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddFunctional(t, "office", "")
	campus.Wants(t, second(r.Challenge(t.Context(), r.contact, r.uni, id)), "mailbox.challenge.no_applicant")
	campus.Wants(t, r.TryEdit(t, id, applicant("OFFICE@uni.example")), "mailbox.applicant.self")
	campus.Wants(t, r.TryEdit(t, id, applicant("nobody")), "org.address.form")
	campus.Wants(t, r.TryEdit(t, r.AddRow(t, "ada"), applicant("ada@elsewhere.example")), "mailbox.applicant.personal")
}

func TestAMailboxValidatedDomainHasNoFunctionalRows(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	in := mailbox.Input{Kind: mailbox.Functional, Name: "office", Primary: "office@labor.example", Applicant: "ada@uni.example"}
	_, err := r.Add(t.Context(), r.contact, r.labs, in)
	campus.Wants(t, err, "mailbox.kind.mailbox_domain")
	id := r.AddFunctional(t, "office", "ada@elsewhere.example")
	uni := trial.Must(r.Org.Domain(t.Context(), r.officer, r.uni))
	r.ok(t, r.Org.EditDomain(t.Context(), r.officer, uni.ID, org.DomainInput{Group: r.group, Validation: org.ByMailbox}))
	campus.Wants(t, second(r.Challenge(t.Context(), r.contact, r.uni, id)), "mailbox.kind.mailbox_domain")
}

func TestTheApplicantIsFreeUntilTheFirstRoundThenOnlyWhileInactive(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddFunctional(t, "office", "ada@elsewhere.example")
	r.EditRow(t, id, applicant("eve@elsewhere.example"))
	r.ConfirmRow(t, r.ada, id)
	campus.Wants(t, r.TryEdit(t, id, applicant("bob@elsewhere.example")), "mailbox.applicant.active")
	campus.Wants(t, r.TryEdit(t, id, applicant("")), "mailbox.applicant.active")
	r.EditRow(t, id, applicant("EVE@elsewhere.example"))
	if r.ReadRow(t, id).Linked == nil {
		t.Error("a change of case: got no link, want it kept")
	}
	r.SwitchOff(t, id)
	r.EditRow(t, id, applicant("bob@elsewhere.example"))
	if got := r.ReadRow(t, id).Linked; got != nil {
		t.Errorf("a new applicant: got linked %d, want the link ended", *got)
	}
	r.ok(t, r.Activate(t.Context(), r.contact, r.uni, id))
	r.ConfirmRow(t, r.bob, id)
	if got := r.ReadRow(t, id).Linked; got == nil || *got != r.bob.Account {
		t.Errorf("got linked %v, want the new applicant (R74)", got)
	}
}

func TestAPersonalRowMadeOfAFunctionalOneLosesItsApplicant(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddFunctional(t, "office", "ada@elsewhere.example")
	r.EditRow(t, id, func(in *mailbox.Input) { in.Kind = mailbox.Personal })
	if got := r.ReadRow(t, id); got.Kind != mailbox.Personal || got.Applicant != "" {
		t.Errorf("got kind %q with applicant %q, want personal without one", got.Kind, got.Applicant)
	}
}

func TestTheBrakesLetGoWhenTheySay(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		brakes mailbox.Brakes
		want   string
		round  func(t *testing.T, r *rig, i int) mailbox.ID // the i-th row to challenge
	}{
		"a minute between rounds of a row": {
			mailbox.Brakes{RowGap: time.Minute, RowDay: 10, ActorHour: 500, AddressHour: 30},
			"mailbox.brake.gap",
			func(t *testing.T, r *rig, i int) mailbox.ID { return 1 },
		},
		"so many rounds of a row a day": {
			mailbox.Brakes{RowDay: 3, ActorHour: 500, AddressHour: 30},
			"mailbox.brake.row",
			func(t *testing.T, r *rig, i int) mailbox.ID { return 1 },
		},
		"so many mails of an actor an hour": {
			mailbox.Brakes{RowDay: 10, ActorHour: 7, AddressHour: 30},
			"mailbox.brake.actor",
			func(t *testing.T, r *rig, i int) mailbox.ID { return mailbox.ID(i%3 + 1) },
		},
		"so many mails to an address an hour": {
			mailbox.Brakes{RowDay: 10, ActorHour: 500, AddressHour: 3},
			"mailbox.brake.address",
			func(t *testing.T, r *rig, i int) mailbox.ID { return 1 },
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(b *mailbox.Book) { b.Brakes = c.brakes })
			for _, n := range []string{"ada", "bob", "eve"} {
				r.AddRow(t, n, n+".one@uni.example", n+".two@uni.example")
			}
			var err error
			var id mailbox.ID
			for i := 0; err == nil && i < 20; i++ {
				r.clock.Advance(time.Second)
				id = c.round(t, r, i)
				_, err = r.Challenge(t.Context(), r.contact, r.uni, id)
			}
			campus.Wants(t, err, c.want)
			f := fault.Of(err)
			if f.Kind != fault.TooMany || !f.RetryAt.After(r.Now()) {
				t.Fatalf("got %v until %v, want too many until some time to come", err, f.RetryAt)
			}
			r.clock.Advance(f.RetryAt.Sub(r.Now()) - time.Microsecond)
			campus.Wants(t, second(r.Challenge(t.Context(), r.contact, r.uni, id)), c.want)
			r.clock.Advance(time.Microsecond)
			if _, err := r.Challenge(t.Context(), r.contact, r.uni, id); err != nil {
				t.Errorf("at the time that was named: got %v, want it to let go", err)
			}
		})
	}
}

func TestOnlyOfficersSeeAndRetryFailures(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.FailedChallenges(t.Context(), r.contact, 10)
	campus.Wants(t, err, "fault.officers_only")
	campus.Wants(t, r.RetryChallenge(t.Context(), r.contact, 1), "fault.officers_only")
	campus.Wants(t, r.RetryChallenge(t.Context(), r.officer, 1), "fault.missing")
	_, _, err = r.Search(t.Context(), r.contact, "ada")
	campus.Wants(t, err, "fault.officers_only")
}

func TestAHandMarkedBounceCanBeRetried(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada")
	old := r.ChallengeRow(t, id)["ada@uni.example"]
	c := int64(r.campus.Scalar(`select id from challenge`))
	r.ok(t, r.MarkUndeliverable(t.Context(), r.contact, r.uni, id, c))
	campus.Wants(t, r.MarkUndeliverable(t.Context(), r.contact, r.uni, id, c), "mailbox.undeliverable.ended")
	campus.Wants(t, r.MarkUndeliverable(t.Context(), r.contact, r.uni, r.AddRow(t, "bob"), c), "fault.missing")
	_, err := r.Confirm(t.Context(), r.ada, old)
	campus.Wants(t, err, "mailbox.link.failed")
	failed := trial.Must(r.FailedChallenges(t.Context(), r.officer, 10))
	if len(failed) != 1 || failed[0].ID != c || !failed[0].CanRetry {
		t.Fatalf("got failures %+v, want this one, to be retried", failed)
	}
	r.ok(t, r.RetryChallenge(t.Context(), r.officer, c))
	campus.Wants(t, r.RetryChallenge(t.Context(), r.officer, c), "mailbox.retry.over")
	if got := r.ReadRow(t, id).Status; got != mailbox.Open {
		t.Errorf("after the retry: got status %q, want open", got)
	}
	fresh := r.arm(t, id)["ada@uni.example"]
	_, err = r.Confirm(t.Context(), r.ada, old)
	campus.Wants(t, err, "mailbox.link.replaced")
	_, err = r.Confirm(t.Context(), r.ada, fresh)
	r.ok(t, err)
}

func TestAnOfficerFindsRowsOfAllDomains(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.AddRow(t, "ada.adler", "Countess@labor.example")
	trial.Must(r.Add(t.Context(), r.stranger, r.institute, mailbox.Input{Kind: mailbox.Personal, Name: "Ada Institut", Primary: "ada@institut.example"}))
	for text, want := range map[string]int{
		"ada": 2, "adler": 1, "countess@LABOR.example": 1, "nobody": 0, "": 0, "%": 0, "ada institut": 1, "x\x00@uni.example": 0, "\xffnobody@uni.example": 0,
		"@institut": 1, "@uni": 1, "@": 0, "ADA@institut": 1, "ada adler@": 0, "ada.adler@": 1,
	} {
		found, more, err := r.Search(t.Context(), r.officer, text)
		if err != nil || more || len(found) != want {
			t.Errorf("search %q: got %d rows, more %v, %v; want %d", text, len(found), more, err, want)
		}
	}
}
