package campus

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/mailbox"
	"petschaft/internal/person"
)

// Keeper keeps a domain's mailbox rows as its contact does. What it cannot do ends
// the test; TryEdit alone says why not.
type Keeper struct {
	*mailbox.Book
	Contact person.Actor
	Domain  string
	Arm     func(t testing.TB, id mailbox.ID) map[string][]byte // a round's delivery: the digests by recipient

	campus *Campus
}

// Keeper is contact at work in a domain. Its challenges are armed without any mail.
func (c *Campus) Keeper(contact person.Actor, domain string) *Keeper {
	k := &Keeper{Book: c.Books.Mailbox, Contact: contact, Domain: domain, campus: c}
	k.Arm = k.arm
	return k
}

// Doing is the contact with a deed of that key.
func (k *Keeper) Doing(key string) person.Actor {
	by := k.Contact
	by.Deed = &person.Deed{Key: key, Digest: func() []byte { return []byte(key) }}
	return by
}

// AddRow makes a personal row for local at the domain.
func (k *Keeper) AddRow(t testing.TB, local string, aliases ...string) mailbox.ID {
	t.Helper()
	return k.addRow(t, mailbox.Input{Kind: mailbox.Personal, Name: local, Aliases: aliases})
}

// AddFunctional makes a functional row for local at the domain.
func (k *Keeper) AddFunctional(t testing.TB, local, applicant string, aliases ...string) mailbox.ID {
	t.Helper()
	return k.addRow(t, mailbox.Input{Kind: mailbox.Functional, Name: local, Applicant: applicant, Aliases: aliases})
}

func (k *Keeper) addRow(t testing.TB, in mailbox.Input) mailbox.ID {
	t.Helper()
	in.Primary = in.Name + "@" + k.Domain
	row, err := k.Add(t.Context(), k.Contact, k.Domain, in)
	if err != nil {
		t.Fatalf("add %s: %v", in.Primary, err)
	}
	return row.ID
}

// ReadRow is the row as an officer sees it.
func (k *Keeper) ReadRow(t testing.TB, id mailbox.ID) mailbox.Row {
	t.Helper()
	row, err := k.Row(t.Context(), k.campus.Officer, k.Domain, id)
	if err != nil {
		t.Fatalf("read row %d: %v", id, err)
	}
	return row
}

// TryEdit changes the row as change says, with the version it has now.
func (k *Keeper) TryEdit(t testing.TB, id mailbox.ID, change func(*mailbox.Input)) error {
	t.Helper()
	row := k.ReadRow(t, id)
	in := mailbox.Input{Kind: row.Kind, Name: row.Name, Applicant: string(row.Applicant), Comment: row.Comment}
	for _, a := range row.Aliases {
		in.Aliases = append(in.Aliases, string(a))
	}
	change(&in)
	return k.Edit(t.Context(), k.Contact, k.Domain, id, row.Version, in)
}

// EditRow is TryEdit that goes well.
func (k *Keeper) EditRow(t testing.TB, id mailbox.ID, change func(*mailbox.Input)) {
	t.Helper()
	if err := k.TryEdit(t, id, change); err != nil {
		t.Fatalf("edit row %d: %v", id, err)
	}
}

// SwitchOff deactivates the row.
func (k *Keeper) SwitchOff(t testing.TB, id mailbox.ID) {
	t.Helper()
	if err := k.Deactivate(t.Context(), k.Contact, k.Domain, id); err != nil {
		t.Fatalf("deactivate row %d: %v", id, err)
	}
}

// ChallengeRow starts a round two minutes later, past the brake, and arms it: the
// digests by recipient.
func (k *Keeper) ChallengeRow(t testing.TB, id mailbox.ID) map[string][]byte {
	t.Helper()
	k.campus.Clock.Advance(2 * time.Minute)
	if _, err := k.Challenge(t.Context(), k.Contact, k.Domain, id); err != nil {
		t.Fatalf("challenge row %d: %v", id, err)
	}
	return k.Arm(t, id)
}

// ConfirmRow lets by answer a whole round.
func (k *Keeper) ConfirmRow(t testing.TB, by person.Actor, id mailbox.ID) {
	t.Helper()
	for recipient, digest := range k.ChallengeRow(t, id) {
		if _, err := k.Confirm(t.Context(), by, digest); err != nil {
			t.Fatalf("confirm %s: %v", recipient, err)
		}
	}
}

// LinkRow is AddRow that by confirmed whole.
func (k *Keeper) LinkRow(t testing.TB, by person.Actor, local string, aliases ...string) mailbox.ID {
	t.Helper()
	id := k.AddRow(t, local, aliases...)
	k.ConfirmRow(t, by, id)
	return id
}

// arm gives every queued challenge of the row a token, as its delivery would.
func (k *Keeper) arm(t testing.TB, id mailbox.ID) map[string][]byte {
	t.Helper()
	now := k.Now()
	rows, err := k.DB.Query(t.Context(), `update challenge set state = 'sent', sent = $2, token = sha256(('token ' || id)::bytea), expires = $3
		where row_id = $1 and state in ('queued', 'deferred') returning id, recipient, token`, id, now, now.Add(14*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	type armed struct {
		ID        int64
		Recipient string
		Token     []byte
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[armed])
	if err != nil {
		t.Fatal(err)
	}
	digests := map[string][]byte{}
	for _, c := range all {
		if _, err := k.DB.Exec(t.Context(), `insert into challenge_token (hash, challenge, made) values ($1, $2, $3)`, c.Token, c.ID, now); err != nil {
			t.Fatal(err)
		}
		digests[c.Recipient] = c.Token
	}
	return digests
}

// Selected are the local parts of the rows that v selects for by, in their order.
func (k *Keeper) Selected(t testing.TB, by person.Actor, v mailbox.View) (locals []string) {
	t.Helper()
	d, err := k.Org.Domain(t.Context(), k.campus.Officer, k.Domain)
	if err == nil {
		err = k.Each(t.Context(), k.DB, by, d, v, func(row mailbox.Row) error {
			local, _, _ := strings.Cut(string(row.Primary), "@")
			locals = append(locals, local)
			return nil
		})
	}
	if err != nil {
		t.Fatalf("select rows: %v", err)
	}
	return locals
}

// Exported is what by exports of v.
func (k *Keeper) Exported(t testing.TB, by person.Actor, v mailbox.View) (all []mailbox.Exported) {
	t.Helper()
	if err := k.Export(t.Context(), by, k.Domain, v, func(x mailbox.Exported) error { all = append(all, x); return nil }); err != nil {
		t.Fatalf("export rows: %v", err)
	}
	return all
}

// CountsAreTrue compares the counts of all domains with the rows, and the addresses
// with both.
func (k *Keeper) CountsAreTrue(t testing.TB) {
	t.Helper()
	if n := k.campus.Scalar(`select count(*) from ((select domain, status, count(*) from address_row group by 1, 2
			except select domain, status, sum(n)::bigint from address_row_count group by 1, 2)
		union all (select domain, state, count(*) from address_row group by 1, 2
			except select domain, state, sum(n)::bigint from address_row_tally group by 1, 2)) x`); n != 0 {
		t.Errorf("got %d statuses whose count is not that of the rows", n)
	}
	if n := k.campus.Scalar(`select count(*) from ((
			select r.id, u.place - 1, u.address, r.active from address_row r, unnest(array_prepend(r.primary_address, r.aliases)) with ordinality u (address, place)
			except select row_id, place, address, active from address)
		union all (select row_id, place, address, active from address
			except select r.id, u.place - 1, u.address, r.active from address_row r, unnest(array_prepend(r.primary_address, r.aliases)) with ordinality u (address, place))) x`); n != 0 {
		t.Errorf("got %d addresses that are not those of the rows", n)
	}
}
