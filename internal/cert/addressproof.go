package cert

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
)

// AddressProof is what shows that an address belongs to whom it is certified
// for. Of an address that nothing is known of only the address is there.
type AddressProof struct {
	Address     string     `json:"address"`
	Account     person.ID  `json:"account,omitempty"` // who confirmed
	By          string     `json:"by,omitempty"`
	Confirmed   *time.Time `json:"confirmed,omitempty"`
	Round       int64      `json:"round,omitempty"`
	Challenge   int64      `json:"challenge,omitempty"`
	Recipient   string     `json:"recipient,omitempty"` // of the challenge mail
	Sent        *time.Time `json:"sent,omitempty"`
	Validation  string     `json:"validation,omitempty"` // of the address's domain: "domain" or "mailbox"
	ProofMethod string     `json:"domain_method,omitempty"`
	ProofBy     string     `json:"domain_by,omitempty"`
	ProofFrom   *time.Time `json:"domain_from,omitempty"`
	ProofUntil  *time.Time `json:"domain_until,omitempty"`
}

// AddressProofs is the step that tells of every address of a row by which challenge the
// account confirmed it last, and how its domain is validated. The row is locked.
func (b *Book) AddressProofs(ctx context.Context, tx pgx.Tx, account person.ID, row mailbox.ID, addresses []org.Address) ([]AddressProof, error) {
	rows, err := tx.Query(ctx, `
		select n.address, coalesce(c.account, 0) as account, coalesce(p.label, '') as by,
			c.ended as confirmed, coalesce(c.round, 0) as round, coalesce(c.id, 0) as challenge, coalesce(c.recipient, '') as recipient, c.sent,
			coalesce(d.validation, '') as validation, coalesce(d.proof_method, '') as proof_method, coalesce(d.proof_by, '') as proof_by,
			d.proof_from, d.proof_until
		from unnest(@plain::text[], @folded::text[]) with ordinality n (address, folded, place)
		left join lateral (
			select id, round, recipient, account, ended, sent from challenge
			where row_id = @row and account = @account and state = 'confirmed' and n.folded = any(covers) order by ended desc, id desc limit 1) c on true
		left join account p on p.id = c.account
		left join email_domain d on d.name = split_part(n.folded, '@', 2)
		order by n.place`, pgx.NamedArgs{"plain": org.Plain(addresses), "folded": org.Folded(addresses), "row": row, "account": account})
	if err != nil {
		return nil, fmt.Errorf("read what confirmed the addresses of row %d: %w", row, err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[AddressProof])
}
