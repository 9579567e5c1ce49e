package signin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/jackc/pgx/v5"

	"petschaft/web/paths"
)

// SignOut ends the login and the session of this browser and returns where to
// send it: to the provider, to be signed out there (OpenID Connect
// RP-Initiated Logout 1.0, 2), or to our own page when the provider has no such
// place or cannot be asked for it. Signing out twice does no harm.
func (d *Desk) SignOut(w http.ResponseWriter, r *http.Request) (location string, err error) {
	ctx, v := r.Context(), visiting(r.Context())
	var e ended
	if v.login != 0 {
		err := d.db.Tx(ctx, func(tx pgx.Tx) (err error) {
			now := d.now()
			if e, err = d.end(ctx, tx, now, v.login); err != nil || e.ID == 0 {
				return err
			}
			return d.note(ctx, tx, now, v.actor.Who(), "signin.signed_out", e)
		})
		if err != nil {
			return "", err
		}
	}
	forms := d.sessions.GetBytes(ctx, keyLeft)
	if err := d.sessions.Destroy(ctx); err != nil {
		return "", fmt.Errorf("destroy session: %w", err)
	}
	if forms != nil { // their owner may be who signs in next
		d.sessions.Put(ctx, keyLeft, forms)
	}
	w.Header().Set("Cache-Control", "no-store")
	return d.farewell(ctx, e), nil
}

// farewell is where a login that has ended here also ends at the provider.
func (d *Desk) farewell(ctx context.Context, e ended) string {
	if e.IDToken == nil {
		return paths.SignedOut
	}
	hint, err := d.sealer.Open(e.IDToken, idTokenPurpose(e.ID))
	if err != nil {
		d.log.WarnContext(ctx, "signed out here only", "login", e.ID, "error", bare(err))
		return paths.SignedOut
	}
	p, err := d.provider(ctx)
	if err != nil {
		d.log.WarnContext(ctx, "signed out here only", "login", e.ID, "error", bare(err))
		return paths.SignedOut
	}
	u, err := url.Parse(p.EndSession)
	if err != nil || u.Host == "" {
		return paths.SignedOut
	}
	q := u.Query()
	q.Set("id_token_hint", string(hint))
	q.Set("post_logout_redirect_uri", d.cfg.here(paths.SignedOut))
	q.Set("client_id", d.cfg.ClientID)
	u.RawQuery = q.Encode()
	return u.String()
}
