package order

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/issuance"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/text"
)

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
// only the key is taken; it is kept as it came. One application of a row is open
// at a time: a double click makes one. What the certificate will name is written
// down with it, for the authority is asked at once.
func (b *Book) Apply(ctx context.Context, by person.Actor, row mailbox.ID, in Input) (made Applied, err error) {
	if err := b.Ready(); err != nil {
		return made, err
	}
	var bad fault.Fields
	request := readCSR(in.CSR, &bad)
	if in.Terms != b.Terms {
		bad.Add("terms", "order.terms.required")
	}
	return made, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		now, bad := b.Now(), slices.Clone(bad)
		a, err := b.applicant(ctx, tx, now, by, row, request.Key)
		if err != nil {
			return err
		}
		if a.Compromised {
			bad.Add("csr", "order.key.compromised")
		}
		if err := bad.Err(); err != nil {
			return err
		}
		if err := mailbox.MayApply(a.Linked, now); err != nil {
			return err
		}
		if err := MayName(a.Linked, a.named()); err != nil {
			return err
		}
		made = Applied{ID: a.Number, LeftOut: leftOut(request, a.Linked, by)}
		if err := b.applied(ctx, tx, now, by, a, request); err != nil {
			return err
		}
		if !a.Others {
			return nil
		}
		return b.Cert.TellNewcomer(ctx, tx, now, by, a.Linked)
	})
}

// applicant is who applies for a row that they are linked to.
type applicant struct {
	right
	Number    ID     // of the application
	Authority string // for the row's domain, if it has one of its own
	Others    bool   // hold a certificate of the row
	Unheard   *ID    // the last application of the row of which it is not known what became
}

// named is the account as far as its names go.
func (a applicant) named() person.Account {
	return person.Account{Name: a.NowName, GivenName: a.NowGiven, FamilyName: a.NowSurname}
}

// applicant holds the row and reads everything about its applicant at once.
func (b *Book) applicant(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, row mailbox.ID, key pki.Key) (a applicant, err error) {
	if err := b.Mailbox.LockRow(ctx, tx, row); err != nil {
		return a, err
	}
	rows, err := tx.Query(ctx, `select `+rightColumns(`@key`)+`, d.authority, nextval(pg_get_serial_sequence('application', 'id')) as number,
			exists (select from certificate c where c.row_id = @row and c.account <> @account and c.revoked is null and c.not_after > @now) as others,
			(select max(p.id) from application p where p.row_id = @row and p.state = 'failed' and p.reason = @unheard) as unheard
		from (`+mailbox.Links+`l.account = @account and l.row_id = @row) l join account a on a.id = @account`+rightTables,
		pgx.NamedArgs{"key": key.Fingerprint[:], "row": row, "account": by.Account, "now": now, "unheard": issuance.NotKnown})
	if err != nil {
		return a, fmt.Errorf("read who applies for row %d: %w", row, err)
	}
	a, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[applicant])
	return a, postgres.Fault(err) // never linked: it does not exist for them
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

// readCSR reads a request for a mailbox's certificate.
func readCSR(csr string, bad *fault.Fields) pki.CSR {
	request, err := pki.ReadCSR([]byte(csr))
	if err == nil {
		err = request.Key.Check()
	}
	if f := fault.Of(err); err != nil {
		bad.Add("csr", f.ID, f.Args...)
	}
	return request
}

// applied writes the application and the intent to fulfil it. Nothing of the names
// comes from the request.
func (b *Book) applied(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, a applicant, request pki.CSR) error {
	i, err := b.intent(a.Number, text.NewReference(), a.Authority, b.subject(a.right), request, now)
	if err != nil {
		return err
	}
	if a.Unheard != nil {
		if err := b.followed(ctx, tx, now, *a.Unheard); err != nil {
			return err
		}
	}
	err = postgres.Write(ctx, tx, `insert into application (id, reference, row_id, account, spki, key_kind, terms, created, state, profile, emails, serial, not_before,
			common_name, given_name, surname, organisation, identifier, country, proof)
		overriding system value
		values (@id, @reference, @row, @account, @spki, @kind, @terms, @now, @state, @profile, @emails, @serial, @from,
			@common_name, @given_name, @surname, @organisation, @identifier, @country, (`+cert.Proofs+`))`, pgx.NamedArgs{
		"id": a.Number, "reference": i.Reference, "row": a.RowID, "account": by.Account, "spki": i.SPKI, "kind": request.Key.Algorithm, "terms": b.Terms,
		"now": now, "state": b.with(i.Authority), "profile": i.Profile, "emails": i.Emails, "serial": i.Serial, "from": i.NotBefore,
		"common_name": i.CommonName, "given_name": i.GivenName, "surname": i.Surname,
		"organisation": i.Organisation, "identifier": i.Identifier, "country": i.Country,
		"plain": org.Plain(a.Addresses()), "folded": org.Folded(a.Addresses()),
	})
	if err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	if err := b.Issuance.Write(ctx, tx, now, i); err != nil {
		return err
	}
	return audit.Write(ctx, tx, audit.Line{
		Who: by.Who(), At: now, Action: "order.applied",
		Detail: audit.Detail{"reference": i.Reference, "terms": b.Terms, "key": request.Key.Algorithm},
		About:  []audit.Thing{a.Number.Thing(), a.RowID.Thing(), by.Account.Thing()},
	})
}

// followed has it asked what became of an application that has a later one now: nobody
// may retry it, and what comes of it is not offered.
func (b *Book) followed(ctx context.Context, tx pgx.Tx, now time.Time, id ID) error {
	a, err := b.alone(ctx, tx, id)
	if err != nil {
		return err
	}
	return b.Issuance.Withdraw(ctx, tx, now, a.asked(), errRetryOver)
}

// intent is what an authority is asked for an application.
func (b *Book) intent(n ID, reference, wished string, s subject, request pki.CSR, now time.Time) (i issuance.Intent, err error) {
	authority, err := b.Issuance.Registry.Choose(wished, s.Profile)
	if err != nil {
		return i, err
	}
	return issuance.Intent{
		Number: issuance.Number(n), Kind: issuance.Application, Reference: reference, Authority: authority, CSR: request.DER, SPKI: request.Key.SPKI,
		Profile: string(s.Profile), CommonName: s.CommonName, GivenName: s.GivenName, Surname: s.Surname, Sponsor: s.Sponsor, Emails: s.Emails,
		Serial: pki.NewSerial(), NotBefore: pki.NotBefore(now),
	}, nil
}

// with is the state of what waits for an authority: the version before, which may
// run beside, takes part in what the own one issues and leaves the rest alone.
func (b *Book) with(authority string) State {
	if pki.OwnAuthority(authority) {
		return Issuing
	}
	return Pending
}
