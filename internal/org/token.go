package org

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/person"
)

// MakeToken makes an API token of by that reaches only domains and organisations
// which by looks after. Its secret is returned here and never again.
func (b *Book) MakeToken(ctx context.Context, by person.Actor, in person.TokenInput) (secret string, id person.TokenID, err error) {
	err = b.DB.Tx(ctx, func(tx pgx.Tx) error {
		if err := b.within(ctx, tx, by, in); err != nil {
			return err
		}
		secret, id, err = b.People.MakeToken(ctx, tx, by, in)
		return err
	})
	return secret, id, err
}

// within refuses what by does not look after, without telling whether it exists.
func (b *Book) within(ctx context.Context, tx pgx.Tx, by person.Actor, in person.TokenInput) error {
	var domains, organisations int
	err := tx.QueryRow(ctx, `select
			(select count(*) from unnest(@asked_domains::bigint[]) x where not exists (select from email_domain d where d.id = x and `+IsContact+`)),
			(select count(*) from unnest(@asked_organisations::bigint[]) x where not exists (select from organisation o where o.id = x and `+IsTechnicalContact+`))`,
		Scope(by, pgx.NamedArgs{"asked_domains": in.Domains, "asked_organisations": in.Organisations})).Scan(&domains, &organisations)
	if err != nil {
		return fmt.Errorf("look for what account %d looks after: %w", by.Account, err)
	}
	var bad fault.Fields
	if domains > 0 {
		bad.Add("domains", "token.domains_foreign")
	}
	if organisations > 0 {
		bad.Add("organisations", "token.organisations_foreign")
	}
	return bad.Err()
}
