package order

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/issuance"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

const columns = `p.id, p.reference, p.row_id, r.name as row_name, r.primary_address as row_address, p.account,
	a.label as applicant, p.key_kind, sha256(p.spki) as key_id, p.state, p.reason, p.findings, p.attempts, p.emails,
	p.certificate, (select k.id from certificate k where k.reference = p.reference and k.unwanted and k.account is not null) as late, p.created, p.ended, ` + waitColumns

const tables = `application p join address_row r on r.id = p.row_id join account a on a.id = p.account left join intent i on i.number = p.id`

// Progress is how far an authority has come with what it was asked for. The zero value
// is that none was asked by this version.
type Progress struct {
	Stage    issuance.State // empty: there is no intent
	With     string         // the authority, by name
	Asked    *time.Time     // since when it is waited for
	NextLook *time.Time     // when somebody looks next
	Person   bool           // somebody there has to look first
	Tries    int            // calls in a row of which nobody knows what became
	Said     string         // by the authority; for officers
	Trouble  string         // why it was not heard since, as a message id; for officers
}

// Unset tells whether it waits because its authority is not set up.
func (w Progress) Unset() bool { return w.Stage.Open() && w.Trouble == issuance.ErrNoAuthority.ID }

// Long tells whether an officer is to see to it that it goes on.
func (w Progress) Long(now time.Time) bool {
	return w.Unset() || w.Stage.Open() && w.Asked != nil && now.Sub(*w.Asked) >= issuance.LongWait
}

const waitColumns = `coalesce(i.state, '') as stage, coalesce(i.authority, '') as with, i.asked, i.next_look, coalesce(i.person, false) as person,
	coalesce(i.attempts, 0) as tries, coalesce(i.said, '') as said, coalesce(i.trouble, '') as trouble`

// One returns the application id to its applicant and to registration officers;
// to others it is missing.
func (b *Book) One(ctx context.Context, by person.Actor, id ID) (Application, error) {
	rows, err := b.DB.Query(ctx, `select `+columns+` from `+tables+` where p.id = @id and (p.account = @account and `+org.InSession+` or @officer)`,
		org.Scope(by, pgx.NamedArgs{"id": id}))
	if err != nil {
		return Application{}, fmt.Errorf("read application %d: %w", id, err)
	}
	a, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Application])
	return a, postgres.Fault(err)
}

// ByKey returns by's newest application for the key whose SHA-256 is id.
func (b *Book) ByKey(ctx context.Context, by person.Actor, id []byte) (Application, error) {
	rows, err := b.DB.Query(ctx, `select `+columns+` from `+tables+` where p.account = $1 and sha256(p.spki) = $2 order by p.id desc limit 1`, by.Account, id)
	if err != nil {
		return Application{}, fmt.Errorf("read application by key: %w", err)
	}
	a, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Application])
	return a, postgres.Fault(err)
}

// Mine returns by's own applications that wait, failed or were refused, newest
// first, at most limit; those that were followed by a later one are left out, and
// those that they took back themselves.
func (b *Book) Mine(ctx context.Context, by person.Actor, limit int) ([]Application, error) {
	rows, err := b.DB.Query(ctx, `select `+columns+` from `+tables+`
		where p.account = @account and `+org.InSession+` and p.state not in ('issued', 'withdrawn')
			and not exists (select from application n where n.account = p.account and n.row_id = p.row_id and n.id > p.id)
		order by p.id desc limit @limit`, org.Scope(by, pgx.NamedArgs{"limit": limit}))
	return collect(rows, err)
}

// Failures returns the newest failed applications that no later one followed to
// a registration officer, at most limit.
func (b *Book) Failures(ctx context.Context, by person.Actor, limit int) ([]Application, error) {
	if err := person.OfficersOnly(by); err != nil {
		return nil, err
	}
	rows, err := b.DB.Query(ctx, `select `+columns+` from `+tables+` where p.state = 'failed' and not exists (select from application n where n.row_id = p.row_id and n.id > p.id)
		order by p.ended desc limit $1`, limit)
	return collect(rows, err)
}

func collect(rows pgx.Rows, err error) ([]Application, error) {
	if err == nil {
		var all []Application
		if all, err = pgx.CollectRows(rows, pgx.RowToStructByName[Application]); err == nil {
			return all, nil
		}
	}
	return nil, fmt.Errorf("list applications: %w", err)
}
