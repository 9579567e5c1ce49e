package signin

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"petschaft/internal/fault"
)

// Blame is for the log: what is wrong in words for an operator, where Begin,
// Finish or Try failed with err, and what was said of it; "" where that is all.
// Neither holds keys of messages.
func Blame(err error) (cause, detail string) {
	switch WhyNot(err) {
	case ClientRefused:
		cause = "the provider does not take PETSCHAFT_OIDC_CLIENT_ID or PETSCHAFT_OIDC_CLIENT_SECRET"
	case ProviderAway:
		cause = blameProvider(err)
	case Untrusted:
		cause = "the provider's answer does not hold, or it refuses what the portal asks"
	case Declined:
		cause = "the provider did not let the person in, or the person went back"
	case Stale:
		cause = "an old tab, or the way back in the browser"
	case ShutOut:
		cause = "the account is locked"
	case Braked:
		cause = "too many sign-ins were begun from this network address: see PETSCHAFT_SIGNIN_PER_MINUTE"
	case NotFresh:
		cause = "the provider does not say that the person signed in just now, so steps that want a fresh sign-in are refused: see PETSCHAFT_FRESH"
	case NotStrong:
		cause = "the sign-in of an officer reached nothing that PETSCHAFT_OIDC_ACR names, so the officer acts as a user"
	case OtherAccount:
		cause = "somebody else signed in than was to sign in again"
	case Trouble:
		cause = "trouble of the portal itself"
	}
	return cause, bare(err)
}

func blameProvider(err error) string {
	if other, ok := errors.AsType[*oidc.IssuerMismatchError](err); ok {
		return fmt.Sprintf("PETSCHAFT_OIDC_ISSUER is %q and the provider calls itself %.200q", other.Provided, other.Discovered)
	}
	if said, ok := errors.AsType[*statusError](err); ok {
		return said.Error()
	}
	if said, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return "asked for tokens, the provider answers " + said.Response.Status
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the provider's certificate is of an authority that is not known here: see SSL_CERT_FILE in docs/signin.md"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "the provider's certificate does not hold"
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return "the provider cannot be reached"
	}
	return "the provider does not answer as it should"
}

// bare is err without the faults around it, whose keys are for catalogs.
func bare(err error) string {
	f, ok := errors.AsType[*fault.Fault](err)
	if !ok {
		return err.Error()
	}
	if err = f.Unwrap(); err == nil {
		return ""
	}
	return bare(err)
}

// statusError is that there is no discovery document where it should be.
type statusError struct{ at, status string }

func (s *statusError) Error() string {
	return fmt.Sprintf("asked for %s, the provider answers %s", s.at, s.status)
}

// documents gives answers of status 200 only: go-oidc keeps the others as a text.
type documents struct{ http.RoundTripper }

func (d documents) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := d.RoundTripper.RoundTrip(r)
	if err != nil || answer.StatusCode == http.StatusOK {
		return answer, err
	}
	answer.Body.Close()
	return nil, &statusError{r.URL.String(), answer.Status}
}
