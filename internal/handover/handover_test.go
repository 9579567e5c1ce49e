package handover_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/campus"
	"petschaft/internal/handover"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

func TestAnOrganisationGoesOverWhenBothAgree(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	o := r.offer(t)
	if o.State != handover.Offered || !o.Gives || o.Receives || o.SuccessorName != "Ada Adler" || !o.Ends.Equal(trial.Today().Add(14*day)) {
		t.Errorf("got %+v, want it offered to Ada for 14 days", o.Offer)
	}
	if !regexp.MustCompile(`^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$`).MatchString(o.Password) {
		t.Errorf("got the session password %q, want four groups of four", o.Password)
	}
	campus.Wants(t, r.Finish(ctx, r.ada, o.ID, o.Password), "handover.accept_first")
	r.ok(t, r.Accept(ctx, r.ada, o.ID))
	campus.Wants(t, r.Accept(ctx, r.ada, o.ID), "handover.accepted_already")
	r.keeps(t, r.tina, r.garden)
	r.ok(t, r.Finish(ctx, r.ada, o.ID, o.Password))
	r.is(t, o.ID, handover.Done)
	r.keeps(t, r.ada, r.garden)
	r.keeps(t, r.tina, r.library)
	campus.Wants(t, r.Finish(ctx, r.ada, o.ID, o.Password), "handover.over.done")
	if _, err := r.One(ctx, r.tina, o.ID); campus.Said(err) != "fault.missing" {
		t.Errorf("the contact before reads the handover: %v, want it missing", err)
	}
	if _, err := r.Org.Organisation(ctx, r.tina, r.garden); campus.Said(err) != "fault.missing" {
		t.Errorf("the contact before: %v, want the organisation missing", err)
	}
	r.wantLetters(t, "handover_offered ada", "handover_accepted tina", "handover_given tina", "handover_taken ada")
	if n := r.count(t, `select count(*) from audit_line where action in ('handover.offered', 'handover.accepted', 'handover.finished', 'org.contact_appointed')`); n != 4 {
		t.Errorf("got %d audit lines, want one for each step and one for the contact", n)
	}
}

func TestTheSessionPasswordIsForgiving(t *testing.T) {
	t.Parallel()
	for name, typed := range map[string]func(string) string{
		"small letters":    strings.ToLower,
		"without dashes":   func(s string) string { return strings.ReplaceAll(s, "-", "") },
		"blanks":           func(s string) string { return "  " + strings.ReplaceAll(s, "-", " ") + "\r\n" },
		"other dashes":     func(s string) string { return strings.NewReplacer("-", "–").Replace(s) },
		"hard blanks":      func(s string) string { return strings.ReplaceAll(s, "-", "\u00a0\u2011") },
		"O for zero":       func(s string) string { return strings.ReplaceAll(s, "0", "O") },
		"I for one":        func(s string) string { return strings.ReplaceAll(s, "1", "I") },
		"l for one":        func(s string) string { return strings.ReplaceAll(s, "1", "l") },
		"blanks in groups": func(s string) string { return strings.Join(strings.Split(s, ""), " ") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			o := r.accepted(t)
			r.ok(t, r.Finish(t.Context(), r.ada, o.ID, typed(o.Password)))
			r.keeps(t, r.ada, r.garden)
		})
	}
}

func TestFiveWrongSessionPasswordsLockTheOffer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := r.accepted(t)
	for i, wrong := range []string{"falsch", "0000-0000-0000-0000", o.Password + "0", "ÄÖÜ"} {
		err := r.Finish(t.Context(), r.ada, o.ID, wrong)
		campus.Wants(t, err, "handover.password.wrong")
		if got := trial.Must(r.One(t.Context(), r.ada, o.ID)); got.Wrong != i+1 || got.Left() != 4-i {
			t.Errorf("got %d wrong and %d left after %d", got.Wrong, got.Left(), i+1)
		}
	}
	campus.Wants(t, r.Finish(t.Context(), r.ada, o.ID, " "), "field.required") // costs nothing
	campus.Wants(t, r.Finish(t.Context(), r.ada, o.ID, "falsch"), "handover.over.locked")
	campus.Wants(t, r.Finish(t.Context(), r.ada, o.ID, o.Password), "handover.over.locked")
	r.is(t, o.ID, handover.Locked)
	r.keeps(t, r.tina, r.garden)
	r.wantLetters(t, "handover_offered ada", "handover_accepted tina", "handover_locked tina", "handover_locked ada")
	if again := r.accepted(t); again.Password == o.Password {
		t.Error("a new offer has the password of the locked one")
	}
}

// TestNobodyElseSeesOrAnswersAnOffer: not the right one is "missing", whatever
// they try.
func TestNobodyElseSeesOrAnswersAnOffer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o, ctx := r.accepted(t), t.Context()
	second := r.campus.Organisation("Kantine", r.bob) // somebody else's
	for _, by := range []person.Actor{r.bob, r.eve, r.rita, {}, {Officer: true}} {
		_, err := r.One(ctx, by, o.ID)
		for what, err := range map[string]error{
			"reads": err, "accepts": r.Accept(ctx, by, o.ID), "declines": r.Decline(ctx, by, o.ID),
			"cancels": r.Cancel(ctx, by, o.ID), "finishes": r.Finish(ctx, by, o.ID, o.Password),
		} {
			if campus.Said(err) != "fault.missing" {
				t.Errorf("%q %s: got %v, want it missing", by.Name, what, err)
			}
		}
		if all := trial.Must(r.Mine(ctx, by)); len(all) != 0 {
			t.Errorf("%q has %d offers, want none", by.Name, len(all))
		}
		if n := trial.Must(r.Moves(ctx, by, r.garden)); len(n) != 0 && !by.Officer {
			t.Errorf("%q sees what moves", by.Name)
		}
	}
	campus.Wants(t, r.Cancel(ctx, r.ada, o.ID), "handover.giver_only")
	for _, err := range []error{r.Accept(ctx, r.tina, o.ID), r.Decline(ctx, r.tina, o.ID), r.Finish(ctx, r.tina, o.ID, o.Password)} {
		campus.Wants(t, err, "handover.successor_only")
	}
	for _, c := range []struct {
		by   person.Actor
		of   []org.OrganisationID
		want string
	}{
		{r.bob, []org.OrganisationID{r.garden}, "fault.missing"},
		{r.rita, []org.OrganisationID{r.garden}, "handover.contact_only"},
		{r.tina, []org.OrganisationID{r.garden, second}, "fault.missing"},
		{r.tina, []org.OrganisationID{4711}, "fault.missing"},
		{r.tina, nil, "handover.none"},
	} {
		_, err := r.Find(ctx, c.by, c.of, r.eve.Email)
		campus.Wants(t, err, c.want)
		_, err = r.Offer(ctx, c.by, handover.Wish{Organisations: c.of, Email: r.eve.Email})
		campus.Wants(t, err, c.want)
	}
	r.is(t, o.ID, handover.Accepted)
}

func TestTheSuccessorIsFoundByTheirVerifiedAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, c := range []person.Claims{
		{Subject: "u", Name: "Unbestätigt", Email: "unsure@uni.example"},
		{Subject: "d1", Name: "Doppelt Eins", Email: "Doppelt@uni.example", EmailVerified: true},
		{Subject: "d2", Name: "Doppelt Zwei", Email: "doppelt@uni.example", EmailVerified: true},
		{Subject: "m", Name: "Mara", Email: "mara@Münster.example", EmailVerified: true},
		{Subject: "k", Name: "Kelvin", Email: "\u212A@uni.example", EmailVerified: true},
	} {
		r.claims(t, c)
	}
	r.lock(t, r.eve)
	r.tina.Email = "tina@uni.example"
	for _, c := range []struct{ name, typed, want string }{
		{"as it is", "ada@uni.example", ""},
		{"in capitals, with blanks", " ADA@Uni.Example ", ""},
		{"a domain as its people spell it", "mara@Münster.example", ""},
		{"nobody", "niemand@uni.example", "handover.email.unknown"},
		{"not verified", "unsure@uni.example", "handover.email.unverified"},
		{"a letter that only looks like k", "k@uni.example", "handover.email.unverified"},
		{"several accounts", "doppelt@uni.example", "handover.email.several"},
		{"one's own", "tina@uni.example", "handover.email.own"},
		{"a locked account", "eve@uni.example", "handover.email.locked"},
		{"no address", "ada", "org.address.form"},
		{"nothing", "", "org.address.form"},
	} {
		_, err := r.Find(t.Context(), r.tina, []org.OrganisationID{r.garden}, c.typed)
		if campus.Said(err) != c.want {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
		_, err = r.Offer(t.Context(), r.tina, handover.Wish{Organisations: []org.OrganisationID{r.garden}, Email: c.typed})
		if campus.Said(err) != c.want {
			t.Errorf("%s, offered: got %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := r.Offer(t.Context(), r.tina, handover.Wish{Organisations: []org.OrganisationID{r.garden}, Email: r.ada.Email, Successor: r.bob.Account}); campus.Said(err) != "handover.successor_changed" {
		t.Errorf("somebody else than was shown: got %v", err)
	}
}

func TestANewOfferReplacesTheOneBefore(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := r.accepted(t)
	second := r.offerTo(t, r.bob, r.garden)[0]
	r.is(t, first.ID, handover.Replaced)
	campus.Wants(t, r.Finish(t.Context(), r.ada, first.ID, first.Password), "handover.over.replaced")
	campus.Wants(t, r.Finish(t.Context(), r.ada, first.ID, second.Password), "handover.over.replaced")
	r.ok(t, r.Accept(t.Context(), r.bob, second.ID))
	campus.Wants(t, r.Finish(t.Context(), r.bob, second.ID, first.Password), "handover.password.wrong")
	third := r.offerTo(t, r.bob, r.garden)[0] // the same person needs no mail that the one before is over
	r.is(t, second.ID, handover.Replaced)
	r.wantLetters(t, "handover_offered ada", "handover_accepted tina", "handover_cancelled ada", "handover_offered bob", "handover_accepted tina", "handover_offered bob")
	all := trial.Must(r.OfOrganisation(t.Context(), r.tina, r.garden))
	if len(all) != 3 || all[0].ID != third.ID || !all[0].Gives {
		t.Errorf("got %d offers, want three, the newest first", len(all))
	}
}

func TestOneFormMakesOneOffer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	in := handover.Wish{Organisations: []org.OrganisationID{r.library, r.garden, r.library}, Email: r.ada.Email, Form: "form"}
	made, err := r.Offer(t.Context(), r.tina, in)
	if err != nil || len(made) != 2 || made[0].Password == made[1].Password {
		t.Fatalf("got %v and %v, want two offers with a password each", made, err)
	}
	_, err = r.Offer(t.Context(), r.tina, in)
	campus.Wants(t, err, "schema.handover_form")
	r.is(t, made[0].ID, handover.Offered)
	r.ok(t, r.Accept(t.Context(), r.ada, made[0].ID))
	campus.Wants(t, r.Finish(t.Context(), r.ada, made[0].ID, made[1].Password), "handover.password.wrong")
	r.ok(t, r.Finish(t.Context(), r.ada, made[0].ID, made[0].Password))
	r.is(t, made[1].ID, handover.Offered)
	mine := trial.Must(r.Mine(t.Context(), r.tina))
	if len(mine) != 1 || mine[0].ID != made[1].ID {
		t.Errorf("got %v, want the other one open still", mine)
	}
}

func TestOffersAreBraked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.PerDay = 2
	r.offer(t)
	r.clock.Advance(day / 2)
	r.offer(t)
	in := handover.Wish{Organisations: []org.OrganisationID{r.garden}, Email: r.ada.Email}
	_, err := r.Offer(t.Context(), r.tina, in)
	campus.Wants(t, err, "handover.brake")
	r.offerTo(t, r.ada, r.library)
	r.clock.Advance(day/2 + 1)
	r.offer(t)
}

func TestDecliningAndCancellingTellTheOther(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	o := r.accepted(t) // also after having accepted
	r.ok(t, r.Decline(ctx, r.ada, o.ID))
	campus.Wants(t, r.Decline(ctx, r.ada, o.ID), "handover.over.declined")
	campus.Wants(t, r.Finish(ctx, r.ada, o.ID, o.Password), "handover.over.declined")
	again := r.offer(t)
	r.ok(t, r.Cancel(ctx, r.tina, again.ID))
	campus.Wants(t, r.Cancel(ctx, r.tina, again.ID), "handover.over.cancelled")
	campus.Wants(t, r.Accept(ctx, r.ada, again.ID), "handover.over.cancelled")
	r.keeps(t, r.tina, r.garden)
	r.wantLetters(t, "handover_offered ada", "handover_accepted tina", "handover_declined tina", "handover_offered ada", "handover_cancelled ada")
}

func TestAnOfferExpiresAfterAFortnightWithOneReminder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	o := r.accepted(t)
	tick := func(after string, want ...string) {
		t.Helper()
		for range 2 {
			r.ok(t, r.Tick(ctx))
		}
		if got := r.letters(t)[2:]; !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", after, got, want)
		}
	}
	r.clock.Advance(7*day - 1000)
	tick("before a week")
	r.clock.Advance(3 * day) // some nights were missed
	tick("after a week", "handover_reminder ada")
	r.clock.Advance(4*day + 1000)
	campus.Wants(t, r.Finish(ctx, r.ada, o.ID, o.Password), "handover.over.expired")
	campus.Wants(t, r.Cancel(ctx, r.tina, o.ID), "handover.over.expired")
	if mine := trial.Must(r.Mine(ctx, r.ada)); len(mine) != 0 {
		t.Error("an offer whose time is over is still a task")
	}
	tick("after a fortnight", "handover_reminder ada", "handover_expired tina", "handover_expired ada")
	r.is(t, o.ID, handover.Expired)
	r.keeps(t, r.tina, r.garden)

	late := r.offer(t) // the portal was down the whole time
	r.clock.Advance(20 * day)
	r.offer(t)
	r.is(t, late.ID, handover.Expired)
}

func TestWhatMovesIsCounted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	trial.Must(r.Org.AddName(t.Context(), r.rita, r.garden, org.NameInput{Name: "garten.example"}))
	o := r.offer(t)
	secret, token, err := r.Org.MakeToken(t.Context(), r.tina, person.TokenInput{
		Name: "Nachts", Form: "1", Organisations: []int64{int64(r.garden), int64(r.library)}, Verbs: []person.Verb{"orders.read"}, Ends: r.Now().Add(day),
	})
	r.ok(t, err)
	_, only, err := r.Org.MakeToken(t.Context(), r.tina, person.TokenInput{
		Name: "Nur Garten", Form: "2", Organisations: []int64{int64(r.garden)}, Verbs: []person.Verb{"orders.read"}, Ends: r.Now().Add(day),
	})
	r.ok(t, err)
	for _, by := range []person.Actor{r.tina, r.ada, r.rita} {
		all := trial.Must(r.Moves(t.Context(), by, r.garden))
		if got := fmt.Sprintf("%+v", all[r.garden]); got != "{Certificates:0 Orders:0 Names:1 Tokens:2}" {
			t.Errorf("%s: got %s, want one name and two tokens", by.Name, got)
		}
	}
	if all := trial.Must(r.Moves(t.Context(), r.ada, r.garden, r.library)); len(all) != 1 {
		t.Errorf("got %v, want only what was offered", all)
	}
	r.ok(t, r.Accept(t.Context(), r.ada, o.ID))
	r.ok(t, r.Finish(t.Context(), r.ada, o.ID, o.Password))
	if got := trial.Must(r.Person.Token(t.Context(), r.tina, token)); got.Withdrawn != nil || !slices.Equal(got.Organisations, []int64{int64(r.library)}) {
		t.Errorf("got the token %+v, want it for the library only", got)
	}
	if got := trial.Must(r.Person.Token(t.Context(), r.tina, only)); got.Withdrawn == nil {
		t.Error("the token that reaches nothing any more is live")
	}
	var words string
	r.ok(t, r.db.QueryRow(t.Context(), `select words from letter where kind = 'handover_given'`).Scan(&words))
	if !strings.Contains(words, `"Tokens":2`) && !strings.Contains(words, `"Tokens": 2`) {
		t.Errorf("got the receipt %s, want it to tell of two tokens", words)
	}
	if strings.Contains(words, secret) {
		t.Error("a letter holds a secret")
	}
}

// TestTheSessionPasswordLiesNowhere: not in the database in clear, in no letter,
// no audit line, no job.
func TestTheSessionPasswordLiesNowhere(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	o := r.accepted(t)
	campus.Wants(t, r.Finish(t.Context(), r.ada, o.ID, "ABCD-EFGH-JKMN-PQRS"), "handover.password.wrong")
	r.ok(t, r.Finish(t.Context(), r.ada, o.ID, o.Password))
	rows, err := r.db.Query(t.Context(), `select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`)
	r.ok(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	r.ok(t, err)
	for _, table := range tables {
		for _, secret := range []string{o.Password, strings.ReplaceAll(o.Password, "-", ""), "ABCD-EFGH", "ABCDEFGH"} {
			if n := r.count(t, `select count(*) from `+pgx.Identifier{table}.Sanitize()+` x where x::text ilike '%' || $1 || '%'`, secret); n != 0 {
				t.Errorf("%s holds the session password, or a try", table)
			}
		}
	}
	if n := r.count(t, `select count(*) from handover where hash like '$argon2id$v=19$m=64,t=1,p=1$%'`); n != 1 {
		t.Error("want the hash by argon2id at the cost that is set")
	}
}
