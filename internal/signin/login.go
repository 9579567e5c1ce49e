package signin

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/person"
)

// Login is one sign-in in one browser, as its owner sees it.
type Login struct {
	ID      int64
	Started time.Time
	Seen    time.Time // to the minute
	Origin  netip.Addr
	Browser string // "Firefox, Windows"; "" when it did not say
	Here    bool   // the one that asks
}

// loginLimit bounds the session page.
const loginLimit = 100

// Logins returns by's own logins that still count, last seen first, at most
// 100.
func (d *Desk) Logins(ctx context.Context, by person.Actor) ([]Login, error) {
	return d.loginsOf(ctx, by.Account)
}

// LoginsOf are likewise those of an account, for registration officers.
func (d *Desk) LoginsOf(ctx context.Context, by person.Actor, account person.ID) ([]Login, error) {
	if err := person.OfficersOnly(by); err != nil {
		return nil, err
	}
	return d.loginsOf(ctx, account)
}

func (d *Desk) loginsOf(ctx context.Context, account person.ID) ([]Login, error) {
	args := d.limits(d.now())
	args["account"], args["limit"] = account, loginLimit
	rows, err := d.db.Query(ctx, `select l.id, l.started, l.seen, l.origin, l.user_agent
		from login l join account a on a.id = l.account
		where l.account = @account and `+counts+`
		order by l.seen desc, l.id desc limit @limit`, args)
	if err != nil {
		return nil, fmt.Errorf("read logins: %w", err)
	}
	here := visiting(ctx).login
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Login, error) {
		var l Login
		var from *netip.Addr
		var agent string
		err := row.Scan(&l.ID, &l.Started, &l.Seen, &from, &agent)
		if from != nil {
			l.Origin = *from
		}
		l.Browser, l.Here = browser(agent), l.ID == here
		return l, err
	})
	if err != nil {
		return nil, fmt.Errorf("read logins: %w", err)
	}
	return all, nil
}

// End ends one of by's own logins; its next request is nobody's. Ending twice
// changes nothing; somebody else's is Missing.
func (d *Desk) End(ctx context.Context, by person.Actor, id int64) error {
	return d.db.Tx(ctx, func(tx pgx.Tx) error {
		var own bool
		err := tx.QueryRow(ctx, `select exists (select from login where id = $1 and account = $2)`, id, by.Account).Scan(&own)
		if err != nil {
			return fmt.Errorf("look for login %d: %w", id, err)
		}
		if !own {
			return fault.New(fault.Missing, "fault.missing")
		}
		now := d.now()
		e, err := d.end(ctx, tx, now, id)
		if err != nil || e.ID == 0 {
			return err
		}
		return d.note(ctx, tx, now, by.Who(), "signin.ended", e)
	})
}

// EndOthers ends all of by's logins but the one that asks.
func (d *Desk) EndOthers(ctx context.Context, by person.Actor) error {
	return d.db.Tx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `select id from login where account = @account and ended is null and id <> @here order by id for update`,
			pgx.NamedArgs{"account": by.Account, "here": visiting(ctx).login})
		if err != nil {
			return fmt.Errorf("look for logins: %w", err)
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return fmt.Errorf("look for logins: %w", err)
		}
		now := d.now()
		for _, id := range ids {
			e, err := d.end(ctx, tx, now, id)
			if err != nil {
				return err
			}
			if err := d.note(ctx, tx, now, by.Who(), "signin.ended", e); err != nil {
				return err
			}
		}
		return nil
	})
}

// ended is a login that end has just ended; the zero value is none.
type ended struct {
	ID      int64
	Account person.ID
	IDToken []byte // sealed
}

// end ends a login at now and forgets its tokens. A login that has ended, or 0, gives
// the zero value.
func (d *Desk) end(ctx context.Context, tx pgx.Tx, now time.Time, id int64) (ended, error) {
	rows, err := tx.Query(ctx, `
		with old as (select id, id_token from login where id = @id and ended is null for update)
		update login l set ended = @now, id_token = null, refresh = null
		from old where l.id = old.id returning l.id, l.account, old.id_token`,
		pgx.NamedArgs{"id": id, "now": now})
	if err != nil {
		return ended{}, fmt.Errorf("end login %d: %w", id, err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[ended])
	if err != nil {
		return ended{}, fmt.Errorf("end login %d: %w", id, err)
	}
	if len(all) == 0 {
		return ended{}, nil
	}
	return all[0], nil
}

func (d *Desk) note(ctx context.Context, tx pgx.Tx, now time.Time, who audit.Who, action string, e ended) error {
	return audit.Write(ctx, tx, audit.Line{
		Who: who, At: now, Action: action, Detail: audit.Detail{"login": e.ID}, About: []audit.Thing{e.Account.Thing()},
	})
}
