package imports

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/sheet"
)

// What lies in the portal of imports that were not applied: how many of one
// person in one domain, and how much of one person, and in one domain.
const (
	MostOpen  = 5
	MostSpace = 100 << 20 // bytes; each upload under way counts with all that it may become
)

var (
	// ErrOpen is that so many of somebody's imports are being worked on there.
	ErrOpen = fault.New(fault.Conflict, "mailbox.import.open", "most", MostOpen)
	// ErrSpace is that so much of somebody's lies there, ErrSpaceDomain that of all.
	ErrSpace       = fault.New(fault.Conflict, "mailbox.import.space", "most", MostSpace>>20)
	ErrSpaceDomain = fault.New(fault.Conflict, "mailbox.import.space_domain", "most", MostSpace>>20)
)

// One upload of a person after the other, and one in a domain, counts what is there:
// first the person's lock, then the domain's.
const (
	ownLock    = `select pg_advisory_xact_lock(hashtext('imports.quota'), $1::int)`
	domainLock = `select pg_advisory_xact_lock(hashtext('imports.quota.domain'), $1::int)`
)

// reserve begins an upload, before any of it is read, if there is room for it.
func (b *Book) reserve(ctx context.Context, now time.Time, by person.Actor, d org.EmailDomain, f *received) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, ownLock, int32(by.Account)); err != nil {
			return fmt.Errorf("begin upload: %w", err)
		}
		if _, err := tx.Exec(ctx, domainLock, int32(d.ID)); err != nil {
			return fmt.Errorf("begin upload: %w", err)
		}
		var busy int
		var own, all int64
		err := tx.QueryRow(ctx, `select count(*) filter (where account = @by and domain = @domain and state in ('uploading', 'planning', 'applying')),
				coalesce(sum(bytes) filter (where account = @by), 0)::bigint, coalesce(sum(bytes) filter (where domain = @domain), 0)::bigint
			from import where state in ('uploading', 'uploaded', 'planning', 'planned', 'applying') and (account = @by or domain = @domain)`,
			pgx.NamedArgs{"by": by.Account, "domain": d.ID}).Scan(&busy, &own, &all)
		switch {
		case err != nil:
			return fmt.Errorf("begin upload: %w", err)
		case busy >= MostOpen:
			return ErrOpen
		case own > MostSpace-sheet.MaxBytes:
			return ErrSpace
		case all > MostSpace-sheet.MaxBytes:
			return ErrSpaceDomain
		}
		err = tx.QueryRow(ctx, `insert into import (domain, account, file_name, bytes, created, since) values (@domain, @by, @name, @most, @now, @now) returning id`,
			pgx.NamedArgs{"domain": d.ID, "by": by.Account, "name": f.name, "most": sheet.MaxBytes, "now": now}).Scan(&f.id)
		if err != nil {
			return fmt.Errorf("begin upload: %w", err)
		}
		return nil
	})
}

// makeRoom throws the oldest imports of by in d away that nobody applied, beyond
// as many as may be there with id, which stays.
func (b *Book) makeRoom(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, d org.EmailDomain, id ID) error {
	if _, err := tx.Exec(ctx, ownLock, int32(by.Account)); err != nil {
		return fmt.Errorf("make room: %w", err)
	}
	rows, err := tx.Query(ctx, `select id, file_name from import where id in (
			select id from import where account = @by and domain = @domain and state in ('uploaded', 'planning', 'planned', 'applying') and id <> @id
			order by id desc offset @most) and state in ('uploaded', 'planned') order by id for update`,
		pgx.NamedArgs{"by": by.Account, "domain": d.ID, "id": id, "most": MostOpen - 1})
	if err != nil {
		return fmt.Errorf("make room: %w", err)
	}
	type old struct {
		ID       ID
		FileName string
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[old])
	if err != nil {
		return fmt.Errorf("make room: %w", err)
	}
	for _, o := range all {
		if err := b.forget(ctx, tx, now, o.ID); err != nil {
			return err
		}
		err := b.note(ctx, tx, now, by.Who(), "mailbox.import_discarded", audit.Detail{"file": o.FileName, "import": o.ID, "why": "mailbox.import.replaced"}, o.ID.Thing(), d.ID.Thing())
		if err != nil {
			return err
		}
	}
	return nil
}
