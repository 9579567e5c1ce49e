package idp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	logoutLife  = 2 * time.Minute
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
	logoutWait  = 3 * time.Second // for a client to hear of it
)

// LogoutToken tells the client that a session of sub has ended (OpenID Connect
// Back-Channel Logout 1.0, 2.4); without a session all of them. change bends its
// claims, nil leaves them; Misbehave bends how it is signed.
func (p *Provider) LogoutToken(client, sub, session string, change func(claims map[string]any)) (string, error) {
	now := p.now()
	claims := map[string]any{
		"iss": p.issuer, "sub": sub, "aud": client, "iat": now.Unix(), "exp": now.Add(logoutLife).Unix(), "jti": rand.Text(),
		"events": map[string]any{logoutEvent: map[string]any{}},
	}
	if session != "" {
		claims["sid"] = session
	}
	if change != nil {
		change(claims)
	}
	p.mu.Lock()
	lie, secret := p.lie, p.clients[client].Secret
	p.mu.Unlock()
	if lie == AlgNone {
		return unsigned(claims)
	}
	signer, err := p.signer(lie, secret, "logout+jwt")
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(claims).Serialize()
}

// EndSessions ends all sessions of sub and tells the clients that want to hear of it.
func (p *Provider) EndSessions(ctx context.Context, sub string) error {
	var failed error
	for {
		s, ok := p.find(func(s session) bool { return s.Sub == sub })
		if !ok {
			return failed
		}
		if err := p.end(s.ID); err != nil {
			return err
		}
		failed = errors.Join(failed, p.tellClient(ctx, s))
	}
}

// tellClient tells the client of s that it has ended.
func (p *Provider) tellClient(ctx context.Context, s session) error {
	c, ok := p.client(s.Client)
	if !ok || c.BackChannelLogoutURI == "" {
		return nil
	}
	token, err := p.LogoutToken(s.Client, s.Sub, s.ID, nil)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, logoutWait)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.BackChannelLogoutURI, strings.NewReader(url.Values{"logout_token": {token}}.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("tell client %s of a sign-out: %w", s.Client, err)
	}
	defer answer.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(answer.Body, 1000))
	if answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusNoContent {
		return fmt.Errorf("tell client %s of a sign-out: it answers %s: %s", s.Client, answer.Status, said)
	}
	return nil
}
