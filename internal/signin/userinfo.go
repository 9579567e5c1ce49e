package signin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"

	"golang.org/x/oauth2"

	"petschaft/internal/fault"
)

// silentError is that userinfo said nothing; away, that it may say something
// soon.
type silentError struct {
	*fault.Fault
	away bool
}

func silent(away bool, format string, args ...any) error {
	return &silentError{fault.New(fault.Unavailable, "signin.provider_down").Because(fmt.Errorf(format, args...)), away}
}

// Unwrap is for errors.As, which finds the fault.
func (s *silentError) Unwrap() error { return s.Fault }

// complete adds to said what only userinfo tells; it must speak of the same
// subject (OpenID Connect Core 1.0, 5.3.2). What it says of another address than
// the ID token's is not said of that one.
func (d *Desk) complete(ctx context.Context, p *provider, t *oauth2.Token, said statement) error {
	more, err := d.userinfo(ctx, p, t)
	if err != nil {
		return err
	}
	if more.text("sub") != said.text("sub") {
		return refused(errOtherPerson)
	}
	if more.says("email") && said.says("email") && more.first("email") != said.first("email") {
		delete(more, "email_verified")
		delete(more, "xms_edov")
	}
	if v, ok := more.find(d.cfg.GroupsClaim); ok && !said.finds(d.cfg.GroupsClaim) {
		said[d.cfg.GroupsClaim] = v
	}
	for name, value := range more {
		if !said.says(name) {
			said[name] = value
		}
	}
	return nil
}

// userinfo is OpenID Connect Core 1.0, 5.3: plain, or signed by the provider.
// go-oidc's own way to ask fails at claims of odd types, which some providers
// send, and does not tell a refusal from trouble.
func (d *Desk) userinfo(ctx context.Context, p *provider, t *oauth2.Token) (statement, error) {
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Info, nil)
	if err != nil {
		return nil, silent(false, "ask userinfo: %w", err)
	}
	t.SetAuthHeader(ask)
	answer, err := d.client.Do(ask)
	if err != nil {
		return nil, silent(true, "ask userinfo: %w", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, silent(true, "read userinfo: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, silent(answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests, "userinfo says %s: %.200q", answer.Status, body)
	}
	if kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type")); kind == "application/jwt" {
		if body, err = p.keys.VerifySignature(ctx, string(body)); err != nil {
			return nil, silent(false, "read signed userinfo: %w", err)
		}
	}
	said := statement{}
	if err := json.Unmarshal(body, &said); err != nil {
		return nil, silent(false, "read userinfo: %w", err)
	}
	return said, nil
}
