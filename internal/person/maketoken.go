package person

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/postgres"
	"petschaft/internal/text"
)

// TokenInput is what somebody asks a token to be.
type TokenInput struct {
	Form          string // makes one token, however often it is sent
	Name          string
	Domains       []int64
	Organisations []int64
	Verbs         []Verb
	Networks      []string // in CIDR notation, or single addresses
	Ends          time.Time
}

// networkLimit bounds the networks of one token.
const networkLimit = 20

// check reads the input; reach says whether by looks after all it names.
func (in *TokenInput) check(now time.Time) (networks []netip.Prefix, err error) {
	var bad fault.Fields
	in.Form = text.Line(in.Form)
	if in.Name = text.Line(in.Name); in.Name == "" {
		bad.Add("name", "field.required")
	} else if utf8.RuneCountInString(in.Name) > 100 {
		bad.Add("name", "field.too_long", "max", 100)
	}
	in.checkReach(&bad)
	switch {
	case in.Ends.IsZero():
		bad.Add("ends", "token.ends_needed")
	case !in.Ends.After(now):
		bad.Add("ends", "token.ends_past")
	case in.Ends.After(LatestEnd(now)):
		bad.Add("ends", "token.ends_late")
	}
	if in.Form == "" || len(in.Form) > 100 {
		bad.Add("form", "field.required")
	}
	networks = readNetworks(in.Networks, &bad)
	return networks, bad.Err()
}

// checkReach refuses verbs without anything to act on, and the other way round.
func (in *TokenInput) checkReach(bad *fault.Fields) {
	in.Domains, in.Organisations, in.Verbs = unique(in.Domains), unique(in.Organisations), unique(in.Verbs)
	of := func(some []Verb) bool {
		return slices.ContainsFunc(in.Verbs, func(v Verb) bool { return slices.Contains(some, v) })
	}
	switch known := Verbs(); {
	case len(in.Verbs) == 0:
		bad.Add("verbs", "token.verbs_needed")
	case slices.ContainsFunc(in.Verbs, func(v Verb) bool { return !slices.Contains(known, v) }):
		bad.Add("verbs", "token.verbs_unknown")
	case len(in.Domains) > 0 && !of(DomainVerbs()):
		bad.Add("domain_verbs", "token.verbs_for_domains")
	case len(in.Organisations) > 0 && !of(OrganisationVerbs()):
		bad.Add("organisation_verbs", "token.verbs_for_organisations")
	}
	switch {
	case len(in.Domains) == 0 && of(DomainVerbs()):
		bad.Add("domains", "token.domains_needed")
	case len(in.Organisations) == 0 && of(OrganisationVerbs()):
		bad.Add("organisations", "token.organisations_needed")
	}
}

func unique[T ~int64 | ~string](all []T) []T {
	all = slices.Clone(all)
	slices.Sort(all)
	return append([]T{}, slices.Compact(all)...) // not null
}

func readNetworks(texts []string, bad *fault.Fields) []netip.Prefix {
	all := []netip.Prefix{}
	for _, s := range texts {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		p, err := netip.ParsePrefix(s)
		if a, e := netip.ParseAddr(s); e == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil || p.Addr().Zone() != "" || p.Addr().Is4In6() {
			bad.Add("networks", "token.network", "text", s)
			return all
		}
		if !slices.Contains(all, p.Masked()) {
			all = append(all, p.Masked())
		}
	}
	if len(all) > networkLimit {
		bad.Add("networks", "token.networks_many", "max", networkLimit)
	}
	return all
}

// ErrTokenForm is that a form which made a token was sent again.
var ErrTokenForm = fault.New(fault.Conflict, "schema.token_form")

// MakeToken is the step that makes a token of by. Its caller has made sure that
// by looks after all that in names. The secret is returned here and never again.
func (b *Book) MakeToken(ctx context.Context, tx pgx.Tx, by Actor, in TokenInput) (secret string, id TokenID, err error) {
	if by.Reach != nil {
		return "", 0, fault.New(fault.Denied, "token.by_token")
	}
	now := b.Now()
	networks, err := in.check(now)
	if err != nil {
		return "", 0, err
	}
	// Held against a lock of the account, and against by themselves.
	var locked bool
	if err := tx.QueryRow(ctx, `select locked is not null from account where id = $1 for no key update`, by.Account).Scan(&locked); err != nil {
		return "", 0, fmt.Errorf("hold account %d: %w", by.Account, err)
	}
	if locked {
		return "", 0, ErrLocked
	}
	var live int
	if err := tx.QueryRow(ctx, `select count(*) from token where account = $1 and withdrawn is null and ends > $2`, by.Account, now).Scan(&live); err != nil {
		return "", 0, fmt.Errorf("count tokens of account %d: %w", by.Account, err)
	}
	if live >= tokenLimit {
		return "", 0, fault.New(fault.Conflict, "token.many", "max", tokenLimit)
	}
	secret = newSecret()
	err = tx.QueryRow(ctx, `
		insert into token (account, form, name, hash, verbs, domains, organisations, networks, created, ends)
		values (@account, @form, @name, @hash, @verbs, @domains, @organisations, @networks, @now, @ends) returning id`, pgx.NamedArgs{
		"account": by.Account, "form": in.Form, "name": in.Name, "hash": digest(secret), "verbs": in.Verbs, "domains": in.Domains,
		"organisations": in.Organisations, "networks": networks, "now": now, "ends": in.Ends,
	}).Scan(&id)
	if err != nil {
		return "", 0, fmt.Errorf("make token: %w", err)
	}
	return secret, id, audit.Write(ctx, tx, audit.Line{
		Who: by.Who(), At: now, Action: "token.made", About: []audit.Thing{id.Thing(), by.Account.Thing()},
		Detail: audit.Detail{"name": in.Name, "verbs": in.Verbs, "networks": networks, "ends": in.Ends},
	})
}

// WithdrawToken ends a token at once and for good. Doing it twice changes
// nothing.
func (b *Book) WithdrawToken(ctx context.Context, by Actor, id TokenID) error {
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		t, err := token(ctx, tx, by, id, ` for no key update of t`)
		if err != nil {
			return err
		}
		now := b.Now()
		if err := MayWithdraw(by, t, now); err != nil {
			return err
		}
		if t.Withdrawn != nil {
			return nil
		}
		if _, err := tx.Exec(ctx, `update token set withdrawn = @now, withdrawn_by = @by where id = @id`,
			pgx.NamedArgs{"id": id, "now": now, "by": by.Account}); err != nil {
			return fmt.Errorf("withdraw token %d: %w", id, err)
		}
		return audit.Write(ctx, tx, audit.Line{
			Who: by.Who(), At: now, Action: "token.withdrawn", About: []audit.Thing{id.Thing(), t.Account.Thing()},
			Detail: audit.Detail{"name": t.Name},
		})
	})
}

// MayWithdraw tells whether by may withdraw t at now: its maker, or a
// registration officer, in a session.
func MayWithdraw(by Actor, t Token, now time.Time) error {
	switch {
	case by.Reach != nil:
		return fault.New(fault.Denied, "token.by_token")
	case by.Account != t.Account && !by.Officer:
		return fault.New(fault.Missing, "fault.missing")
	case t.Withdrawn == nil && !t.Live(now):
		return fault.New(fault.Conflict, "token.ended")
	}
	return nil
}

// DropReach is the step that takes an organisation out of the tokens of an
// account that does not look after it any more. A token that reaches nothing
// then is withdrawn. It returns how many there were.
func (b *Book) DropReach(ctx context.Context, tx pgx.Tx, now time.Time, by Actor, account ID, organisation int64) (int, error) {
	rows, err := tx.Query(ctx, `
		update token set organisations = array_remove(organisations, @organisation),
			withdrawn = case when cardinality(domains) = 0 and cardinality(organisations) = 1 then @now end,
			withdrawn_by = case when cardinality(domains) = 0 and cardinality(organisations) = 1 then nullif(@by::bigint, 0) end
		where account = @account and withdrawn is null and ends > @now and @organisation = any(organisations) returning id`,
		pgx.NamedArgs{"account": account, "organisation": organisation, "now": now, "by": by.Account})
	if err != nil {
		return 0, fmt.Errorf("drop organisation %d from tokens: %w", organisation, err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[TokenID])
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	about := []audit.Thing{account.Thing(), {Kind: "organisation", ID: organisation}}
	for _, id := range ids {
		about = append(about, id.Thing())
	}
	return len(ids), audit.Write(ctx, tx, audit.Line{
		Who: by.Who(), At: now, Action: "token.reach_dropped", About: about, Detail: audit.Detail{"tokens": len(ids)},
	})
}

// TokensFor counts, for each organisation, the live tokens that reach it of the
// account at the same place.
func (b *Book) TokensFor(ctx context.Context, q postgres.Querier, accounts []ID, organisations []int64) (map[int64]int, error) {
	rows, err := q.Query(ctx, `select p.organisation, count(*) from unnest(@accounts::bigint[], @organisations::bigint[]) p (account, organisation)
			join token t on t.account = p.account and p.organisation = any(t.organisations)
		where t.withdrawn is null and t.ends > @now group by p.organisation`,
		pgx.NamedArgs{"accounts": accounts, "organisations": organisations, "now": b.Now()})
	if err != nil {
		return nil, fmt.Errorf("count tokens: %w", err)
	}
	counts := map[int64]int{}
	var organisation int64
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&organisation, &n}, func() error { counts[organisation] = n; return nil }); err != nil {
		return nil, fmt.Errorf("count tokens: %w", err)
	}
	return counts, nil
}
