package cert

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
)

// earlierAuthority is what stands for the authority of an earlier certificate: none of
// the portal's, so that no list and no answer of theirs ever names it.
const earlierAuthority = "foreign"

// Earlier is a certificate from before the portal, with whose it is: that of a
// mailbox belongs to an account and a row, that of servers to an organisation.
type Earlier struct {
	Reference    string
	Import       int64 // that brought it
	Account      person.ID
	Holder       string
	HolderEmail  string
	Row          mailbox.ID // 0: it is a server's
	Organisation org.OrganisationID
	Chain        [][]byte // what came of those above it, the issuer first
	Certificate  pki.Certificate
}

// RecordEarlier is the step that keeps certificates from before the portal, one
// way to the server and back for all, and tells their rows, which are locked. It
// returns their numbers. One that there is already is a conflict. Nobody is
// written to, and the caller writes the audit lines.
func (b *Book) RecordEarlier(ctx context.Context, tx pgx.Tx, now time.Time, earlier []Earlier) ([]ID, error) {
	all, ids := &pgx.Batch{}, make([]ID, len(earlier))
	for i, e := range earlier {
		all.Queue(`
			insert into certificate (reference, authority, issuer, serial, der, fingerprint, key, account, row_id, subject, emails, search,
				not_before, not_after, issued, organisation, common_name, names, product, renewable, phase, turns, imported, chain)
			values (@reference, @authority, @issuer, @serial, @der, @fingerprint, @key, @account, @row, @subject, @emails, @search,
				@from, @until, @from, @organisation, @name, @names, @product, @renewable, @phase, @turns, @import, @chain)
			returning id`, e.columns(now)).QueryRow(func(row pgx.Row) error { return row.Scan(&ids[i]) })
	}
	if err := tx.SendBatch(ctx, all).Close(); err != nil {
		return nil, fmt.Errorf("record earlier certificates: %w", err)
	}
	var noted []mailbox.Certified
	for i, e := range earlier {
		if e.Row != 0 {
			noted = append(noted, mailbox.Certified{
				Certificate: int64(ids[i]), Row: e.Row, Account: e.Account, Issued: e.Certificate.NotBefore, Begins: e.Certificate.NotBefore,
				Ends: e.Certificate.NotAfter, Addresses: e.Certificate.Emails,
			})
		}
	}
	return ids, b.Mailbox.NoteEarlier(ctx, tx, noted)
}

// columns are what is kept of e at now.
func (e Earlier) columns(now time.Time) pgx.NamedArgs {
	c := e.Certificate
	sum := sha256.Sum256(c.DER)
	args := pgx.NamedArgs{
		"reference": e.Reference, "authority": earlierAuthority, "issuer": c.Issuer, "serial": c.Serial, "der": c.DER, "fingerprint": sum[:],
		"key": c.Key.Fingerprint[:], "subject": c.Subject, "from": c.NotBefore, "until": c.NotAfter, "import": e.Import,
		"chain": append([][]byte{}, e.Chain...), "account": nil, "row": nil, "emails": []string{}, "organisation": nil, "name": nil,
		"names": nil, "product": nil, "renewable": nil, "phase": nil, "turns": nil,
	}
	if e.Row != 0 {
		args["account"], args["row"], args["emails"] = e.Account, e.Row, c.Emails
		args["search"] = Issuance{Reference: e.Reference, Holder: e.Holder, HolderEmail: e.HolderEmail, Certificate: c}.words()
		return args
	}
	names := make([]string, len(c.DNS))
	for i, n := range c.DNS {
		names[i] = strings.ToLower(n)
	}
	c.DNS = names
	phase, turns := phaseAt(c, now)
	args["organisation"], args["name"], args["names"], args["product"] = e.Organisation, names[0], names, ""
	args["renewable"], args["phase"], args["turns"] = renewable(c.NotBefore, c.NotAfter), phase, turns
	args["search"] = Issuance{Reference: e.Reference, Organisation: e.Organisation, Certificate: c}.words()
	return args
}

// phaseAt is the phase that a server's certificate has at now, and when it turns
// into the next.
func phaseAt(c pki.Certificate, now time.Time) (phase string, turns *time.Time) {
	from, over := renewable(c.NotBefore, c.NotAfter), c.NotAfter.Add(time.Microsecond)
	switch {
	case now.After(c.NotAfter):
		return "over", nil
	case now.Before(from):
		return "valid", &from
	}
	return "ending", &over
}
