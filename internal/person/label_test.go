package person_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"petschaft/internal/person"
	"petschaft/internal/pgtest"
	"petschaft/migrations"
)

// odd are accounts of whom the provider says little.
var odd = []struct {
	about           string
	claims          person.Claims
	label, verified string
}{
	{"everything", person.Claims{Username: "ada", Name: "Ada Adler", Email: "ada@uni.example", EmailVerified: true}, "Ada Adler", "ada@uni.example"},
	{"a name in two parts", person.Claims{Username: "bo", GivenName: "Bo", FamilyName: "Busch", Email: "bo@uni.example"}, "Bo Busch", ""},
	{"no name", person.Claims{Username: "carl", Email: "carl@uni.example", EmailVerified: true}, "carl", "carl@uni.example"},
	{"an address alone", person.Claims{Email: "dana@uni.example"}, "dana@uni.example", ""},
	{"a name of blanks", person.Claims{Name: " \u00a0\u200b", Username: "eve"}, "eve", ""},
	{"nothing at all", person.Claims{EmailVerified: true}, "", ""},
}

// TestALabelIsTheNameElseTheUserNameElseTheAddress holds what the schema works
// out, also when the provider says something else at the next sign-in.
func TestALabelIsTheNameElseTheUserNameElseTheAddress(t *testing.T) {
	t.Parallel()
	b, officer := newBook(t)
	for _, o := range odd {
		o.claims.Issuer, o.claims.Subject = "i", "changing"
		a, err := signIn(t, b, o.claims)
		if err != nil || a.Label != o.label || a.VerifiedEmail != o.verified {
			t.Errorf("%s: got %q, %q and %v; want %q, %q", o.about, a.Label, a.VerifiedEmail, err, o.label, o.verified)
		}
		if names, err := b.Names(t.Context(), []person.ID{a.ID}); err != nil || names[a.ID] != o.label {
			t.Errorf("%s: pages name it %q (%v), want %q", o.about, names[a.ID], err, o.label)
		}
		by, err := b.Acting(t.Context(), b.DB, b.Now(), person.Behalf{Account: a.ID})
		if err != nil || by.Name != o.label || by.Email != o.verified {
			t.Errorf("%s: acts as %q, %q (%v); want %q, %q", o.about, by.Name, by.Email, err, o.label, o.verified)
		}
	}
	if a, err := b.One(t.Context(), officer, officer.Account); err != nil || a.Label != "Rita Amt" {
		t.Errorf("another account: got %q and %v, want it untouched", a.Label, err)
	}
}

// TestAccountsOfTheVersionBeforeHaveLabels: those that were there when the step
// came, and those that a process of the version before writes beside this one.
func TestAccountsOfTheVersionBeforeHaveLabels(t *testing.T) {
	t.Parallel()
	db := pgtest.Open(t, pgtest.URL(t))
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := db.Exec(t.Context(), sql, args...); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	exec(`drop schema public cascade; create schema public`)
	db.Reset() // types have other numbers now
	std := stdlib.OpenDBFromPool(db.Pool)
	defer std.Close()
	steps, err := goose.NewProvider(goose.DialectPostgres, std, migrations.Files, goose.WithLogger(goose.NopLogger()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := steps.UpTo(t.Context(), 29); err != nil {
		t.Fatal(err)
	}
	before := func(when string) {
		t.Helper()
		for _, o := range odd {
			exec(`insert into account (issuer, subject, username, name, given_name, family_name, email, email_verified, groups, created, signed_in, refreshed)
				values ('i', $1 || $2, $3, $4, $5, $6, $7, $8, '{}', now(), now(), now())
				on conflict (issuer, subject) do update set name = excluded.name`,
				when, o.about, o.claims.Username, o.claims.Name, o.claims.GivenName, o.claims.FamilyName, o.claims.Email, o.claims.EmailVerified)
		}
	}
	before("there: ")
	if _, err := steps.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	before("beside: ")
	rows, err := db.Query(t.Context(), `select subject, label, verified_email from account
		where label <> coalesce(nullif(name, ''), nullif(username, ''), email) or verified_email <> case when email_verified then email else '' end`)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := pgx.CollectRows(rows, pgx.RowToMap)
	if err != nil || len(wrong) != 0 {
		t.Errorf("called otherwise than the version before calls them: %v (%v)", wrong, err)
	}
	var n int
	if err := db.QueryRow(t.Context(), `select count(*) from account where subject like any('{there:%,beside:%}')`).Scan(&n); err != nil || n != 2*len(odd) {
		t.Errorf("got %d accounts (%v), want %d", n, err, 2*len(odd))
	}
}
