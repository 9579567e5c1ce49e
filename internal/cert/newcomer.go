package cert

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/web/paths"
)

// mostHolders bounds who hears of a newcomer.
const mostHolders = 20

// otherHolder is somebody with a valid certificate of a row.
type otherHolder struct {
	Name     string
	Email    string
	Language string
}

// TellNewcomer is the step that tells of an application by somebody new: whoever
// else holds a valid certificate of the row, and the contact group's mailbox. The
// row is locked. Without other holders nobody is told.
func (b *Book) TellNewcomer(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, l mailbox.Linked) error {
	rows, err := tx.Query(ctx, `
		select distinct a.label as name, a.language,
			case when a.locked is null then `+holderTo+` else '' end as email
		from certificate c join account a on a.id = c.account
		where c.row_id = @row and c.account <> @by and c.revoked is null and not c.unwanted and c.not_after > @now order by 1, 3 limit @most`,
		pgx.NamedArgs{"row": l.RowID, "by": by.Account, "now": now, "most": mostHolders})
	if err != nil {
		return fmt.Errorf("look for holders of row %d: %w", l.RowID, err)
	}
	others, err := pgx.CollectRows(rows, pgx.RowToStructByName[otherHolder])
	if err != nil || len(others) == 0 {
		return err
	}
	return b.tellNewcomer(ctx, tx, now, by, l, others)
}

func (b *Book) tellNewcomer(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, l mailbox.Linked, others []otherHolder) error {
	w := mail.AppliedWords{Address: string(l.Primary), By: by.Name, At: now}
	var names []string
	for _, o := range others {
		names = append(names, o.Name)
		if o.Email == "" {
			continue
		}
		w.Reader, w.Link = mail.Reader{To: o.Email, Lang: o.Language}, b.Base+paths.ClientCertificates
		if err := b.Outbox.Post(ctx, tx, w); err != nil {
			return err
		}
	}
	var notify string
	if err := tx.QueryRow(ctx, `select notify from contact_group where id = $1`, l.Group).Scan(&notify); err != nil {
		return fmt.Errorf("read contact group %d: %w", l.Group, err)
	}
	if notify == "" {
		return nil
	}
	w.Reader, w.Holders, w.Link = mail.Reader{To: notify}, names, b.Base+paths.Row(l.DomainName, l.RowID)
	return b.Outbox.Post(ctx, tx, w)
}
