package order_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/campus"
	"petschaft/internal/order"
	"petschaft/internal/pki"
	"petschaft/internal/text"
)

// former is a process of the version before, which runs beside while machines are
// updated: the steps that it took, and the statements by which it wrote them. It
// knows of no intents and keeps no request.
type former struct {
	*house
	authority interface {
		Ask(ctx context.Context, r pki.Request) (pki.Answer, error)
	}
}

const (
	formerApply = `insert into application (reference, row_id, account, spki, key_kind, terms, created)
		values (@reference, @row, @account, @spki, @kind, @terms, @now) returning id`
	formerIntend = `update application p set state = 'issuing', profile = @profile, emails = @emails, serial = @serial, not_before = @from,
			organisation = '', identifier = '', country = '', proof = '[]', common_name = a.name, given_name = a.given_name, surname = a.family_name
		from account a where p.id = @id and a.id = p.account`
	formerLoad = `select state, spki, profile, common_name, given_name, surname, organisation, identifier, country, emails, '{}'::text[] as names,
		0 as days, serial, not_before, certificate, reference from application p where p.id = @id for update of p`
	formerFail  = `update application set state = 'failed', reason = @reason, answer = coalesce(@answer, answer), ended = @now, findings = '[]' where id = @id`
	formerAgain = `update application set state = case when @anew then 'queued' else 'issuing' end, reason = '', ended = null,
			attempts = attempts + 1, serial = case when not @anew then serial end, not_before = case when not @anew then not_before end where id = @id`
	formerRecord = `insert into certificate (reference, authority, issuer, serial, der, fingerprint, key, account, row_id, subject, emails, search,
			not_before, not_after, issued, remind)
		select @reference, 'mail', @issuer, @serial, @der, @fingerprint, @key, account, row_id, @subject, @emails, @reference, @start, @until, @now, @until
		from application where id = @id on conflict (issuer, serial) do nothing returning id`
	formerNote = `with c as (insert into address_certificate (certificate, row_id, account, issued, ends, addresses)
			select @certificate, row_id, account, @now, @until, @emails from application where id = @id)
		update address_row set certificate_end = @until where id = (select row_id from application where id = @id)`
	formerIssued = `update application set state = 'issued', reason = '', certificate = @certificate, ended = @now where id = @id`

	formerSubmit = `with o as (insert into server_order (reference, form, organisation, product, names, spki, key_kind, comment, search, state, since,
				by_officer, submitter, replaces, created)
			values (@reference, @reference, @organisation, 'tls-single', @names, @spki, @kind, '', @reference, 'received', @now, false, @by, null, @now)
			returning id
		), a as (insert into server_order_author (server_order, account) select id, @by from o)
		select id from o`
	formerApprove = `update server_order set state = 'approved', reason = '', since = @now, decider = coalesce(@decider, decider), ended = null where id = @id`
	formerServer  = `update server_order set state = 'issuing', approved = since, since = @now, serial = @serial, not_before = @from,
		days = 90, profile = 'tls-domain', proof = '[]' where id = @id`
	formerServerLoad = `select state, spki, profile, '' as common_name, '' as given_name, '' as surname, '' as organisation, '' as identifier, '' as country,
		'{}'::text[] as emails, names, days, serial, not_before, certificate, reference from server_order s where s.id = @id for update of s`
	formerBreakOff    = `update server_order set state = 'failed', reason = @reason, since = @now, decider = coalesce(null, decider), ended = null where id = @id`
	formerServerAgain = `update server_order set state = case when @anew then 'approved' else 'issuing' end, reason = '', since = @now, attempts = attempts + 1,
			serial = case when not @anew then serial end, not_before = case when not @anew then not_before end where id = @id`
	formerServerRecord = `insert into certificate (reference, authority, issuer, serial, der, fingerprint, key, subject, emails, search, not_before, not_after,
			issued, organisation, common_name, names, product, server_order, renewable, phase, turns, remind)
		select @reference, 'tls', @issuer, @serial, @der, @fingerprint, @key, @subject, '{}', ' ' || @reference, @start, @until,
			@now, organisation, names[1], names, product, id, @until, 'valid', @until, @until
		from server_order where id = @id on conflict (issuer, serial) do nothing returning id`
	formerFulfilled = `update server_order set state = 'issued', reason = '', certificate = @certificate, since = @now, ended = @now where id = @id`
	formerCorrect   = `update server_order set spki = @spki, key_kind = @kind, state = 'received', since = @now, reason = '', decider = null,
		version = version + 1, told = null where id = @id`

	formerEvidence = `insert into evidence (certificate, at, rules, document) values (@certificate, @now, '', '{}') on conflict (certificate) do nothing`
	formerRevoke   = `update certificate set revoked = @now, revoked_by = @by, reason = @reason where id = @id`
)

// formerIntent is what such a process reads of an application or an order.
type formerIntent struct {
	State       order.State
	SPKI        []byte
	Profile     string
	CommonName  string
	GivenName   string
	Surname     string
	Org         string   `db:"organisation"`
	Identifier  string   `db:"identifier"`
	Country     string   `db:"country"`
	Emails      []string `db:"emails"`
	Names       []string
	Days        int
	Serial      []byte
	NotBefore   *time.Time
	Certificate *int64
	Reference   string
}

func (i formerIntent) request(t testing.TB, n int64) pki.Request {
	t.Helper()
	key, err := pki.ReadKey(i.SPKI)
	if err != nil {
		t.Fatal(err)
	}
	r := pki.Request{Intent: n, Profile: pki.ProfileID(i.Profile), Key: key, Serial: i.Serial, NotBefore: *i.NotBefore}
	if len(i.Names) > 0 {
		r.DNS, r.Days = i.Names, i.Days
		return r
	}
	r.CommonName, r.GivenName, r.Surname, r.Emails = i.CommonName, i.GivenName, i.Surname, i.Emails
	r.Sponsor = pki.Sponsor{Organisation: i.Org, Identifier: i.Identifier, Country: i.Country}
	return r
}

// of is an application or an order as the version before names it.
type of struct {
	number int64
	server bool
}

func (f former) do(ctx context.Context, tx pgx.Tx, sql string, args pgx.NamedArgs) error {
	args["now"] = f.Now()
	if _, err := tx.Exec(ctx, sql, args); err != nil {
		return fmt.Errorf("%.40s: %w", sql, err)
	}
	return nil
}

// hold takes the locks and reads.
func (f former) hold(ctx context.Context, tx pgx.Tx, o of) (formerIntent, error) {
	lock, load := `select from address_row where id = (select row_id from application where id = $1) for update`, formerLoad
	if o.server {
		lock, load = `select from organisation where id = (select organisation from server_order where id = $1) for share`, formerServerLoad
	}
	if _, err := tx.Exec(ctx, lock, o.number); err != nil {
		return formerIntent{}, err
	}
	rows, err := tx.Query(ctx, load, pgx.NamedArgs{"id": o.number})
	if err != nil {
		return formerIntent{}, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[formerIntent])
}

// intend writes what is asked for, or reads what is written.
func (f former) intend(ctx context.Context, o of) (i formerIntent, err error) {
	return i, f.db.Tx(ctx, func(tx pgx.Tx) error {
		if i, err = f.hold(ctx, tx, o); err != nil || i.State != order.Queued && i.State != order.Approved {
			return err
		}
		sql, args := formerServer, pgx.NamedArgs{"id": o.number, "serial": pki.NewSerial(), "from": pki.NotBefore(f.Now())}
		if !o.server {
			sql, args["profile"] = formerIntend, pki.MailPersonal
			err := tx.QueryRow(ctx, `select array[r.primary_address] || r.aliases from application p join address_row r on r.id = p.row_id where p.id = $1`,
				o.number).Scan(&i.Emails)
			if err != nil {
				return err
			}
			args["emails"] = i.Emails
		}
		if err := f.do(ctx, tx, sql, args); err != nil {
			return err
		}
		i, err = f.hold(ctx, tx, o)
		return err
	})
}

// lead leads it on as far as that goes: dies tells that the process dies once the
// authority has signed.
func (f former) lead(ctx context.Context, t testing.TB, o of, dies bool) error {
	i, err := f.intend(ctx, o)
	if err != nil || i.State != order.Issuing {
		return err
	}
	c, err := campus.Signed(ctx, f.authority, i.request(t, o.number))
	if err != nil || dies {
		return err
	}
	return f.record(ctx, o, c)
}

func (f former) record(ctx context.Context, o of, c pki.Certificate) error {
	return f.db.Tx(ctx, func(tx pgx.Tx) error {
		i, err := f.hold(ctx, tx, o)
		if err != nil {
			return err
		}
		print, over := sha256.Sum256(c.DER), i.State == order.Issued || o.server && (i.State == order.Rejected || i.State == order.Withdrawn)
		if over {
			i.Reference = text.NewReference()
		}
		args := pgx.NamedArgs{
			"id": o.number, "reference": i.Reference, "issuer": c.Issuer, "serial": c.Serial, "der": c.DER, "fingerprint": print[:],
			"key": c.Key.Fingerprint[:], "subject": c.Subject, "emails": c.Emails, "start": c.NotBefore, "until": c.NotAfter, "now": f.Now(),
		}
		record, end := formerRecord, []string{formerNote, formerEvidence, formerIssued}
		if o.server {
			record, end = formerServerRecord, []string{formerEvidence, formerFulfilled}
		}
		var n int64
		switch err := tx.QueryRow(ctx, record, args).Scan(&n); {
		case err == pgx.ErrNoRows:
			return nil // it is known
		case err != nil:
			return fmt.Errorf("record: %w", err)
		}
		if over {
			end = end[:len(end)-1]
		}
		args["certificate"] = n
		for _, sql := range end {
			if err := f.do(ctx, tx, sql, args); err != nil {
				return err
			}
		}
		return audit.Write(ctx, tx, audit.Line{At: f.Now(), Action: "cert.issued", About: []audit.Thing{order.ID(o.number).Thing()}})
	})
}

// change writes sql if what is there stands in that state.
func (f former) change(ctx context.Context, o of, in order.State, sql string, args pgx.NamedArgs) error {
	return f.db.Tx(ctx, func(tx pgx.Tx) error {
		i, err := f.hold(ctx, tx, o)
		if err != nil || i.State != in {
			return err
		}
		args["id"] = o.number
		return f.do(ctx, tx, sql, args)
	})
}

// fail gives up, as after the last attempt.
func (f former) fail(ctx context.Context, o of, reason string) error {
	sql := formerFail
	if o.server {
		sql = formerBreakOff
	}
	return f.change(ctx, o, order.Issuing, sql, pgx.NamedArgs{"reason": reason, "answer": nil})
}

// again is an officer's attempt: anew where nothing was signed.
func (f former) again(ctx context.Context, o of, anew bool) error {
	sql := formerAgain
	if o.server {
		sql = formerServerAgain
	}
	return f.change(ctx, o, order.Failed, sql, pgx.NamedArgs{"anew": anew})
}

// apply is ada's application for a row.
func (f former) apply(ctx context.Context, t testing.TB, row int64) of {
	t.Helper()
	request, err := pki.ReadCSR([]byte(csr(t, ecKey(t))))
	f.ok(t, err)
	var n int64
	f.ok(t, f.db.QueryRow(ctx, formerApply, pgx.NamedArgs{
		"reference": text.NewReference(), "row": row, "account": f.ada.Account, "spki": request.Key.SPKI, "kind": request.Key.Algorithm,
		"terms": f.Terms, "now": f.Now(),
	}).Scan(&n))
	return of{number: n}
}

// submit is tina's order of a name, with a key that nobody has.
func (f former) submit(ctx context.Context, t testing.TB, name string) of {
	t.Helper()
	request, err := pki.ReadCSR([]byte(csr(t, ecKey(t))))
	f.ok(t, err)
	var n int64
	f.ok(t, f.db.QueryRow(ctx, formerSubmit, pgx.NamedArgs{
		"reference": text.NewReference(), "organisation": f.id, "names": []string{name}, "by": f.tina.Account, "spki": request.Key.SPKI,
		"kind": request.Key.Algorithm, "now": f.Now(),
	}).Scan(&n))
	return of{number: n, server: true}
}

// approve is otto's yes.
func (f former) approve(ctx context.Context, o of) error {
	return f.change(ctx, o, order.Received, formerApprove, pgx.NamedArgs{"decider": f.otto.Account})
}
