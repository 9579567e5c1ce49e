package order

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// Product is a kind of server certificate that can be ordered.
type Product struct {
	Code      string
	MostNames int
	Wildcard  bool     // it may carry names that begin with "*."
	Keys      []string // as pki.Key words them
	Days      int      // its life, unless the rules of the day allow less
	Active    bool     // it can be ordered
}

const productColumns = `p.code, p.most_names, p.wildcard, p.keys, p.days, p.active`

// Products are all of them, as they are offered; nobody's rights matter.
func (b *Book) Products(ctx context.Context) ([]Product, error) { return products(ctx, b.DB) }

func products(ctx context.Context, q postgres.Querier) ([]Product, error) {
	rows, err := q.Query(ctx, `select `+productColumns+` from product p order by p.place, p.code limit 100`)
	if err != nil {
		return nil, fmt.Errorf("list products: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Product])
}

func product(ctx context.Context, q postgres.Querier, code string) (Product, bool, error) {
	all, err := products(ctx, q)
	i := slices.IndexFunc(all, func(p Product) bool { return p.Code == code })
	if err != nil || i < 0 {
		return Product{}, false, err
	}
	return all[i], true, nil
}

// OfferProduct switches a product on or off for new orders; those that were
// submitted go on. Doing it twice changes nothing.
func (b *Book) OfferProduct(ctx context.Context, by person.Actor, code string, active bool) error {
	if err := person.OfficersOnly(by); err != nil {
		return err
	}
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		_, known, err := product(ctx, tx, code)
		if err != nil {
			return err
		}
		if !known {
			return fault.New(fault.Missing, "fault.missing")
		}
		tag, err := tx.Exec(ctx, `update product set active = $2 where code = $1 and active <> $2`, code, active)
		if err != nil {
			return fmt.Errorf("switch product: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		action := "order.product_off"
		if active {
			action = "order.product_on"
		}
		return audit.Write(ctx, tx, audit.Line{Who: by.Who(), At: b.Now(), Action: action, Detail: audit.Detail{"name": code}})
	})
}

// Suggest is the first of the products that fits such names, "" when none does.
func Suggest(all []Product, names []string) string {
	wildcard := slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(strings.TrimSpace(n), "*.") })
	for _, p := range all {
		if p.Active && len(names) <= p.MostNames && (p.Wildcard || !wildcard) {
			return p.Code
		}
	}
	return ""
}
