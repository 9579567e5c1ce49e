package imports

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/brake"
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
var (
	ownShelf    = brake.Shelf{Kind: "imports.quota", Most: MostOpen}
	domainShelf = brake.Shelf{Kind: "imports.quota.domain"}
)

// reserve begins an upload, before any of it is read, if there is room for it.
func (b *Book) reserve(ctx context.Context, now time.Time, by person.Actor, d org.EmailDomain, f *received) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		if err := ownShelf.Lock(ctx, tx, int64(by.Account)); err != nil {
			return err
		}
		if err := domainShelf.Lock(ctx, tx, int64(d.ID)); err != nil {
			return err
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
	return ownShelf.Room(ctx, tx, int64(by.Account), `select id from import
		where account = @by and domain = @domain and state in ('uploaded', 'planning', 'planned', 'applying') and id <> @id order by id desc`,
		pgx.NamedArgs{"by": by.Account, "domain": d.ID, "id": id},
		func(old int64) error { return b.replace(ctx, tx, now, by, d, ID(old)) })
}

// replace throws id away, unless somebody works on it.
func (b *Book) replace(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, d org.EmailDomain, id ID) error {
	var file string
	err := tx.QueryRow(ctx, `select file_name from import where id = $1 and state in ('uploaded', 'planned') for update`, id).Scan(&file)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("replace import %d: %w", id, err)
	}
	if err := b.forget(ctx, tx, now, id); err != nil {
		return err
	}
	return b.note(ctx, tx, now, by.Who(), "mailbox.import_discarded", audit.Detail{"file": file, "import": id, "why": "mailbox.import.replaced"}, id.Thing(), d.ID.Thing())
}
