package person

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/text"
)

// Claims are what the identity provider says about a person (OpenID Connect
// Core 1.0, 5.1), with its groups.
type Claims struct {
	Issuer        string
	Subject       string
	Username      string
	Name          string
	GivenName     string
	FamilyName    string
	Email         string
	EmailVerified bool
	EmailUnsaid   bool     // the provider says neither that it verified the address nor that it did not
	Groups        []string // those that mean something here
	Lost          Lost
}

// Lost is why the provider named no groups: "" where it did, be it none.
type Lost string

const (
	GroupsUnsaid    Lost = "unsaid"    // it said nothing of groups
	GroupsElsewhere Lost = "elsewhere" // it only said where they could be asked for: there are too many
)

// clean makes lines of names and address, as they come into mails, pages and
// certificates. An address that only becomes one by that was verified by nobody.
// Groups stay as they are: rights hang on them, byte by byte.
func (c Claims) clean() Claims {
	c.EmailVerified = c.EmailVerified && text.Line(c.Email) == strings.TrimSpace(c.Email)
	for _, s := range []*string{&c.Username, &c.Name, &c.GivenName, &c.FamilyName, &c.Email} {
		*s = text.Line(*s)
	}
	if c.Name == "" {
		c.Name = strings.TrimSpace(c.GivenName + " " + c.FamilyName)
	}
	if c.Groups == nil {
		c.Groups = []string{}
	}
	return c
}

// SignedIn is the step that notes a sign-in: it makes the account at the first
// one and refreshes names, address and groups at each. A locked account is
// denied, and returned so that a log can name it.
func (b *Book) SignedIn(ctx context.Context, tx pgx.Tx, c Claims, who audit.Who) (Account, error) {
	now := b.Now()
	a, err := b.upsert(ctx, tx, now, c.clean(), true)
	if err != nil {
		return Account{}, fmt.Errorf("note sign-in: %w", err)
	}
	if a.Locked != nil {
		return a, ErrLocked
	}
	who.Account = int64(a.ID)
	return a, audit.Write(ctx, tx, audit.Line{
		Who: who, At: now, Action: "person.signed_in",
		Detail: audit.Detail{"groups": a.Groups}, About: []audit.Thing{a.ID.Thing()},
	})
}

// Refreshed is the step that notes newer claims of somebody who is signed in.
func (b *Book) Refreshed(ctx context.Context, tx pgx.Tx, c Claims) (Account, error) {
	a, err := b.upsert(ctx, tx, b.Now(), c.clean(), false)
	if err != nil {
		return Account{}, fmt.Errorf("note refreshed claims: %w", err)
	}
	return a, nil
}

// lostNow is SQL: why the account a has no groups by what is said now. Who had
// none when nothing was said of groups has lost nothing.
const lostNow = `case when @lost = 'unsaid' and a.groups = '{}' and a.lost = '' then '' else @lost::text end`

func (b *Book) upsert(ctx context.Context, tx pgx.Tx, now time.Time, c Claims, signedIn bool) (Account, error) {
	first := c.Lost
	if first == GroupsUnsaid {
		first = ""
	}
	rows, err := tx.Query(ctx, `
		insert into account as a (issuer, subject, username, name, given_name, family_name, email, email_verified,
			groups, lost, lost_since, created, signed_in, refreshed)
		values (@issuer, @subject, @username, @name, @given, @family, @email, @verified, @groups, @first, case when @first <> '' then @now::timestamptz end, @now, @now, @now)
		on conflict (issuer, subject) do update set username = excluded.username, name = excluded.name,
			given_name = excluded.given_name, family_name = excluded.family_name, email = excluded.email,
			email_verified = excluded.email_verified, groups = excluded.groups, refreshed = excluded.refreshed,
			lost = `+lostNow+`, lost_since = case when `+lostNow+` <> '' then coalesce(a.lost_since, @now) end,
			signed_in = case when @signed_in then excluded.signed_in else a.signed_in end
		returning `+accountColumns, pgx.NamedArgs{
		"issuer": c.Issuer, "subject": c.Subject, "username": c.Username, "name": c.Name, "given": c.GivenName,
		"family": c.FamilyName, "email": c.Email, "verified": c.EmailVerified, "groups": c.Groups,
		"now": now, "signed_in": signedIn, "lost": c.Lost, "first": first,
	})
	if err != nil {
		return Account{}, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Account])
}
