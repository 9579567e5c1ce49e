package person_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/campus"
	"petschaft/internal/person"
	"petschaft/internal/pgtest"
	"petschaft/internal/trial"
)

var now = trial.Today()

func newBook(t *testing.T) (b *person.Book, officer person.Actor) {
	t.Helper()
	b = &person.Book{DB: pgtest.New(t), Now: func() time.Time { return now }}
	a, err := signIn(t, b, person.Claims{Issuer: "https://idp.example", Subject: "rita", Username: "rita", Name: "Rita Amt"})
	if err != nil {
		t.Fatal(err)
	}
	return b, person.Actor{Account: a.ID, Name: a.Name, Officer: true}
}

func signIn(t *testing.T, b *person.Book, c person.Claims) (a person.Account, err error) {
	t.Helper()
	return a, b.DB.Tx(t.Context(), func(tx pgx.Tx) (err error) {
		a, err = b.SignedIn(t.Context(), tx, c, audit.Who{})
		return err
	})
}

func TestAnAccountIsKeyedByIssuerAndSubjectNeverByMail(t *testing.T) {
	t.Parallel()
	b, _ := newBook(t)
	const email = "ada@uni.example"
	one, err := signIn(t, b, person.Claims{Issuer: "https://idp.example", Subject: "1", Email: email, EmailVerified: true, Name: "Ada"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []person.Claims{
		{Issuer: "https://idp.example", Subject: "2", Email: email, EmailVerified: true},
		{Issuer: "https://other.example", Subject: "1", Email: email, EmailVerified: true},
	} {
		if a, err := signIn(t, b, c); err != nil || a.ID == one.ID {
			t.Errorf("%s at %s: got account %d and %v, want another than %d", c.Subject, c.Issuer, a.ID, err, one.ID)
		}
	}
	again, err := signIn(t, b, person.Claims{Issuer: "https://idp.example", Subject: "1", Email: "new@uni.example", Name: "Ada Lovelace", Groups: []string{"x"}})
	if err != nil || again.ID != one.ID || again.Name != "Ada Lovelace" || again.Email != "new@uni.example" || len(again.Groups) != 1 {
		t.Errorf("the same subject: got %+v and %v, want account %d with its names refreshed", again, err, one.ID)
	}
}

func TestClaimsLoseControlCharacters(t *testing.T) {
	t.Parallel()
	b, _ := newBook(t)
	dirt := "\r\n\x00\x7f\u0085\u009b\u2028\u2029\u202e\u2066"
	a, err := signIn(t, b, person.Claims{
		Issuer: "i", Subject: "s", Username: "a" + dirt + "da", GivenName: dirt + "Ada", FamilyName: "Adler" + dirt, Email: dirt + "ada@uni.example",
	})
	if err != nil {
		t.Fatal(err)
	}
	if a.Username != "a da" || a.GivenName != "Ada" || a.FamilyName != "Adler" || a.Name != "Ada Adler" || a.Email != "ada@uni.example" {
		t.Errorf("got %q, %q, %q, %q, %q; want the names alone", a.Username, a.GivenName, a.FamilyName, a.Name, a.Email)
	}
	if a, err = signIn(t, b, person.Claims{Issuer: "i", Subject: "s", Name: "Zoë \xff Ångström"}); err != nil || a.Name != "Zoë Ångström" {
		t.Errorf("broken UTF-8: got %q and %v, want the rest of the name", a.Name, err)
	}
	odd := person.Claims{
		Issuer: "i", Subject: "odd", Name: "Do\u0308rte\u200b Do\u0308\u00adring", GivenName: "Do\u0308rte\u202f", FamilyName: "\ufeffDo\u0308ring",
		Email: "d@uni.\u200bexample", EmailVerified: true, Groups: []string{"r\u200ba"},
	}
	if a, err = signIn(t, b, odd); err != nil || a.Name != "Dörte Döring" || a.GivenName != "Dörte" || a.FamilyName != "Döring" {
		t.Errorf("decomposed and invisible: got %+q, %+q, %+q and %v, want what one sees", a.Name, a.GivenName, a.FamilyName, err)
	}
	if a.EmailVerified || a.Email != "d@uni.example" || a.Groups[0] != "r\u200ba" {
		t.Errorf("got the address %+q, verified %v, and the groups %+q; want one that nobody verified, and the group as it is", a.Email, a.EmailVerified, a.Groups)
	}
}

func TestALockedAccountIsShutOut(t *testing.T) {
	t.Parallel()
	b, officer := newBook(t)
	c := person.Claims{Issuer: "i", Subject: "ada", Name: "Ada"}
	ada, err := signIn(t, b, c)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	campus.Wants(t, b.Lock(ctx, person.Actor{Account: ada.ID}, officer.Account, "x"), "fault.officers_only")
	campus.Wants(t, b.Lock(ctx, officer, officer.Account, "x"), "person.lock.self")
	campus.Wants(t, b.Lock(ctx, officer, ada.ID, " "), "field.required")
	campus.Wants(t, b.Lock(ctx, officer, ada.ID, strings.Repeat("x", 1001)), "field.too_long")
	campus.Wants(t, b.Lock(ctx, officer, 4711, "x"), "fault.missing")
	for range 2 { // the second changes nothing
		if err := b.Lock(ctx, officer, ada.ID, "key lost\x00"); err != nil {
			t.Fatal(err)
		}
	}
	_, err = signIn(t, b, c)
	campus.Wants(t, err, "person.locked")
	if a, err := b.One(ctx, officer, ada.ID); err != nil || a.Locked == nil || a.LockedWhy != "key lost" {
		t.Errorf("got %+v and %v, want it locked with the reason", a, err)
	}
	for range 2 {
		if err := b.Unlock(ctx, officer, ada.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := signIn(t, b, c); err != nil {
		t.Errorf("after unlocking: got %v, want to sign in", err)
	}
	lines, err := audit.About(ctx, b.DB, ada.ID.Thing(), 0, 10)
	if err != nil || len(lines) != 4 {
		t.Errorf("got %d audit lines and %v, want 4: signed in, locked, unlocked, signed in", len(lines), err)
	}
	var void time.Time
	if err := b.DB.QueryRow(ctx, `select void_before from account where id = $1`, ada.ID).Scan(&void); err != nil || !void.Equal(now) {
		t.Errorf("got older sign-ins void before %v (%v), want %v: unlocking revives none", void, err, now)
	}
}

func TestOnlyOfficersSearchPeople(t *testing.T) {
	t.Parallel()
	b, officer := newBook(t)
	ctx := t.Context()
	for i := range 60 {
		if _, err := signIn(t, b, person.Claims{Issuer: "i", Subject: fmt.Sprint(i), Username: fmt.Sprintf("user%02d", i), Name: "Ämil 100%_\\ Muster", Email: "M@uni.example", EmailVerified: i == 0}); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range []string{"Mary O'Brien", "Mary O’Brien"} {
		trial.Must(signIn(t, b, person.Claims{Issuer: "i", Subject: name, Username: fmt.Sprintf("mary%d", i), Name: name}))
	}
	for text, want := range map[string]int{
		"user07": 1, "muster USER07": 1, "user07 nobody": 0, "ämil": 50, "100%_\\": 50, "%": 50, "_x_": 0, "rita": 1, "rita\x00": 1, "\xffuser07": 1,
		`"Muster, Ämil" <m@uni.example>`: 50, "mailto:m@uni.example": 50, "_": 50, "o'brien": 2, "O’Brien,": 2, `"o'brien" <nobody@uni.example>`: 0,
	} {
		found, more, err := b.Search(ctx, officer, text)
		if err != nil || len(found) != want || more != (want == 50) {
			t.Errorf("search %q: got %d, more %v, %v; want %d", text, len(found), more, err, want)
		}
	}
	for text, want := range map[string]int{" USER07 ": 1, "m@uni.example": 1, "user": 0, "": 0, "rita\x00": 1} {
		if found, err := b.Find(ctx, officer, text); err != nil || len(found) != want {
			t.Errorf("find %q: got %d and %v, want %d: exactly, and by verified addresses only", text, len(found), err, want)
		}
	}
	user := person.Actor{Account: 2}
	_, _, err := b.Search(ctx, user, "x")
	campus.Wants(t, err, "fault.officers_only")
	_, err = b.Find(ctx, user, "x")
	campus.Wants(t, err, "fault.officers_only")
	_, err = b.One(ctx, user, officer.Account)
	campus.Wants(t, err, "fault.missing")
	if a, err := b.One(ctx, user, user.Account); err != nil || a.ID != 2 {
		t.Errorf("oneself: got %+v and %v", a, err)
	}
	if names, err := b.Names(ctx, []person.ID{officer.Account, 4711}); err != nil || len(names) != 1 || names[officer.Account] != "Rita Amt" {
		t.Errorf("names: got %v and %v, want Rita's alone", names, err)
	}
}
