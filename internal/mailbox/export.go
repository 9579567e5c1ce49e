package mailbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/org"
	"petschaft/internal/person"
)

// Exported is a row as a file holds it.
type Exported struct {
	Name           string
	Primary        org.Address
	Aliases        [2]org.Address // empty where there is none
	Kind           Kind
	Applicant      org.Address
	Comment        string
	Status         Status
	Linked         string // the name of the linked account, or empty
	CertificateEnd *time.Time
	Doubtful       bool // the linked person's verified address was none of the row's
}

// sortMemory keeps the rows of a large domain off the disk while they are
// sorted: no more than that, and only where there are so many.
const sortMemory = `set local work_mem = '64MB'`

// Export calls f with every row of the domain that v selects, by name, until f
// fails. It streams from one statement and holds a connection as long as f
// takes; how v sorts and pages does not matter.
func (b *Book) Export(ctx context.Context, by person.Actor, domain string, v View, f func(Exported) error) error {
	d, err := b.Org.Domain(ctx, by, domain)
	if err != nil {
		return err
	}
	where, args := v.selects(d)
	return pgx.BeginTxFunc(ctx, b.DB, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sortMemory); err != nil {
			return fmt.Errorf("export rows: %w", err)
		}
		rows, err := tx.Query(ctx, `
			select r.name, r.primary_address, coalesce(r.aliases[1], ''), coalesce(r.aliases[2], ''), r.kind, r.applicant, r.comment, r.state,
				coalesce(la.label, ''), nullif(r.certificate_end, 'infinity'), r.doubtful
			from `+rowTables+` where `+where+` order by r.name, r.id`, org.Scope(by, args))
		if err != nil {
			return fmt.Errorf("export rows: %w", err)
		}
		// Plain strings: to look through our types costs more than all the rest.
		var name, primary, first, second, kind, applicant, comment, status, linked string
		var end *time.Time
		var doubtful bool
		_, err = pgx.ForEachRow(rows, []any{&name, &primary, &first, &second, &kind, &applicant, &comment, &status, &linked, &end, &doubtful}, func() error {
			return f(Exported{
				Name: name, Primary: org.Address(primary), Aliases: [2]org.Address{org.Address(first), org.Address(second)}, Kind: Kind(kind),
				Applicant: org.Address(applicant), Comment: comment, Status: Status(status), Linked: linked, CertificateEnd: end, Doubtful: doubtful,
			})
		})
		if err != nil {
			return fmt.Errorf("export rows: %w", err)
		}
		return nil
	})
}
