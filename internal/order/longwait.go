package order

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/issuance"
	"petschaft/internal/person"
)

// LongWait is what an authority takes so long for that an officer is to see to it.
type LongWait struct {
	Kind      issuance.Kind
	Number    issuance.Number
	Reference string
	For       string   // whom: the applicant, or the organisation
	Names     []string // addresses, or names of servers
	Withdrawn bool     // the right to it ended: only what still comes is waited for
	Progress
}

// LongWaits returns what waits for issuance.LongWait or longer, or for an authority that is not set up, to a
// registration officer, the longest wait first, at most limit; also what was taken back: what comes of it has to be revoked.
func (b *Book) LongWaits(ctx context.Context, by person.Actor, limit int) ([]LongWait, error) {
	if err := person.OfficersOnly(by); err != nil {
		return nil, err
	}
	rows, err := b.DB.Query(ctx, `with i as (
			(select * from intent where state = 'pending' and asked <= @before order by asked limit @limit)
			union
			(select * from intent where next_look is not null and (state = 'asked' and asked <= @before or trouble = @unset)
				order by asked limit @limit))
		select i.kind, i.number, coalesce(p.reference, s.reference, '') as reference, coalesce(a.label, o.name, '') as "for",
			case when s.id is null then i.emails else i.names end as names, i.withdrawn is not null as withdrawn, `+waitColumns+`
		from i left join application p on p.id = i.number left join account a on a.id = p.account
			left join server_order s on s.id = i.number left join organisation o on o.id = s.organisation
		order by i.asked, i.number limit @limit`, pgx.NamedArgs{"before": b.Now().Add(-issuance.LongWait), "limit": limit, "unset": issuance.ErrNoAuthority.ID})
	if err != nil {
		return nil, fmt.Errorf("list long waits: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[LongWait])
}
