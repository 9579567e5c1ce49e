package order

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/mailbox"
	"petschaft/internal/pki"
)

// profile is what certificate a row gets: a function's names its mailbox alone;
// a person's names the organisation that vouches for the row's domain, where
// certificates can name it.
func (b *Book) profile(ctx context.Context, tx pgx.Tx, l mailbox.Linked) (pki.ProfileID, pki.Sponsor, error) {
	if l.Kind != mailbox.Personal {
		return pki.MailMailbox, pki.Sponsor{}, nil
	}
	var s pki.Sponsor
	err := tx.QueryRow(ctx, `select o.name, o.identifier, o.country from email_domain d join organisation o on o.id = d.organisation where d.id = $1`,
		l.Domain).Scan(&s.Organisation, &s.Identifier, &s.Country)
	switch {
	case err != nil && !errors.Is(err, pgx.ErrNoRows):
		return "", s, fmt.Errorf("look for who vouches for domain %d: %w", l.Domain, err)
	case err != nil || !s.Usable():
		return pki.MailIndividual, pki.Sponsor{}, nil
	case b.Multipurpose:
		return pki.MailMulti, s, nil
	}
	return pki.MailSponsored, s, nil
}
