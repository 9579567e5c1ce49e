package signin

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/oauth2"

	"petschaft/internal/fault"
	"petschaft/internal/person"
)

// Why says why a sign-in came to nothing.
type Why string

const (
	ProviderAway  Why = "provider"  // it cannot be reached, or does not call itself as it is configured
	ClientRefused Why = "client"    // it does not take the portal's client id or secret
	Untrusted     Why = "untrusted" // its answer does not hold
	Declined      Why = "declined"  // it did not let the person in, or the person went back
	Stale         Why = "stale"     // an old tab, or the way back in the browser's history
	ShutOut       Why = "locked"    // an officer locked the account
	Braked        Why = "braked"    // too many from one network address
	NotFresh      Why = "fresh"     // it does not say that somebody signed in just now, who was to
	NotStrong     Why = "acr"       // it did not reach what an officer's sign-in must
	OtherAccount  Why = "other"     // somebody else signed in than was to
	Trouble       Why = "trouble"   // here: the database, say
)

// Operators tells whether an operator is who can mend it.
func (w Why) Operators() bool {
	return w == ProviderAway || w == ClientRefused || w == Untrusted || w == NotFresh || w == NotStrong || w == Trouble
}

// WhyNot is why Begin or Finish failed with err.
func WhyNot(err error) Why {
	no, said := errors.AsType[*refusedError](err)
	switch {
	case clientRefused(err):
		return ClientRefused
	case errors.Is(err, person.ErrLocked):
		return ShutOut
	case errors.Is(err, ErrBraked):
		return Braked
	case errors.Is(err, ErrNotFresh):
		return NotFresh
	case errors.Is(err, ErrNotStrong):
		return NotStrong
	case errors.Is(err, ErrOther):
		return OtherAccount
	case said && no.declined():
		return Declined
	case fault.Is(err, fault.Unavailable):
		return ProviderAway
	case fault.Is(err, fault.Denied):
		return Untrusted
	case fault.Is(err, fault.Conflict):
		return Stale
	}
	return Trouble
}

// shutOutError is that the account is locked.
type shutOutError struct {
	account person.ID
	cause   error
}

func (s *shutOutError) Error() string { return fmt.Sprintf("account %d: %v", s.account, s.cause) }

func (s *shutOutError) Unwrap() error { return s.cause }

// About is the account that Finish did not let in with err, 0 where none is known.
func About(err error) person.ID {
	if s, ok := errors.AsType[*shutOutError](err); ok {
		return s.account
	}
	return 0
}

func (d *Desk) count(err error) {
	if err != nil && d.cfg.Count != nil && !errors.Is(err, context.Canceled) {
		d.cfg.Count(WhyNot(err))
	}
}

// refusedError is what the provider says instead of a code: one that is known, or
// "other".
type refusedError struct{ code string }

func (r *refusedError) Error() string { return "the provider says " + r.code }

// known is code if a standard knows it (RFC 6749, 4.1.2.1 and 5.2; OpenID Connect
// Core 1.0, 3.1.2.6), else "other".
func known(code string) string {
	switch code {
	case "invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type", "invalid_scope", "server_error", "temporarily_unavailable",
		"invalid_client", "interaction_required", "login_required", "account_selection_required", "consent_required",
		"unmet_authentication_requirements", "invalid_request_uri", "invalid_request_object", "request_not_supported", "request_uri_not_supported", "registration_not_supported":
		return code
	}
	return "other"
}

// declined are the answers that are about the person (RFC 6749, 4.1.2.1; OpenID
// Connect Core 1.0, 3.1.2.6); others are about what the portal asked.
func (r *refusedError) declined() bool {
	switch r.code {
	case "access_denied", "interaction_required", "login_required", "account_selection_required", "consent_required":
		return true
	}
	return false
}

// clientRefused tells whether the provider takes the portal for nobody it knows.
func clientRefused(err error) bool {
	if no, ok := errors.AsType[*refusedError](err); ok {
		return no.code == "unauthorized_client" || no.code == "invalid_client"
	}
	said, ok := errors.AsType[*oauth2.RetrieveError](err)
	return ok && (said.ErrorCode == "invalid_client" || said.ErrorCode == "unauthorized_client" ||
		said.ErrorCode == "" && said.Response.StatusCode == http.StatusUnauthorized)
}

// Try asks the provider what a sign-in would: for its document, and for tokens
// with a code that is made up, which a provider that takes the portal's id and
// secret refuses for the code alone. nil is that nothing speaks against signing
// in; a provider that says another thing than this gets the benefit of the doubt.
func (d *Desk) Try(ctx context.Context) error {
	p, err := d.reach(ctx)
	if err != nil {
		return err
	}
	_, err = p.oauth.Exchange(d.outward(ctx), "petschaft-asks-whether-its-secret-is-right", oauth2.VerifierOption(oauth2.GenerateVerifier()))
	if err == nil || !away(err) {
		return nil
	}
	return providerDown(fmt.Errorf("ask for tokens with a made-up code: %w", err))
}
