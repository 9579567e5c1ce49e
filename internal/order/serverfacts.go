package order

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/cert"
	"petschaft/internal/compromise"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

// known is what the database knows now of what an order is for.
type known struct {
	Offer       *Product // nil: there is none of that code
	Owned       []org.ServerName
	Compromised bool // the key, by what was revoked or should be
	Elsewhere   bool // somebody else has a certificate for the key
}

// knownColumns read it for an organisation, a product and a key's fingerprint,
// which are SQL. However many certificates there are of the key, a few are read; one
// that is unexpected is nobody's.
func knownColumns(organisation, product, key string) string {
	return `(select jsonb_build_object('Code', p.code, 'MostNames', p.most_names, 'Wildcard', p.wildcard, 'Keys', p.keys, 'Days', p.days,
			'Active', p.active, 'Authority', p.authority) from product p where p.code = ` + product + `) as offer,
		` + org.NamesOf(organisation) + ` as owned,
		` + compromise.Of(key) + ` as compromised,
		coalesce((select min(k.organisation) < ` + organisation + ` or max(k.organisation) > ` + organisation + `
				from certificate k where k.key = ` + key + ` and k.organisation is not null), false)
			or exists (select from certificate k where k.key = ` + key + ` and k.account is not null) as elsewhere`
}

// of fills in what is known.
func (f facts) of(k known) facts {
	if k.Offer != nil {
		f.product = *k.Offer
	}
	f.owned, f.compromised, f.elsewhere = k.Owned, k.Compromised, k.Elsewhere
	return f
}

// facts are what the checks of o look at, as far as o itself says it.
func (o ServerOrder) facts() (f facts, err error) {
	f = facts{names: o.Names, comment: o.Comment, byOfficer: o.ByOfficer, self: o.ID, replaces: o.Replaces}
	if f.key, err = pki.ReadKey(o.SPKI); err != nil {
		return f, fmt.Errorf("read the key of order %d: %w", o.ID, err)
	}
	return f, nil
}

// sought is what is asked along with the facts of an order that is written now.
type sought struct {
	product string
	form    string // of by, which may have made an order before; empty: of none
	by      person.ID
	draw    bool // the number of a new order
}

// looked is what look found.
type looked struct {
	known
	Twins   []twin
	Kept    []byte   // the request as it came with the order itself, or with the one whose certificate is renewed
	Earlier ServerID // that the form made
	Number  ServerID // of the new one
}

// look fills in, by one statement, what the database knows of names, key and
// product.
func (b *Book) look(ctx context.Context, q postgres.Querier, now time.Time, o org.OrganisationID, s sought, f *facts) (looked, error) {
	rows, err := q.Query(ctx, `select `+knownColumns(`@organisation`, `@product`, `@key`)+`, `+twinColumn+` as twins,
			coalesce((select nullif(s.csr, '') from server_order s where s.id = @self),
				(select s.csr from certificate c join server_order s on s.id = c.server_order where c.id = @replaces), '') as kept,
			coalesce((select s.id from server_order s where s.submitter = @by and s.form = nullif(@form, '')), 0) as earlier,
			case when @draw then nextval(pg_get_serial_sequence('application', 'id')) else 0 end as number`, pgx.NamedArgs{
		"organisation": o, "product": s.product, "key": f.key.Fingerprint[:], "spki": append([]byte{}, f.key.SPKI...), "names": append([]string{}, f.names...),
		"self": f.self, "replaces": f.replaces, "now": now, "most": mostTwins, "by": s.by, "form": s.form, "draw": s.draw,
	})
	if err != nil {
		return looked{}, fmt.Errorf("look at what is ordered: %w", err)
	}
	l, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[looked])
	if err != nil {
		return looked{}, fmt.Errorf("look at what is ordered: %w", err)
	}
	*f = f.of(l.known)
	f.twins = l.Twins
	if f.csr == nil && heldBy(l.Kept, f.key) {
		f.csr = l.Kept
	}
	return l, nil
}

// heldBy tells whether a request that was kept is one of that key: a process of
// the version before, which keeps none, may have changed the key of an order.
func heldBy(csr []byte, k pki.Key) bool {
	if len(csr) == 0 {
		return false
	}
	c, err := pki.ReadCSR(csr)
	return err == nil && c.Key.Equal(k)
}

// facts are those of an order as of now.
func (b *Book) facts(ctx context.Context, q postgres.Querier, now time.Time, o ServerOrder) (facts, error) {
	f, err := o.facts()
	if err != nil {
		return f, err
	}
	_, err = b.look(ctx, q, now, o.Organisation, sought{product: o.Product}, &f)
	return f, err
}

// judge makes the checks of an order as of now.
func (b *Book) judge(ctx context.Context, q postgres.Querier, now time.Time, o ServerOrder) (Checks, error) {
	f, err := b.facts(ctx, q, now, o)
	if err != nil {
		return nil, err
	}
	return f.checks(now), nil
}

// nameProofs are what shows at at that the names belong to the organisation.
func nameProofs(owned []org.ServerName, names []string, at time.Time) []cert.NameProof {
	all := make([]cert.NameProof, len(names))
	for i, n := range names {
		all[i].Name = n
		if verdict, by := org.Judge(owned, n, at); verdict == org.Own {
			all[i] = cert.NameProof{Name: n, Domain: string(by.Name), Method: by.Method, By: by.By, From: by.From, Until: by.ProvenUntil()}
		}
	}
	return all
}
