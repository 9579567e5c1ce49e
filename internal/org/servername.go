package org

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/text"
)

// ServerNameID is the number of a server name.
type ServerNameID int64

// Thing is the name as an audit line names it.
func (id ServerNameID) Thing() audit.Thing { return audit.Thing{Kind: "server_name", ID: int64(id)} }

// ServerName is a domain of an organisation, with everything below it, and its
// newest validation. One that is only asked for has Accepted nil.
type ServerName struct {
	ID           ServerNameID
	Organisation OrganisationID
	Name         Domain
	Wildcard     bool // wildcards at or below Name are allowed
	AskedBy      *person.ID
	Asked        *time.Time // by the technical contact; nil when an officer added it
	Accepted     *time.Time
	Method       string // how it was validated
	By           string // and by whom
	From         *time.Time
	Until        *time.Time // nil: not validated yet
	Ended        *time.Time
	EndedWhy     string
}

// Proven tells whether the validation counts at now: it has begun, has not
// lapsed, and is not older than ReuseDays lets it be.
func (n ServerName) Proven(now time.Time) bool {
	return n.Accepted != nil && n.Ended == nil && n.From != nil && !now.Before(*n.From) && now.Before(*n.ProvenUntil())
}

// ProvenUntil is when the validation stops counting: at its end, or earlier
// where the table of ReuseDays shortens it. Nil without a validation.
func (n ServerName) ProvenUntil() *time.Time {
	if n.From == nil || n.Until == nil {
		return nil
	}
	until := *n.Until
	if most := ReuseUntil(*n.From); most.Before(until) {
		until = most
	}
	return &until
}

const serverNameColumns = `n.id, n.organisation, n.name, n.wildcard, n.asked_by, n.asked, n.accepted, n.proof_method as method, n.proof_by as by,
	n.proof_from as from, n.proof_until as until, n.ended, n.ended_why`

// nameLimit is how many names an organisation may have.
const nameLimit = 500

// ServerNames is the step that returns the names of an organisation that have
// not ended, also those only asked for, by name. Who calls it has loaded the
// organisation as somebody who may see it.
func (b *Book) ServerNames(ctx context.Context, q postgres.Querier, o OrganisationID) ([]ServerName, error) {
	return serverNames(ctx, q, `n.organisation = @organisation and n.ended is null order by n.name limit @limit`,
		pgx.NamedArgs{"organisation": o, "limit": nameLimit})
}

// EndedNames returns what names of an organisation ended last, at most 20,
// newest first; likewise.
func (b *Book) EndedNames(ctx context.Context, q postgres.Querier, o OrganisationID) ([]ServerName, error) {
	return serverNames(ctx, q, `n.organisation = @organisation and n.ended is not null order by n.ended desc, n.id desc limit 20`,
		pgx.NamedArgs{"organisation": o})
}

func serverNames(ctx context.Context, q postgres.Querier, where string, args pgx.NamedArgs) ([]ServerName, error) {
	rows, err := q.Query(ctx, `select `+serverNameColumns+` from server_name n where `+where, args)
	if err != nil {
		return nil, fmt.Errorf("read server names: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[ServerName])
}

// Verdict is how a name of a certificate stands to an organisation.
type Verdict string

const (
	Own         Verdict = "own"
	Unvalidated Verdict = "unvalidated" // it belongs, or was asked for, but is not proven now
	NoWildcard  Verdict = "wildcard"    // it belongs, but a wildcard is not allowed there
	Foreign     Verdict = "foreign"     // it does not belong
)

// Judge tells how the name dns of a certificate, as ParseServerName returns it,
// stands to an organisation with these names, and which of them decides. A name
// covers itself and what is below it, on label boundaries. The longest accepted
// one decides; what is only asked for decides where no accepted one covers, and
// allows no wildcard.
func Judge(names []ServerName, dns string, now time.Time) (Verdict, ServerName) {
	name, wrong := ParseServerName(dns)
	if wrong != "" || name != dns {
		return Foreign, ServerName{}
	}
	base, wildcard := strings.CutPrefix(name, "*.")
	var best ServerName
	for _, n := range names {
		if n.Ended == nil && n.Name.Covers(base) && n.outweighs(best) {
			best = n
		}
	}
	switch {
	case best.Name == "":
		return Foreign, best
	case wildcard && (!best.Wildcard || best.Accepted == nil):
		return NoWildcard, best
	case !best.Proven(now):
		return Unvalidated, best
	}
	return Own, best
}

func (n ServerName) outweighs(m ServerName) bool {
	if (n.Accepted == nil) != (m.Accepted == nil) {
		return n.Accepted != nil || m.Name == ""
	}
	return len(n.Name) > len(m.Name)
}

// Covers tells whether name, in A-labels, is d or lies below it.
func (d Domain) Covers(name string) bool {
	return name == string(d) || strings.HasSuffix(name, "."+string(d))
}

// ParseServerName reads one DNS name of a certificate as a person or a request
// spells it, and returns it as certificates hold it: lower-case A-labels, with
// one leading "*." where it is a wildcard. A dot at the end says only that the
// name is absolute (RFC 1034, 3.1), and "DNS:" before it is how OpenSSL shows it.
// When it is refused, wrong is the message id that says why.
func ParseServerName(s string) (name, wrong string) {
	s = text.Word(s)
	if shown := len("DNS:"); len(s) > shown && strings.EqualFold(s[:shown], "DNS:") {
		s = s[shown:]
	}
	base, wildcard := strings.CutPrefix(s, "*.")
	if strings.Contains(base, "*") {
		return "", "org.name.star"
	}
	base = strings.TrimSuffix(base, ".")
	d, ok := ParseDomain(base)
	switch {
	case !ok:
		return "", whyNoName(base)
	case Domain("in-addr.arpa").Covers(string(d)), Domain("ip6.arpa").Covers(string(d)):
		return "", "org.name.reverse"
	case !wildcard:
		return string(d), ""
	case len(d)+2 > longestName:
		return "", "org.name.long"
	}
	return "*." + string(d), ""
}

// FoldName is a server's name or a mail address as it is compared with others:
// case does not count, nor how a letter beyond ASCII is written (RFC 4343,
// RFC 5891, 5.4). What is neither stays, but for blanks.
func FoldName(s string) string {
	if a, wrong := ParseAddress(s); wrong == "" {
		return a.Folded()
	}
	if name, wrong := ParseServerName(s); wrong == "" {
		return name
	}
	return strings.Join(strings.Fields(s), " ")
}
