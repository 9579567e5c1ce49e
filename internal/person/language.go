package person

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
)

// SetLanguage notes in which language by wants letters; the one they have
// changes nothing. Until somebody chooses, letters come in both.
func (b *Book) SetLanguage(ctx context.Context, by Actor, lang string) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `update account set language = @lang where id = @id and language <> @lang`,
			pgx.NamedArgs{"id": by.Account, "lang": lang})
		if err != nil {
			return fmt.Errorf("set language: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		return audit.Write(ctx, tx, audit.Line{
			Who: by.Who(), At: b.Now(), Action: "person.language_chosen", Detail: audit.Detail{"language": lang}, About: []audit.Thing{by.Account.Thing()},
		})
	})
}
