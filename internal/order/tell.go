package order

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/cert"
	"petschaft/internal/mail"
	"petschaft/web/paths"
)

// tellEvery is how long new orders are gathered before officers get one mail
// about all of them.
const tellEvery = 5 * time.Minute

type tellArgs struct{}

func (tellArgs) Kind() string { return "order_tell" }

type recheckArgs struct{}

func (recheckArgs) Kind() string { return "order_recheck" }

// Bounds of one round of mails: how many orders it tells of, and how many of
// them a letter names.
const (
	tellMost  = 1000
	tellNamed = 20
)

// untold is an order that waits and of which no officer was told, for one of the
// officers who may decide it.
type untold struct {
	Email        string
	Language     string
	Reference    string
	Name         string
	Organisation string
	Waiting      bool // for a validation
}

// TellOfficers writes one mail to each registration officer about all orders
// that came since the last one and that they may decide. Officers are the
// accounts with the provider's group, as of their last sign-in.
func (b *Book) TellOfficers(ctx context.Context) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			with s as (
				update server_order set told = @now where id in (
					select id from server_order where told is null and state in ('received', 'waiting') order by id limit @most for update skip locked)
				returning id, reference, names[1] as name, organisation, state)
			select `+cert.LettersTo+` as email, a.language, s.reference, s.name, o.name as organisation, s.state = 'waiting' as waiting
			from s join organisation o on o.id = s.organisation join account a on a.id <> o.contact
			where @group = any(a.groups) and a.locked is null
				and not exists (select from server_order_author h where h.server_order = s.id and h.account = a.id)
			order by email, s.id`, pgx.NamedArgs{"now": b.Now(), "most": tellMost, "group": b.Officers})
		if err != nil {
			return fmt.Errorf("look for orders to tell of: %w", err)
		}
		all, err := pgx.CollectRows(rows, pgx.RowToStructByName[untold])
		if err != nil {
			return fmt.Errorf("look for orders to tell of: %w", err)
		}
		for len(all) > 0 {
			n := 1
			for n < len(all) && all[n].Email == all[0].Email {
				n++
			}
			if err := b.Cert.Outbox.Post(ctx, tx, b.waitingLetter(all[:n])); err != nil {
				return err
			}
			all = all[n:]
		}
		return nil
	})
}

func (b *Book) waitingLetter(orders []untold) mail.OrdersWaitingWords {
	w := mail.OrdersWaitingWords{Reader: mail.Reader{To: orders[0].Email, Lang: orders[0].Language}, Count: len(orders), Link: b.Cert.Base + paths.OfficeOrders}
	for _, o := range orders[:min(len(orders), tellNamed)] {
		w.Orders = append(w.Orders, mail.WaitingOrder{Reference: o.Reference, Name: cert.Spelled(o.Name), Organisation: o.Organisation, Validation: o.Waiting})
	}
	w.More = len(orders) - len(w.Orders)
	return w
}
