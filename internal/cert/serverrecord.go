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
	"petschaft/internal/org"
	"petschaft/internal/pki"
)

// ServerIssuance is a server's certificate as it comes from an authority, with
// what it is for.
type ServerIssuance struct {
	Reference    string
	Authority    string
	Organisation org.OrganisationID
	Order        int64
	Replaces     *ID // the certificate that this one renews
	Product      string
	Certificate  pki.Certificate
}

// RecordServer is the step that keeps an issued certificate. What it renews is
// replaced from now on, and its renewal is over. Recording the same certificate
// twice returns the first number.
func (b *Book) RecordServer(ctx context.Context, tx pgx.Tx, now time.Time, i ServerIssuance) (ID, error) {
	c := i.Certificate
	fingerprint := sha256.Sum256(c.DER)
	var id ID
	var fresh bool
	err := tx.QueryRow(ctx, `
		with n as (
			insert into certificate (reference, authority, issuer, serial, der, fingerprint, key, subject, emails, search, not_before, not_after,
				issued, organisation, common_name, names, product, server_order, renewable, phase, turns, remind)
			values (@reference, @authority, @issuer, @serial, @der, @fingerprint, @key, @subject, '{}', @search, @from, @until,
				@now, @organisation, @name, @names, @product, @order, @renewable, 'valid', @renewable, @remind)
			on conflict (issuer, serial) do nothing returning id
		)`+withResponse+`
		select id, true from n union all select id, false from certificate where issuer = @issuer and serial = @serial limit 1`,
		b.firstResponse(now, i.Authority, c, pgx.NamedArgs{
			"reference": i.Reference, "authority": i.Authority, "issuer": c.Issuer, "serial": c.Serial, "der": c.DER,
			"fingerprint": fingerprint[:], "key": c.Key.Fingerprint[:], "subject": c.Subject, "search": i.words(),
			"from": c.NotBefore, "until": c.NotAfter, "now": now, "organisation": i.Organisation, "name": i.name(), "names": c.DNS,
			"product": i.Product, "order": i.Order, "renewable": renewable(c.NotBefore, c.NotAfter), "remind": b.firstReminder(c),
		})).Scan(&id, &fresh)
	if err != nil {
		return 0, fmt.Errorf("record certificate: %w", err)
	}
	if !fresh {
		return id, nil
	}
	line := audit.Line{
		At: now, Action: "cert.server_issued",
		Detail: audit.Detail{"reference": i.Reference, "serial": hex.EncodeToString(c.Serial), "names": strings.Join(c.DNS, ", ")},
		About:  []audit.Thing{id.ServerThing(), i.Organisation.Thing()},
	}
	if i.Replaces != nil {
		old, err := replace(ctx, tx, *i.Replaces, id, now)
		if err != nil {
			return 0, err
		}
		line.Detail["replaces"] = old
		line.About = append(line.About, i.Replaces.ServerThing())
	}
	return id, audit.Write(ctx, tx, line)
}

// replace marks the certificate old as replaced and returns its reference. The
// first successor counts.
func replace(ctx context.Context, tx pgx.Tx, old, next ID, now time.Time) (reference string, err error) {
	err = tx.QueryRow(ctx, `update certificate set replaced_by = coalesce(replaced_by, @next), replaced_at = coalesce(replaced_at, @now),
			renewal = null, phase = 'over', turns = null, remind = null
		where id = @old returning reference`, pgx.NamedArgs{"old": old, "next": next, "now": now}).Scan(&reference)
	if err != nil {
		return "", fmt.Errorf("replace certificate %d: %w", old, err)
	}
	return reference, nil
}

// name stands for the certificate in lists: its common name, or its first name
// where that is too long to be one.
func (i ServerIssuance) name() string {
	if len(i.Certificate.DNS) == 0 {
		return ""
	}
	return i.Certificate.DNS[0]
}

// words are what a search looks at: names also as people spell them.
func (i ServerIssuance) words() string {
	words := []string{i.Reference, hex.EncodeToString(i.Certificate.Serial)}
	for _, n := range i.Certificate.DNS {
		words = append(words, n)
		if u := Spelled(n); u != n {
			words = append(words, u)
		}
	}
	return " " + strings.ToLower(strings.Join(words, " "))
}
