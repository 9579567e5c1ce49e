package person

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/postgres"
	"petschaft/internal/text"
)

// TokenID is the number of an API token.
type TokenID int64

// Thing is the token as an audit line names it.
func (id TokenID) Thing() audit.Thing { return audit.Thing{Kind: "token", ID: int64(id)} }

// Token lets a program act in the name of its maker, within its reach.
//
//	live ── withdrawn by its maker, an officer, or with its maker's lock ──▶ withdrawn   for good
//	  │ └── nothing is left of its reach ─────────────────────────────────▶ withdrawn
//	  └──── time ─────────────────────────────────────────────────────────▶ ended       nothing is written
//
// A live token sleeps while its maker has not signed in for long: it lets nobody in
// until they do.
type Token struct {
	ID            TokenID
	Account       ID
	Maker         string
	MakerEmail    string // as of the maker's last sign-in, if verified
	MakerSignedIn time.Time
	AwakeUntil    *time.Time // it does not sleep before, since its maker was not warned; nil: no such time
	Name          string
	Verbs         []Verb
	Domains       []int64
	Organisations []int64
	Networks      []netip.Prefix // where calls may come from; empty: anywhere
	Created       time.Time
	Ends          time.Time
	LastUsed      *time.Time
	LastFrom      *netip.Addr
	Withdrawn     *time.Time
	WithdrawnBy   *ID
}

// Live tells whether the token counts at now, as far as it is for the token.
func (t Token) Live(now time.Time) bool { return t.Withdrawn == nil && now.Before(t.Ends) }

const tokenColumns = `t.id, t.account, a.label as maker,
	a.verified_email as maker_email, a.signed_in as maker_signed_in, t.awake_until, t.name, t.verbs, t.domains,
	t.organisations, t.networks, t.created, t.ends, t.last_used, t.last_from, t.withdrawn, t.withdrawn_by`

const tokenTables = `token t join account a on a.id = t.account`

// LatestEnd is the end of a token that is made at now and lives as long as one
// may: a year.
func LatestEnd(now time.Time) time.Time { return now.AddDate(1, 0, 0) }

// tokenLimit bounds how many live tokens one person has.
const tokenLimit = 50

// seenEvery keeps a busy program from writing at each call.
const seenEvery = time.Minute

// sleep is how long after its maker's last sign-in a token sleeps.
func (b *Book) sleep() time.Duration {
	if b.TokenSleep == 0 {
		return 30 * 24 * time.Hour
	}
	return b.TokenSleep
}

// SleepsAt is when t falls asleep unless its maker signs in before.
func (b *Book) SleepsAt(t Token) time.Time {
	at := t.MakerSignedIn.Add(b.sleep())
	if t.AwakeUntil != nil && t.AwakeUntil.After(at) {
		at = *t.AwakeUntil
	}
	return at
}

// Sleeps tells whether t is asleep.
func (b *Book) Sleeps(t Token) bool { return b.sleepsBy(t, b.Now()) }

func (b *Book) sleepsBy(t Token, now time.Time) bool { return now.After(b.SleepsAt(t)) }

// ErrToken is that a token does not let in, for whatever reason. ErrAsleep is that it
// would, were it not asleep: who holds it may know, for its maker can wake it.
var (
	ErrToken  = fault.New(fault.Denied, "token.refused")
	ErrAsleep = fault.New(fault.Denied, "token.asleep")
)

// RefusedToken is, for a log, which token did not let in and why; the caller does not
// hear it.
type RefusedToken struct {
	Token   TokenID
	Account ID
	Why     string // unknown, withdrawn, ended, locked, provider, network or asleep
}

func (r *RefusedToken) Error() string { return "token refused: " + r.Why }

// WhichToken is what is known of the token that ByToken refused with err.
func WhichToken(err error) RefusedToken {
	if r, ok := errors.AsType[*RefusedToken](err); ok {
		return *r
	}
	return RefusedToken{Why: "unknown"}
}

// ByToken returns who acts with secret from an address: the token's maker as of
// now, without an officer's rights and within the token's reach. A token that
// there is not, or not any more, one whose maker is locked, and a call from
// elsewhere than its networks are all denied with the same words; one that sleeps
// with its own.
func (b *Book) ByToken(ctx context.Context, secret string, from netip.Addr) (Actor, Token, error) {
	if !LooksLikeToken(secret) {
		return Actor{}, Token{}, ErrToken
	}
	now := b.Now()
	rows, err := b.DB.Query(ctx, `select `+tokenColumns+`, a.groups, a.locked is not null as locked, @issuer <> '' and a.issuer <> @issuer as elsewhere
		from `+tokenTables+` where t.hash = @hash`, pgx.NamedArgs{"hash": digest(secret), "issuer": b.Issuer})
	if err != nil {
		return Actor{}, Token{}, fmt.Errorf("read token: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[bearer])
	if err != nil {
		return Actor{}, Token{}, fmt.Errorf("read token: %w", err)
	}
	if len(found) == 0 {
		return Actor{}, Token{}, ErrToken
	}
	t := found[0].Token
	if err := b.lets(found[0], from, now); err != nil {
		return Actor{}, Token{}, err
	}
	if t.LastUsed == nil || now.Sub(*t.LastUsed) >= seenEvery {
		if err := b.used(ctx, t.ID, from); err != nil {
			return Actor{}, Token{}, err
		}
	}
	by := b.acting(t, found[0].Groups, now)
	by.From = from
	return by, t, nil
}

// bearer is a token as it is shown with a call, with its maker.
type bearer struct {
	Token
	Groups    []string
	Locked    bool // its maker
	Elsewhere bool // its maker is an account of another provider
}

// lets tells whether x lets in from an address at now.
func (b *Book) lets(x bearer, from netip.Addr, now time.Time) error {
	no := func(f *fault.Fault, why string) error { return f.Because(&RefusedToken{x.ID, x.Account, why}) }
	switch {
	case x.Locked: // which withdrew it, too
		return no(ErrToken, "locked")
	case x.Withdrawn != nil:
		return no(ErrToken, "withdrawn")
	case !x.Live(now):
		return no(ErrToken, "ended")
	case x.Elsewhere:
		return no(ErrToken, "provider")
	case !x.from(from):
		return no(ErrToken, "network")
	case b.sleepsBy(x.Token, now):
		return no(ErrAsleep, "asleep")
	}
	return nil
}

// acting is who acts with t at now, whose maker has these groups: what rests on them
// ends with the time after the last sign-in, whatever keeps t awake.
func (b *Book) acting(t Token, groups []string, now time.Time) Actor {
	by := Actor{
		Account: t.Account, Name: t.Maker, Email: t.MakerEmail, Token: int64(t.ID),
		Reach: &Reach{Domains: t.Domains, Organisations: t.Organisations, Verbs: t.Verbs},
	}
	if now.Sub(t.MakerSignedIn) <= b.sleep() {
		by.Groups = groups
	}
	return by
}

func (t Token) from(a netip.Addr) bool {
	for _, n := range t.Networks {
		if n.Contains(a.Unmap().WithZone("")) {
			return true
		}
	}
	return len(t.Networks) == 0
}

func (b *Book) used(ctx context.Context, id TokenID, from netip.Addr) error {
	now := b.Now()
	_, err := b.DB.Exec(ctx, `update token set last_used = @now, last_from = @from
		where id = @id and (last_used is null or last_used <= @before)`,
		pgx.NamedArgs{"id": id, "now": now, "from": from, "before": now.Add(-seenEvery)})
	if err != nil {
		return fmt.Errorf("note use of token %d: %w", id, err)
	}
	return nil
}

// Tokens returns by's own tokens, live ones first, at most 200.
func (b *Book) Tokens(ctx context.Context, by Actor) ([]Token, error) {
	return b.tokensOf(ctx, by.Account)
}

// TokensOf are likewise those of an account, for registration officers.
func (b *Book) TokensOf(ctx context.Context, by Actor, account ID) ([]Token, error) {
	if err := OfficersOnly(by); err != nil {
		return nil, err
	}
	return b.tokensOf(ctx, account)
}

func (b *Book) tokensOf(ctx context.Context, account ID) ([]Token, error) {
	rows, err := b.DB.Query(ctx, `select `+tokenColumns+` from `+tokenTables+` where t.account = @account
		order by (t.withdrawn is null and t.ends > @now) desc, t.id desc limit 200`,
		pgx.NamedArgs{"account": account, "now": b.Now()})
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Token])
}

// Token returns the token id to its maker and to registration officers; to
// others it is missing.
func (b *Book) Token(ctx context.Context, by Actor, id TokenID) (Token, error) {
	return token(ctx, b.DB, by, id, "")
}

func token(ctx context.Context, q postgres.Querier, by Actor, id TokenID, lock string) (Token, error) {
	rows, err := q.Query(ctx, `select `+tokenColumns+` from `+tokenTables+` where t.id = @id and (t.account = @account or @officer)`+lock,
		pgx.NamedArgs{"id": id, "account": by.Account, "officer": by.Officer})
	if err != nil {
		return Token{}, fmt.Errorf("read token %d: %w", id, err)
	}
	t, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Token])
	return t, postgres.Fault(err)
}

// AllTokens returns to a registration officer the tokens of everybody whose name
// or maker holds every word of text, newest first, older than the token before
// (0: from the newest), at most 50, and the number to go on from (0: that was
// all).
func (b *Book) AllTokens(ctx context.Context, by Actor, sought string, before TokenID) (all []Token, next TokenID, err error) {
	if err := OfficersOnly(by); err != nil {
		return nil, 0, err
	}
	words := text.Sought(sought)
	for i, w := range words {
		words[i] = "%" + postgres.Like(w) + "%"
	}
	rows, err := b.DB.Query(ctx, `select `+tokenColumns+` from `+tokenTables+`
		where (@before = 0::bigint or t.id < @before) and lower(t.name || ' ' || a.name || ' ' || a.username || ' ' || a.email) like all(@words)
		order by t.id desc limit @limit`, pgx.NamedArgs{"before": before, "words": words, "limit": searchLimit + 1})
	if err != nil {
		return nil, 0, fmt.Errorf("list all tokens: %w", err)
	}
	if all, err = pgx.CollectRows(rows, pgx.RowToStructByName[Token]); err != nil {
		return nil, 0, fmt.Errorf("list all tokens: %w", err)
	}
	if len(all) > searchLimit {
		all = all[:searchLimit]
		next = all[searchLimit-1].ID
	}
	return all, next, nil
}
