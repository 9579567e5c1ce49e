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
	Authority string   // by name, that its certificates come from; empty: the portal's own
}

const productColumns = `p.code, p.most_names, p.wildcard, p.keys, p.days, p.active, p.authority`

// Products are all of them, as they are offered; nobody's rights matter.
func (b *Book) Products(ctx context.Context) ([]Product, error) {
	rows, err := b.DB.Query(ctx, `select `+productColumns+` from product p order by p.place, p.code limit 100`)
	if err != nil {
		return nil, fmt.Errorf("list products: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Product])
}

// OfferProduct switches a product on or off for new orders; those that were
// submitted go on. Doing it twice changes nothing.
func (b *Book) OfferProduct(ctx context.Context, by person.Actor, code string, active bool) error {
	return b.changeProduct(ctx, by, code, func(tx pgx.Tx, p Product) error {
		if p.Active == active {
			return nil
		}
		if err := postgres.Write(ctx, tx, `update product set active = @active where code = @code`, pgx.NamedArgs{"code": code, "active": active}); err != nil {
			return fmt.Errorf("switch product: %w", err)
		}
		action := "order.product_off"
		if active {
			action = "order.product_on"
		}
		return audit.Write(ctx, tx, audit.Line{Who: by.Who(), At: b.Now(), Action: action, Detail: audit.Detail{"name": code}})
	})
}

// SetProductAuthority says from which authority the certificates of a product come
// that are approved from now on; empty: from the portal's own. Doing it twice
// changes nothing.
func (b *Book) SetProductAuthority(ctx context.Context, by person.Actor, code, name string) error {
	return b.changeProduct(ctx, by, code, func(tx pgx.Tx, p Product) error {
		if name != "" && !slices.Contains(b.Issuance.Registry.ForServers(), name) {
			var bad fault.Fields
			bad.Add("authority", "serverorder.product.authority")
			return bad.Err()
		}
		if p.Authority == name {
			return nil
		}
		if err := postgres.Write(ctx, tx, `update product set authority = @name where code = @code`, pgx.NamedArgs{"code": code, "name": name}); err != nil {
			return fmt.Errorf("choose the authority of a product: %w", err)
		}
		return audit.Write(ctx, tx, audit.Line{
			Who: by.Who(), At: b.Now(), Action: "order.product_authority", Detail: audit.Detail{"name": code, "authority": name},
		})
	})
}

// changeProduct runs f for an officer with the product locked.
func (b *Book) changeProduct(ctx context.Context, by person.Actor, code string, f func(tx pgx.Tx, p Product) error) error {
	if err := person.OfficersOnly(by); err != nil {
		return err
	}
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `select `+productColumns+` from product p where p.code = $1 for update`, code)
		if err != nil {
			return fmt.Errorf("read product: %w", err)
		}
		p, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Product])
		if err != nil {
			return postgres.Fault(err)
		}
		return f(tx, p)
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
