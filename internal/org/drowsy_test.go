package org_test

import (
	"crypto/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/campus"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

const aDay = 24 * time.Hour

// yard is a campus with somebody who makes tokens for domains of two contact groups.
type yard struct {
	*campus.Campus
	t       *testing.T
	maker   person.Actor
	domains []org.ID
}

func newYard(t *testing.T) *yard {
	t.Helper()
	y := &yard{Campus: campus.New(t), t: t}
	y.SignInOfficer(campus.Named("Amt"))
	y.maker = y.SignIn(campus.WithEmail("Nora Netz", "nora@uni.example"))
	for name, notify := range map[string]string{"uni.example": "netz@uni.example", "labor.example": ""} {
		y.domains = append(y.domains, y.Domain(name, y.Group(org.GroupInput{Name: name, Notify: notify}, y.maker), org.ByMailbox))
	}
	slices.Sort(y.domains)
	return y
}

// token makes one that lives for days and reaches these domains.
func (y *yard) token(name string, days int, domains ...org.ID) person.TokenID {
	y.t.Helper()
	in := person.TokenInput{Form: rand.Text(), Name: name, Verbs: []person.Verb{person.ReadAddresses}, Ends: y.Clock.Now().AddDate(0, 0, days)}
	for _, d := range domains {
		in.Domains = append(in.Domains, int64(d))
	}
	_, id, err := y.Books.Org.MakeToken(y.t.Context(), y.maker, in)
	if err != nil {
		y.t.Fatal(err)
	}
	return id
}

// told runs the job, twice, and returns who got a letter by now.
func (y *yard) told() (to []string) {
	y.t.Helper()
	for range 2 {
		if err := y.Books.Org.TellDrowsy(y.t.Context()); err != nil {
			y.t.Fatal(err)
		}
	}
	rows := trial.Must(y.DB.Query(y.t.Context(), `select recipient from letter where kind = 'tokens_sleeping' order by id`))
	defer rows.Close()
	for rows.Next() {
		var r string
		if err := rows.Scan(&r); err != nil {
			y.t.Fatal(err)
		}
		to = append(to, r)
	}
	return to
}

func TestThatTokensFallAsleepIsAnnouncedAWeekAndADayBefore(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	all := func(d string) org.ID {
		return org.ID(y.Scalar(`select id from email_domain where name = $1`, d))
	}
	y.token("Abgleich", 300, all("uni.example"))
	y.token("Erneuern", 300, all("labor.example")) // whose group has no mailbox
	y.token("Kurz", 20, all("uni.example"))        // ends before it would sleep
	var want []string
	for _, step := range []struct {
		after time.Duration
		new   []string
	}{
		{22 * aDay, nil},
		{aDay, []string{"nora@uni.example", "netz@uni.example"}},
		{5 * aDay, nil},
		{aDay, []string{"nora@uni.example", "netz@uni.example"}},
		{12 * time.Hour, nil},
		{12*time.Hour + time.Second, nil}, // asleep
	} {
		y.Clock.Advance(step.after)
		want = append(want, step.new...)
		if got := y.told(); !slices.Equal(got, want) {
			t.Errorf("%v later: got letters to %v, want to %v", step.after, got, want)
		}
	}
	var own, group string
	if err := y.DB.QueryRow(t.Context(), `select (select words::text from letter where recipient = 'nora@uni.example' and kind = 'tokens_sleeping' order by id limit 1),
		(select words::text from letter where recipient = 'netz@uni.example' order by id limit 1)`).Scan(&own, &group); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(own, "Abgleich") || !strings.Contains(own, "Erneuern") || strings.Contains(own, "Kurz") {
		t.Errorf("to the maker: got %s, want both tokens that sleep", own)
	}
	if !strings.Contains(group, "Abgleich") || strings.Contains(group, "Erneuern") || !strings.Contains(group, "Nora Netz") {
		t.Errorf("to the group: got %s, want the token that reaches its domains, and whose it is", group)
	}
	y.SignIn(campus.WithEmail("Nora Netz", "nora@uni.example"))
	y.Clock.Advance(24 * aDay)
	want = append(want, "nora@uni.example", "netz@uni.example")
	if got := y.told(); !slices.Equal(got, want) {
		t.Errorf("signed in and away again: got letters to %v, want to %v", got, want)
	}
}

// After the upgrade that lets tokens sleep, some of a maker's fall asleep later.
func TestEachTokenIsAnnouncedWithItsOwnDate(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	uni := org.ID(y.Scalar(`select id from email_domain where name = 'uni.example'`))
	old := y.token("Alt", 300, uni)
	y.token("Neu", 300, uni)
	y.token("Auch neu", 300, uni)
	y.Clock.Advance(25 * aDay)
	late := y.Clock.Now().Add(6 * aDay).Truncate(time.Second)
	if _, err := y.DB.Exec(t.Context(), `update token set awake_until = $1 where id = $2`, late, old); err != nil {
		t.Fatal(err)
	}
	soon := y.Clock.Now().Add(5 * aDay)
	y.told()
	rows := trial.Must(y.DB.Query(t.Context(), `select words->>'Tokens' || ' ' || (words->>'Sleeps')::date from letter where recipient = 'nora@uni.example' and kind = 'tokens_sleeping' order by id`))
	got := trial.Must(pgx.CollectRows(rows, pgx.RowTo[string]))
	want := []string{`["Neu", "Auch neu"] ` + soon.Format(time.DateOnly), `["Alt"] ` + late.Format(time.DateOnly)}
	if !slices.Equal(got, want) {
		t.Errorf("got letters about %q, want %q", got, want)
	}
}

func TestOfWhatSleepsAnywayNobodyHears(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		turn func(y *yard, id person.TokenID) error
		want int
	}{
		"both hours missed": {func(y *yard, _ person.TokenID) error { y.Clock.Advance(6*aDay + time.Hour); return nil }, 2},
		"everything missed": {func(y *yard, _ person.TokenID) error { y.Clock.Advance(8 * aDay); return nil }, 0},
		"withdrawn":         {func(y *yard, id person.TokenID) error { return y.People.WithdrawToken(y.t.Context(), y.maker, id) }, 0},
		"locked": {func(y *yard, _ person.TokenID) error {
			return y.People.Lock(y.t.Context(), y.Officer, y.maker.Account, "weg")
		}, 0},
		"another provider": {func(y *yard, _ person.TokenID) error { y.People.Issuer = "https://new.example"; return nil }, 0},
		"a shorter sleep":  {func(y *yard, _ person.TokenID) error { y.People.TokenSleep = 24 * aDay; return nil }, 2},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			y := newYard(t)
			id := y.token("Abgleich", 300, org.ID(y.Scalar(`select id from email_domain where name = 'uni.example'`)))
			y.Clock.Advance(23 * aDay)
			if err := c.turn(y, id); err != nil {
				t.Fatal(err)
			}
			if got := y.told(); len(got) != c.want {
				t.Errorf("got letters to %v, want %d", got, c.want)
			}
		})
	}
}
