package signin

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
)

const (
	// logoutEvent is what makes a token one (OpenID Connect Back-Channel Logout 1.0, 2.4).
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
	// logoutLife is how old one may be, whatever it says of its end.
	logoutLife    = 10 * time.Minute
	longestLogout = 16 << 10
)

// ErrLogout is that a logout token does not hold.
var ErrLogout = fault.New(fault.Invalid, "signin.logout_refused")

// noLogout is ErrLogout because of why, which holds nothing of the token.
func noLogout(why string) error { return ErrLogout.Because(errors.New(why)) }

// WhyNoLogout is for a log: why EndByProvider failed with ErrLogout.
func WhyNoLogout(err error) string { return bare(err) }

// EndByProvider ends the logins that the provider speaks of in a logout token (OpenID
// Connect Back-Channel Logout 1.0): those of one of its sessions, or all of a subject.
// API tokens stay: they would go with every sign-out. That there is no such login, any
// more, is no failure. It fails with ErrLogout where the token does not hold or came
// before, and with Unavailable where that cannot be said. who is whoever sent it.
func (d *Desk) EndByProvider(ctx context.Context, who audit.Who, token string) error {
	now := d.now()
	if err := d.looksLikeLogout(token, now); err != nil {
		return err
	}
	said, err := d.verifyLogout(d.outward(ctx), token, now)
	if err != nil {
		return err
	}
	id := sha256.Sum256([]byte(said.text("jti")))
	return d.db.Tx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `insert into logout_token (jti, seen) values ($1, $2) on conflict do nothing`, id[:], now)
		if err != nil {
			return fmt.Errorf("note logout token: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return noLogout("it came before")
		}
		return d.endMeant(ctx, tx, now, who, said)
	})
}

// endMeant ends the logins of a session of the provider's, of a subject, or of both.
// Of a login whose session nobody knows the subject tells. A token that names no
// session of a login ends it only if it had begun when the token was made, as far as
// two clocks agree on that: tokens come late, and people sign in again.
func (d *Desk) endMeant(ctx context.Context, tx pgx.Tx, now time.Time, who audit.Who, said statement) error {
	rows, err := tx.Query(ctx, `select l.id from login l join account a on a.id = l.account
		where l.ended is null and a.issuer = @issuer
			and (@sub = '' or a.subject = @sub) and (@sid = '' or l.sid = @sid or l.sid is null and @sub <> '')
			and (l.started <= @made or @sid <> '' and l.sid is not distinct from @sid)
		order by l.id for update of l`,
		pgx.NamedArgs{"issuer": d.cfg.Issuer, "sub": said.text("sub"), "sid": said.text("sid"), "made": said.time("iat").Add(skew)})
	if err != nil {
		return fmt.Errorf("look for logins: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("look for logins: %w", err)
	}
	for _, id := range ids {
		e, err := d.end(ctx, tx, now, id)
		if err != nil {
			return err
		}
		if err := d.note(ctx, tx, now, who, "signin.ended_by_provider", e); err != nil {
			return err
		}
	}
	return nil
}

// looksLikeLogout tells from what is not proven yet whether it is worth asking for
// keys: what a stranger sends costs nothing.
func (d *Desk) looksLikeLogout(token string, now time.Time) error {
	if len(token) > longestLogout {
		return noLogout("it is too long")
	}
	t, err := parsed(token)
	if err != nil {
		return noLogout("it is no signed token, or signed as none may be")
	}
	typ, _ := t.Signatures[0].Header.ExtraHeaders[jose.HeaderType].(string)
	switch strings.TrimPrefix(strings.ToLower(typ), "application/") {
	case "", "jwt", "logout+jwt":
	default:
		return noLogout("it is a token of another type")
	}
	return readStatement(t.UnsafePayloadWithoutVerification()).holdsAsLogout(d.cfg, now)
}

// verifyLogout is OpenID Connect Back-Channel Logout 1.0, 2.6, of a token that looks
// like one.
func (d *Desk) verifyLogout(ctx context.Context, token string, now time.Time) (statement, error) {
	p, err := d.provider(ctx)
	if err != nil {
		return nil, err
	}
	keys := &watched{set: p.logoutKeys}
	payload, err := keys.VerifySignature(ctx, token)
	if keys.away {
		return nil, providerDown(err)
	}
	if err != nil {
		return nil, noLogout("its signature does not hold")
	}
	said := readStatement(payload)
	return said, said.holdsAsLogout(d.cfg, now)
}

// holdsAsLogout looks at the claims that a logout token must have, may have and must
// not have (2.4).
func (s statement) holdsAsLogout(cfg Config, now time.Time) error {
	events := statement{}
	s.read("events", &events)
	issued := s.time("iat")
	_, nonce := s["nonce"]
	switch {
	case !events.holdsObject(logoutEvent):
		return noLogout("it is no logout token")
	case nonce:
		return noLogout("it has a nonce")
	case s.text("iss") != cfg.Issuer:
		return noLogout("it is from another issuer")
	case !s.names("aud", cfg.ClientID):
		return noLogout("it is for another client")
	case issued.After(now.Add(skew)):
		return noLogout("it is from the future")
	case issued.Before(now.Add(-logoutLife)): // also where it does not say
		return noLogout("it is too old")
	case s.says("exp") && !s.time("exp").After(now.Add(-skew)):
		return noLogout("it has ended")
	case s.text("jti") == "":
		return noLogout("it has no id")
	case !s.says("sub") && !s.says("sid"), s.says("sub") && !properSubject(s.text("sub")), s.says("sid") && !properSubject(s.text("sid")):
		return noLogout("it is about nobody")
	}
	return nil
}

// parsed is a token of the provider, signed in a way that one may be; whether by the
// provider is not said.
func parsed(token string) (*jose.JSONWebSignature, error) {
	var algs []jose.SignatureAlgorithm
	for _, a := range algorithms() {
		algs = append(algs, jose.SignatureAlgorithm(a))
	}
	return jose.ParseSignedCompact(token, algs)
}

// statementIn is what an ID token says that was verified.
func statementIn(idToken string) statement {
	t, err := parsed(idToken)
	if err != nil {
		return statement{}
	}
	return readStatement(t.UnsafePayloadWithoutVerification())
}

// sessionIn is what the provider calls its session in an ID token that was verified,
// "" where it says nothing of it.
func sessionIn(idToken string) string {
	if sid := statementIn(idToken).text("sid"); properSubject(sid) {
		return sid
	}
	return ""
}
