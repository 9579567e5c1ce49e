package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/postgres"
)

// move lets the accounts of other ports follow to the provider at issuer: who
// somebody is to the portal is issuer and subject, and the issuer holds the port.
// They sign in again, since what their sessions hold is of the old issuer. Of two
// accounts of one person, which the demo once made of this, the older has the
// rights; the other is nobody any more.
func move(ctx context.Context, db *postgres.DB, issuer string) error {
	err := db.Tx(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `update login set ended = now() where ended is null and account in (select id from account where issuer <> $1)`, issuer); err != nil {
			return err
		}
		const older = `exists (select from account o where o.subject = a.subject and o.id < a.id)`
		if _, err := tx.Exec(ctx, `update account a set issuer = 'http://nobody.invalid/' || id where `+older); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `update account a set issuer = $1 where issuer <> $1 and not `+older, issuer)
		return err
	})
	if err != nil {
		return fmt.Errorf("let the accounts follow to %s: %w", issuer, err)
	}
	return nil
}

// moved changes links of the portal at earlier ports into links of today's.
func (s settings) moved() *strings.Replacer {
	var pairs []string
	for _, port := range s.Was {
		pairs = append(pairs, local("127.0.0.1", port)+"/", local("127.0.0.1", s.Portal)+"/")
	}
	return strings.NewReplacer(pairs...)
}
