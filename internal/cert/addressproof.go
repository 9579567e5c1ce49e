package cert

import (
	"time"

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

// Proofs is SQL for AddressProofs of the addresses @plain of the row @row, folded
// @folded: by which challenge @account confirmed each last, and how its domain is
// validated. The row is locked.
const Proofs = `select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
			'address', n.address, 'account', c.account, 'by', p.label, 'confirmed', c.ended, 'round', c.round, 'challenge', c.id,
			'recipient', c.recipient, 'sent', c.sent, 'validation', nullif(d.validation, ''), 'domain_method', nullif(d.proof_method, ''),
			'domain_by', nullif(d.proof_by, ''), 'domain_from', d.proof_from, 'domain_until', d.proof_until)) order by n.place), '[]')
		from unnest(@plain::text[], @folded::text[]) with ordinality n (address, folded, place)
		left join lateral (
			select id, round, recipient, account, ended, sent from challenge
			where row_id = @row and account = @account and state = 'confirmed' and n.folded = any(covers) order by ended desc, id desc limit 1) c on true
		left join account p on p.id = c.account
		left join email_domain d on d.name = split_part(n.folded, '@', 2)`
