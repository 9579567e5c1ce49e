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
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/text"
	"petschaft/web/paths"
)

// Issuance is a certificate as it comes from an authority, with whom it is for.
type Issuance struct {
	Reference   string
	Authority   string
	Account     person.ID
	Holder      string
	HolderEmail string // that the provider verified, for the search
	Row         mailbox.ID
	Certificate pki.Certificate
}

// Record is the step that keeps an issued certificate, tells the row and the
// holder. The row is locked. Recording the same certificate twice returns the
// first number.
func (b *Book) Record(ctx context.Context, tx pgx.Tx, now time.Time, i Issuance) (ID, error) {
	c := i.Certificate
	fingerprint := sha256.Sum256(c.DER)
	var id ID
	var fresh bool
	err := tx.QueryRow(ctx, `
		with n as (
			insert into certificate (reference, authority, issuer, serial, der, fingerprint, key, account, row_id, subject, emails, search,
				not_before, not_after, issued, remind)
			values (@reference, @authority, @issuer, @serial, @der, @fingerprint, @key, @account, @row, @subject, @emails, @search,
				@from, @until, @now, @remind)
			on conflict (issuer, serial) do nothing returning id
		)`+withResponse+`
		select id, true from n union all select id, false from certificate where issuer = @issuer and serial = @serial limit 1`,
		b.firstResponse(now, i.Authority, c, pgx.NamedArgs{
			"reference": i.Reference, "authority": i.Authority, "issuer": c.Issuer, "serial": c.Serial, "der": c.DER,
			"fingerprint": fingerprint[:], "key": c.Key.Fingerprint[:], "account": i.Account, "row": i.Row, "subject": c.Subject, "emails": c.Emails,
			"search": i.words(), "from": c.NotBefore, "until": c.NotAfter, "now": now, "remind": b.firstReminder(c),
		})).Scan(&id, &fresh)
	if err != nil {
		return 0, fmt.Errorf("record certificate: %w", err)
	}
	if !fresh {
		return id, nil
	}
	err = b.Mailbox.NoteCertificate(ctx, tx, mailbox.Certified{
		Certificate: int64(id), Row: i.Row, Account: i.Account,
		Issued: now, Ends: c.NotAfter, Addresses: c.Emails,
	})
	if err != nil {
		return 0, err
	}
	to, err := holder(ctx, tx, id)
	if err != nil {
		return 0, err
	}
	if err := b.Outbox.Post(ctx, tx, mail.IssuedWords{Reader: to, Addresses: c.Emails, Until: c.NotAfter, Link: b.link(id)}); err != nil {
		return 0, err
	}
	return id, audit.Write(ctx, tx, audit.Line{
		At: now, Action: "cert.issued",
		Detail: audit.Detail{"reference": i.Reference, "serial": hex.EncodeToString(c.Serial), "addresses": strings.Join(c.Emails, ", ")},
		About:  []audit.Thing{id.Thing(), i.Row.Thing(), i.Account.Thing()},
	})
}

func (b *Book) link(id ID) string { return b.Base + paths.ClientCertificate(id) }

// words are what Search looks at: addresses also as people spell them.
func (i Issuance) words() string {
	c := i.Certificate
	words := append([]string{i.Reference, hex.EncodeToString(c.Serial), i.Holder, i.HolderEmail, c.Subject}, c.Emails...)
	for _, e := range c.Emails {
		if local, domain, _ := strings.Cut(e, "@"); Spelled(domain) != domain {
			words = append(words, local+"@"+Spelled(domain))
		}
	}
	return strings.ToLower(text.Line(strings.Join(words, " ")))
}
