package issuance

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/cert"
	"petschaft/internal/person"
)

// LongRevocation is after how long an authority should have revoked a certificate
// (S/MIME BR 4.9.1.1, TLS BR 4.9.1.1: within 24 hours, for most reasons).
const LongRevocation = 24 * time.Hour

// BeingRevoked is a certificate that an authority outside was asked to revoke and has
// not, for LongRevocation or longer. Said is by the authority.
type BeingRevoked struct {
	cert.Unrevoked
	Tries   int    // calls in a row of which nobody knows what became
	Trouble string // why it was not heard since, as a message id
}

// LongRevocations returns them to a registration officer, the longest first, at most limit.
func (b *Book) LongRevocations(ctx context.Context, by person.Actor, limit int) ([]BeingRevoked, error) {
	found, err := b.Cert.AllRevoking(ctx, by, b.Now().Add(-LongRevocation), limit)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	all, ids, place := make([]BeingRevoked, len(found)), make([]cert.ID, len(found)), map[cert.ID]int{}
	for i, u := range found {
		all[i].Unrevoked, ids[i], place[u.ID] = u, u.ID, i
	}
	rows, err := b.DB.Query(ctx, `select certificate, attempts, said, trouble from withdrawal where certificate = any($1)`, ids)
	if err != nil {
		return nil, fmt.Errorf("read how revocations stand: %w", err)
	}
	var id cert.ID
	var tries int
	var said, trouble string
	_, err = pgx.ForEachRow(rows, []any{&id, &tries, &said, &trouble}, func() error {
		x := &all[place[id]]
		x.Tries, x.Said, x.Trouble = tries, said, trouble
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read how revocations stand: %w", err)
	}
	return all, nil
}
