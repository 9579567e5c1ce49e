package cert

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/web/paths"
)

type thing = audit.Thing

// unwantedReason is why a certificate that nobody wants any more is revoked: nobody
// is blamed for it, but where its key fell into other hands.
func (i Issuance) unwantedReason() pki.Reason {
	if i.Unwanted == mail.EndedKey {
		return pki.KeyCompromise
	}
	return pki.CessationOfOperation
}

// Record is the step that keeps a certificate as it came from an authority, with the
// evidence of why, and tells whom it is for. The row or the organisation is locked.
// What it renews is replaced from now on. Recording the same certificate twice
// returns the first number.
func (b *Book) Record(ctx context.Context, tx pgx.Tx, now time.Time, i Issuance) (ID, error) {
	if i.Known.Number == 0 {
		recorded, err := b.know(ctx, tx, &i)
		if err != nil || recorded != 0 {
			return recorded, err
		}
	}
	n := i.Known.Number
	if err := b.keep(ctx, tx, now, n, i); err != nil {
		return 0, fmt.Errorf("record certificate %s: %w", i.Reference, err)
	}
	switch {
	case i.Unwanted != "":
		return n, b.recordUnwanted(ctx, tx, now, n, i)
	case i.Unexpected != nil:
		return n, audit.Write(ctx, tx, i.line(now, n, "cert.unexpected"))
	case i.server():
		return n, b.recordServer(ctx, tx, now, n, i)
	}
	if err := b.note(ctx, tx, now, n, i); err != nil {
		return 0, err
	}
	c := i.Certificate
	if err := b.Outbox.Post(ctx, tx, mail.IssuedWords{Reader: i.Known.To, Addresses: c.Emails, Until: c.NotAfter, Link: b.link(n)}); err != nil {
		return 0, err
	}
	return n, audit.Write(ctx, tx, i.line(now, n, "cert.issued"))
}

// know reads what the caller did not; a number other than 0 is the one under which
// the certificate is recorded already.
func (b *Book) know(ctx context.Context, tx pgx.Tx, i *Issuance) (recorded ID, err error) {
	k := &i.Known
	err = tx.QueryRow(ctx, `
		select coalesce(`+Recorded("@issuer", "@serial")+`, 0), `+NextNumber+`, coalesce(`+LettersAbout("@row")+`, ''), coalesce(a.language, ''),
			coalesce((select reference from certificate where id = @replaces), '')
		from (values (@account::bigint)) n (account) left join account a on a.id = n.account`, pgx.NamedArgs{
		"issuer": i.Certificate.Issuer, "serial": i.Certificate.Serial, "account": i.Account, "row": i.Row, "replaces": i.Replaces,
	}).Scan(&recorded, &k.Number, &k.To.To, &k.To.Lang, &k.Replaced)
	if err != nil {
		return 0, fmt.Errorf("look for certificate %s: %w", i.Reference, err)
	}
	return recorded, nil
}

// end is when what nobody wants ends: revoked now by an authority of ours, or revoking
// by one outside.
func (i Issuance) end(now time.Time) (revoked, revoking *time.Time) {
	switch {
	case i.Unwanted == "":
		return nil, nil
	case i.external():
		return nil, &now
	}
	return &now, nil
}

// keep writes the certificate, the first response about it, and its evidence.
func (b *Book) keep(ctx context.Context, tx pgx.Tx, now time.Time, n ID, i Issuance) error {
	err := postgres.Write(ctx, tx, `
		insert into certificate (id, reference, authority, issuer, serial, der, fingerprint, key, subject, emails, search, not_before, not_after, issued,
			remind, chain, external, unexpected, unwanted, revoked, reason, revoking, revoking_reason, account, row_id, meant_account, meant_row, meant_organisation,
			organisation, common_name, names, product, server_order, renewable, phase, turns)
		overriding system value
		values (@id, @reference, @authority, @issuer, @serial, @der, @fingerprint, @key, @subject, @emails, @search, @from, @until, @now,
			@remind, @chain, @external, @unexpected, @unwanted, @revoked, @reason, @revoking, @revoking_reason, @account, @row, @meant_account, @meant_row,
			@meant_organisation, @organisation, @name, @names, @product, @order, @renewable, @phase, @turns)`, b.columns(now, n, i))
	if err != nil {
		return err
	}
	if i.Replaces != nil && i.Unexpected == nil && i.Unwanted == "" {
		// The first successor counts.
		err := postgres.Write(ctx, tx, `update certificate set replaced_by = coalesce(replaced_by, @next), replaced_at = coalesce(replaced_at, @now),
				renewal = null, phase = 'over', turns = null, remind = null
			where id = @old`, pgx.NamedArgs{"old": *i.Replaces, "next": n, "now": now})
		if err != nil {
			return err
		}
	}
	if err := b.keepFirstResponse(ctx, tx, now, n, i); err != nil || i.Evidence == nil {
		return err
	}
	return postgres.Write(ctx, tx, `insert into evidence (certificate, at, rules, document) values (@id, @now, @rules, @document)
		on conflict (certificate) do nothing`, i.evidence(now, n))
}

// columns are what is kept of i: of what is unexpected, whose it would have been.
func (b *Book) columns(now time.Time, n ID, i Issuance) pgx.NamedArgs {
	c := i.Certificate
	revoked, revoking := i.end(now)
	fingerprint := sha256.Sum256(c.DER)
	args := pgx.NamedArgs{
		"id": n, "reference": i.Reference, "authority": i.Authority, "issuer": c.Issuer, "serial": c.Serial, "der": c.DER, "fingerprint": fingerprint[:],
		"key": c.Key.Fingerprint[:], "subject": c.Subject, "search": i.words(), "from": c.NotBefore, "until": c.NotAfter, "now": now,
		"chain": append([][]byte{}, i.Chain...), "external": i.external(), "revoked": revoked, "revoking": revoking,
		"unwanted": i.Unwanted != "",
	}
	for _, name := range []string{
		"remind", "unexpected", "reason", "revoking_reason", "account", "row", "meant_account", "meant_row", "meant_organisation", "organisation",
		"name", "names", "product", "order", "renewable", "phase", "turns",
	} {
		args[name] = nil
	}
	args["emails"] = []string{}
	if revoked != nil {
		args["reason"] = int16(i.unwantedReason())
	}
	if revoking != nil {
		args["revoking_reason"] = int16(i.unwantedReason())
	}
	switch {
	case i.Unexpected != nil && i.server():
		args["unexpected"], args["meant_organisation"] = i.Unexpected, i.Organisation
		return args
	case i.Unexpected != nil:
		args["unexpected"], args["meant_account"], args["meant_row"] = i.Unexpected, i.Account, i.Row
		return args
	case i.Unwanted == "":
		args["remind"] = b.firstReminder(c)
	}
	if !i.server() {
		args["account"], args["row"], args["emails"] = i.Account, i.Row, c.Emails
		return args
	}
	args["organisation"], args["name"], args["names"], args["product"], args["order"] = i.Organisation, i.name(), c.DNS, i.Product, i.Order
	phase, turns := phaseAt(c, now)
	if i.Unwanted != "" {
		phase, turns = "over", nil
	}
	args["renewable"], args["phase"], args["turns"] = renewable(c.NotBefore, c.NotAfter), phase, turns
	return args
}

// note tells the row of a mailbox's certificate.
func (b *Book) note(ctx context.Context, tx pgx.Tx, now time.Time, n ID, i Issuance) error {
	c := i.Certificate
	revoked, revoking := i.end(now)
	return b.Mailbox.NoteCertificate(ctx, tx, mailbox.Certified{
		Certificate: int64(n), Row: i.Row, Account: i.Account, Issued: now, Begins: c.NotBefore, Ends: c.NotAfter, Addresses: c.Emails,
		Revoked: revoked, Revoking: revoking,
	})
}

func (b *Book) recordServer(ctx context.Context, tx pgx.Tx, now time.Time, n ID, i Issuance) error {
	line := i.line(now, n, "cert.server_issued")
	if i.Replaces != nil {
		line.Detail["replaces"] = i.Known.Replaced
		line.About = append(line.About, i.Replaces.ServerThing())
	}
	return audit.Write(ctx, tx, line)
}

// line is the audit line of what became of i.
func (i Issuance) line(now time.Time, n ID, action string) audit.Line {
	c := i.Certificate
	d := audit.Detail{"reference": i.Reference, "serial": hex.EncodeToString(c.Serial)}
	if i.server() {
		d["names"] = strings.Join(c.DNS, ", ")
	} else {
		d["addresses"] = strings.Join(c.Emails, ", ")
	}
	return audit.Line{At: now, Action: action, Detail: d, About: i.things(n)}
}

func (b *Book) link(id ID) string { return b.Base + paths.ClientCertificate(id) }
