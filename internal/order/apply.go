package order

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
)

// errNoAuthority is what applying says while no authority is set up.
var errNoAuthority = fault.New(fault.Unavailable, "order.no_authority")

// Input is an application as somebody sends it.
type Input struct {
	CSR   string
	Terms string // the version accepted; only the current one counts
}

// ErrOneOpen is that another application for the row is open.
var ErrOneOpen = fault.New(fault.Conflict, "schema.application_one_open")

// Applied is an application that was made, and what its request asks for and will
// not get.
type Applied struct {
	ID      ID
	LeftOut []pki.Dropped
}

// Apply asks for a certificate for a row that is linked to by. From the request
// only the key is taken. One application of a row is open at a time: a double
// click makes one.
func (b *Book) Apply(ctx context.Context, by person.Actor, row mailbox.ID, in Input) (made Applied, err error) {
	if b.Authority == nil {
		return made, errNoAuthority
	}
	var bad fault.Fields
	request, err := b.request(ctx, in.CSR, &bad)
	if err != nil {
		return made, err
	}
	if in.Terms != b.Terms {
		bad.Add("terms", "order.terms.required")
	}
	if err := bad.Err(); err != nil {
		return made, err
	}
	return made, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		l, err := b.Mailbox.LockLinked(ctx, tx, by.Account, row)
		if fault.Is(err, fault.Conflict) { // never linked: it does not exist for them
			return fault.New(fault.Missing, "fault.missing").Because(err)
		}
		if err != nil {
			return err
		}
		now := b.Now()
		if err := mailbox.MayApply(l, now); err != nil {
			return err
		}
		if err := mayName(ctx, tx, l, by.Account); err != nil {
			return err
		}
		if made.ID, err = b.insert(ctx, tx, now, by, row, request.Key); err != nil {
			return err
		}
		made.LeftOut = leftOut(request, l, by)
		return b.Cert.TellNewcomer(ctx, tx, now, by, l)
	})
}

// leftOut is what a request asks for and a certificate for l does not say.
func leftOut(request pki.CSR, l mailbox.Linked, by person.Actor) []pki.Dropped {
	var given pki.Names
	for _, a := range l.Addresses() {
		given.Emails = append(given.Emails, string(a))
	}
	if l.Kind == mailbox.Personal {
		given.Emails = append(given.Emails, by.Name) // as the common name
	}
	return request.Ignored(given, org.FoldName)
}

// request reads a request, whose key is taken and nothing else.
func (b *Book) request(ctx context.Context, csr string, bad *fault.Fields) (pki.CSR, error) {
	request, err := pki.ReadCSR([]byte(csr))
	if err == nil {
		err = request.Key.Check()
	}
	if f := fault.Of(err); err != nil && f.Kind == fault.Invalid {
		bad.Add("csr", f.ID, f.Args...)
		return request, nil
	}
	if err != nil {
		return request, err
	}
	compromised, err := b.Cert.Compromised(ctx, b.DB, request.Key)
	if compromised {
		bad.Add("csr", "order.key.compromised")
	}
	return request, err
}

func (b *Book) insert(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, row mailbox.ID, key pki.Key) (ID, error) {
	reference := NewReference()
	var id ID

	err := tx.QueryRow(ctx, `insert into application (reference, row_id, account, spki, key_kind, terms, created)
		values (@reference, @row, @account, @spki, @kind, @terms, @now) returning id`, pgx.NamedArgs{
		"reference": reference, "row": row, "account": by.Account, "spki": key.SPKI, "kind": key.Algorithm, "terms": b.Terms, "now": now,
	}).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("apply: %w", err)
	}
	if err := b.Queue.Insert(ctx, tx, issueArgs{Application: id}); err != nil {
		return 0, err
	}
	return id, audit.Write(ctx, tx, audit.Line{
		Who: by.Who(), At: now, Action: "order.applied",
		Detail: audit.Detail{"reference": reference, "terms": b.Terms, "key": key.Algorithm},
		About:  []audit.Thing{id.Thing(), row.Thing(), by.Account.Thing()},
	})
}
