// Package earlier takes over certificates from before the portal: uploaded by a
// registration officer, planned line by line with whose each is, applied, or
// thrown away. What was taken over is cert's from then on. It never calls an
// authority, never checks that a certificate is what it says, and never writes
// to anybody.
package earlier

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/brake"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/text"
)

// Book keeps uploads of certificates and takes over what they hold.
type Book struct {
	DB   *postgres.DB
	Cert *cert.Book
	Now  func() time.Time
	Own  [][]byte // certificates of the portal's own authorities: theirs are none from before it
}

// ID is the number of an import of certificates from before the portal.
type ID int64

// Thing is the import as an audit line names it.
func (id ID) Thing() audit.Thing { return audit.Thing{Kind: "certificate_import", ID: int64(id)} }

// Limits of an import.
const (
	MostCertificates = 1000    // certificates
	MostBytes        = 4 << 20 // of all files together
	MostOpen         = 5       // imports of one officer of which nothing was taken over
	mostAuthorities  = 100
)

// File is one that was uploaded.
type File struct {
	Name    string
	Content []byte
}

// Import is one, with how far it came.
type Import struct {
	ID      ID
	Created time.Time
	By      string // name of who uploaded it
	Lines   int
	Applied int // lines whose certificates were taken over
}

// Owner is who a certificate belongs to, as somebody said it: of a mailbox an
// address of its row and the address or user name of the holder, of servers the
// organisation's name. What nobody said is looked for.
type Owner struct {
	Address      string
	Holder       string
	Organisation string
}

// uploaded is a certificate of an upload on its way to a line.
type uploaded struct {
	Owner
	source string
	der    []byte
	fault  string
	pki.Earlier
}

// Upload keeps certificates from before the portal as the lines of a plan, which
// changes nothing yet, in the place of the officer's oldest of which nothing was
// taken over, if there are too many. owners may be empty.
func (b *Book) Upload(ctx context.Context, by person.Actor, files []File, owners []byte) (ID, error) {
	if err := person.OfficersOnly(by); err != nil {
		return 0, err
	}
	lines, authorities, err := readFiles(files)
	if err != nil {
		return 0, err
	}
	if len(owners) > 0 {
		if lines, err = own(lines, owners); err != nil {
			return 0, err
		}
	}
	var id ID
	return id, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		now := b.Now()
		if err := b.makeRoom(ctx, tx, now, by); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, `insert into certificate_import (created, created_by, authorities) values (@now, @by, @authorities) returning id`,
			pgx.NamedArgs{"now": now, "by": by.Account, "authorities": authorities}).Scan(&id)
		if err != nil {
			return fmt.Errorf("keep import: %w", err)
		}
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"certificate_import_line"},
			[]string{"import", "line", "source", "der", "fault", "address", "holder", "organisation"},
			pgx.CopyFromSlice(len(lines), func(i int) ([]any, error) {
				l := lines[i]
				return []any{id, i + 1, l.source, l.der, l.fault, l.Address, l.Holder, l.Owner.Organisation}, nil
			}))
		if err != nil {
			return fmt.Errorf("keep lines of import: %w", err)
		}
		return audit.Write(ctx, tx, audit.Line{
			Who: by.Who(), At: now, Action: "cert.import_uploaded", Detail: audit.Detail{"rows": len(lines)}, About: []audit.Thing{id.Thing()},
		})
	})
}

// readFiles takes the certificates out of the files; those of authorities come
// apart from the others.
func readFiles(files []File) (lines []uploaded, authorities [][]byte, err error) {
	size := 0
	authorities = [][]byte{}
	for _, f := range files {
		if size += len(f.Content); size > MostBytes {
			return nil, nil, fault.New(fault.TooLarge, "cert.import.too_large", "max", MostBytes>>20)
		}
		all, err := pki.EarlierFile(f.Content)
		if x := fault.Of(err); err != nil && x.Kind == fault.Invalid {
			var bad fault.Fields
			bad.Add("files", x.ID, append(slices.Clone(x.Args), "file", f.Name)...)
			return nil, nil, bad.Err()
		}
		if err != nil {
			return nil, nil, err
		}
		for i, der := range all {
			l := uploaded{source: fmt.Sprintf("%.150s #%d", text.Line(f.Name), i+1), der: der}
			if l.Earlier, err = pki.ParseEarlier(der); err != nil {
				l.fault = fault.Of(err).ID
			}
			switch {
			case !l.Authority:
				lines = append(lines, l)
			case !slices.ContainsFunc(authorities, func(a []byte) bool { return bytes.Equal(a, der) }):
				authorities = append(authorities, der)
			}
		}
	}
	switch {
	case len(lines) == 0:
		return nil, nil, fault.New(fault.Invalid, "cert.import.nothing")
	case len(lines) > MostCertificates:
		return nil, nil, fault.New(fault.TooLarge, "cert.import.too_many", "max", MostCertificates)
	case len(authorities) > mostAuthorities:
		return nil, nil, fault.New(fault.TooLarge, "cert.import.many_authorities", "max", mostAuthorities)
	}
	return lines, authorities, nil
}

const columns = `i.id, i.created, a.label as by,
	(select count(*)::int from certificate_import_line l where l.import = i.id) as lines,
	(select count(*)::int from certificate_import_line l where l.import = i.id and l.certificate is not null) as applied`

const tables = `certificate_import i join account a on a.id = i.created_by`

// Imports returns the newest ones to a registration officer, at most 100.
func (b *Book) Imports(ctx context.Context, by person.Actor) ([]Import, error) {
	if err := person.OfficersOnly(by); err != nil {
		return nil, err
	}
	rows, err := b.DB.Query(ctx, `select `+columns+` from `+tables+` order by i.id desc limit 100`)
	if err != nil {
		return nil, fmt.Errorf("list imports: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Import])
}

// Discard throws away what was not taken over; what was stays. Without any, the
// import is gone.
func (b *Book) Discard(ctx context.Context, by person.Actor, id ID) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		if err := b.lockImport(ctx, tx, by, id); err != nil {
			return err
		}
		return b.discard(ctx, tx, b.Now(), by, id)
	})
}

// discard is Discard of one that is held.
func (b *Book) discard(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, id ID) error {
	tag, err := tx.Exec(ctx, `delete from certificate_import_line where import = $1 and certificate is null`, id)
	if err != nil {
		return fmt.Errorf("discard import %d: %w", id, err)
	}
	_, err = tx.Exec(ctx, `delete from certificate_import i where id = $1
		and not exists (select from certificate_import_line l where l.import = i.id)`, id)
	if err != nil {
		return fmt.Errorf("discard import %d: %w", id, err)
	}
	return audit.Write(ctx, tx, audit.Line{
		Who: by.Who(), At: now, Action: "cert.import_discarded", Detail: audit.Detail{"rows": tag.RowsAffected()}, About: []audit.Thing{id.Thing()},
	})
}

// waiting is where the imports of an officer lie of which nothing was taken over.
var waiting = brake.Shelf{Kind: "earlier.quota", Most: MostOpen}

// makeRoom discards the oldest imports of by of which nothing was taken over,
// until there may be one more.
func (b *Book) makeRoom(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor) error {
	return waiting.Room(ctx, tx, int64(by.Account), `select i.id from certificate_import i where i.created_by = @by
			and not exists (select from certificate_import_line l where l.import = i.id and l.certificate is not null)
		order by i.id desc`, pgx.NamedArgs{"by": by.Account}, func(id int64) error {
		err := b.lockImport(ctx, tx, by, ID(id))
		if fault.Is(err, fault.Missing) {
			return nil
		}
		if err != nil {
			return err
		}
		var taken bool // while the lock was waited for
		if err := tx.QueryRow(ctx, `select exists (select from certificate_import_line where import = $1 and certificate is not null)`, id).Scan(&taken); err != nil || taken {
			return err
		}
		return b.discard(ctx, tx, now, by, ID(id))
	})
}

// lockImport lets one at a time work with an import.
func (b *Book) lockImport(ctx context.Context, tx pgx.Tx, by person.Actor, id ID) error {
	if err := person.OfficersOnly(by); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `select from certificate_import where id = $1 for update`, id)
	if err != nil {
		return fmt.Errorf("lock import %d: %w", id, err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.Missing, "fault.missing")
	}
	return nil
}
