package order

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/pki"
)

// ErrNoAuthority is what applying says while no authority is set up.
var errNoAuthority = fault.New(fault.Unavailable, "order.no_authority")

// Input is an application as somebody sends it.
type Input struct {
	CSR   string
	Terms string // the version accepted; only the current one counts
}

// ErrOneOpen is that another application for the row is open.
var ErrOneOpen = fault.New(fault.Conflict, "schema.application_one_open")

// Apply asks for a certificate for a row that is linked to by. From the request
// only the key is taken. One application of a row is open at a time: a double
// click makes one.
func (b *Book) Apply(ctx context.Context, by person.Actor, row mailbox.ID, in Input) (ID, error) {
	if b.Authority == nil {
		return 0, errNoAuthority
	}
	var bad fault.Fields
	key, err := b.key(ctx, in.CSR, &bad)
	if err != nil {
		return 0, err
	}
	if in.Terms != b.Terms {
		bad.Add("terms", "order.terms.required")
	}
	if err := bad.Err(); err != nil {
		return 0, err
	}
	var id ID
	return id, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		l, err := b.Mailbox.LockLinked(ctx, tx, by.Account, row)
		if fault.Is(err, fault.Conflict) { // never linked: it does not exist for them
			return fault.New(fault.Missing, "fault.missing").Because(err)
		}
		if err != nil {
			return err
		}
		if err := mailbox.MayApply(l, b.Now()); err != nil {
			return err
		}
		if err := mayName(ctx, tx, l, by.Account); err != nil {
			return err
		}
		if id, err = b.insert(ctx, tx, by, row, key); err != nil {
			return err
		}
		return b.Cert.TellNewcomer(ctx, tx, by, l)
	})
}

// key takes the key from a request, and nothing else.
func (b *Book) key(ctx context.Context, csr string, bad *fault.Fields) (pki.Key, error) {
	request, err := pki.ReadCSR([]byte(csr))
	if err == nil {
		err = request.Key.Check()
	}
	if f := fault.Of(err); err != nil && f.Kind == fault.Invalid {
		bad.Add("csr", f.ID, f.Args...)
		return pki.Key{}, nil
	}
	if err != nil {
		return pki.Key{}, err
	}
	compromised, err := b.Cert.Compromised(ctx, b.DB, request.Key)
	if compromised {
		bad.Add("csr", "order.key.compromised")
	}
	return request.Key, err
}

func (b *Book) insert(ctx context.Context, tx pgx.Tx, by person.Actor, row mailbox.ID, key pki.Key) (ID, error) {
	reference := NewReference()
	var id ID
	err := tx.QueryRow(ctx, `insert into application (reference, row_id, account, spki, key_kind, terms, created)
		values (@reference, @row, @account, @spki, @kind, @terms, @now) returning id`, pgx.NamedArgs{
		"reference": reference, "row": row, "account": by.Account, "spki": key.SPKI, "kind": key.Algorithm, "terms": b.Terms, "now": b.Now(),
	}).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("apply: %w", err)
	}
	if err := b.Queue.Insert(ctx, tx, issueArgs{Application: id}); err != nil {
		return 0, err
	}
	return id, audit.Write(ctx, tx, audit.Line{
		Who: by.Who(), At: b.Now(), Action: "order.applied",
		Detail: audit.Detail{"reference": reference, "terms": b.Terms, "key": key.Algorithm},
		About:  []audit.Thing{id.Thing(), row.Thing(), by.Account.Thing()},
	})
}
