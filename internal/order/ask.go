package order

import (
	"context"
	"errors"
	"strings"
	"time"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/lint"
	"petschaft/internal/pki"
)

// Why an issuance failed, as message ids.
const (
	failedAuthority = "order.failed.authority"    // it says no: there is no certificate
	failedMismatch  = "order.failed.mismatch"     // it answered with something else
	failedAway      = "order.failed.away"         // whether there is a certificate is not known
	failedChecks    = "serverorder.failed.checks" // it was not asked
)

// answer is what an authority makes of an intent.
type answer struct {
	certificate pki.Certificate
	checks      *lint.Report // of the certificate
	failed      string       // why there is none, as a message id
	findings    []lint.Finding
	instead     []byte // what came and was not asked for
}

// detail is a failure as an audit line tells it.
func (a answer) detail(reference string) audit.Detail {
	d := audit.Detail{"reference": reference, "why": a.failed}
	if len(a.instead) > 0 {
		d["answer"] = pki.Certificate{DER: a.instead}.Fingerprints().SHA256
	}
	if len(a.findings) > 0 {
		d["rules"] = strings.Join(lint.Rules(a.findings), ", ")
	}
	return d
}

// ask calls the authority. An error means that the outcome is unknown: the same
// intent is asked for again.
func (b *Book) ask(ctx context.Context, r pki.Request) (answer, error) {
	patience := b.Patience
	if patience == 0 {
		patience = 30 * time.Second
	}
	call, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := b.Authority.Issue(call, r)
	if refusal, ok := errors.AsType[*lint.Refusal](err); ok {
		return answer{failed: failedRules(refusal.Findings), findings: refusal.Findings}, nil
	}
	if f := fault.Of(err); err != nil && (f.Kind == fault.Conflict || f.Kind == fault.Invalid) {
		return answer{failed: failedAuthority}, nil
	}
	if err != nil {
		return answer{}, err
	}
	if err := pki.Matches(r, c); err != nil {
		return answer{failed: failedMismatch, instead: c.DER}, nil
	}
	checks, err := b.checked(ctx, r, c)
	return answer{certificate: c, checks: checks}, err
}
