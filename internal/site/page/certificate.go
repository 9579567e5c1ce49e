package page

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"petschaft/internal/cert"
	"petschaft/internal/mailbox"
	"petschaft/internal/pki"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// Authority is a certificate authority whose certificate everybody may fetch.
type Authority struct {
	Name string // in addresses: /pki/mail.crt, /pki/mail.crl
	DER  []byte
	// Addressee is how programs name it that ask whether one of its certificates
	// counts, OCSPURL where they do, empty while certificates carry no addresses.
	// Nil: nobody answers for it.
	Addressee *pki.Addressee
	OCSPURL   string
}

// EndsSoon tells whether c still counts, but may be followed by the next.
func (p *Page) EndsSoon(c cert.Certificate) bool {
	return c.Valid(p.Now()) && c.Revoking == nil && !c.Unwanted && c.NotAfter.Sub(p.Now()) <= mailbox.Renewable
}

// CertificateState is how c stands, and since when.
func (p *Page) CertificateState(ctx context.Context, c cert.Certificate) view.StateModel {
	switch now := p.Now(); {
	case c.Revoked != nil:
		return view.StateModel{Kind: view.Ended, Word: T(ctx, "cert.state_revoked"), Since: locale.From(ctx).DateTime(*c.Revoked)}
	case c.Revoking != nil:
		return view.StateModel{Kind: view.Warn, Icon: view.IconClock, Word: T(ctx, "cert.state_revoking"), Since: locale.From(ctx).DateTime(*c.Revoking)}
	case c.Unwanted:
		return Unwanted(ctx, c.Issued)
	case now.After(c.NotAfter):
		return view.StateModel{Kind: view.Ended, Icon: view.IconClock, Word: T(ctx, "cert.state_expired"), Since: locale.From(ctx).DateTime(c.NotAfter)}
	case p.EndsSoon(c):
		return view.StateModel{Kind: view.Warn, Word: T(ctx, "cert.state_soon"), Since: locale.From(ctx).DateTime(c.NotAfter)}
	}
	return view.StateModel{Kind: view.Good, Word: T(ctx, "cert.state_valid"), Since: locale.From(ctx).DateTime(c.NotBefore)}
}

// Unwanted is how something stands that came at issued when nobody wanted it any more.
func Unwanted(ctx context.Context, issued time.Time) view.StateModel {
	return view.StateModel{Kind: view.Bad, Icon: view.IconBan, Word: T(ctx, "cert.state_unwanted"), Since: locale.From(ctx).DateTime(issued)}
}

// LifeBar is how much of a life is left, nil when the certificate does not count.
func (p *Page) LifeBar(ctx context.Context, valid bool, from, until time.Time) *view.BarModel {
	if !valid {
		return nil
	}
	r := locale.From(ctx) // whose days are those of the words beside it
	total, left := r.Days(from, until), r.Days(p.Now(), until)
	return &view.BarModel{Left: strconv.Itoa(left), Total: strconv.Itoa(max(total, 1)), Text: T(ctx, "cert.left", "n", left, "total", total)}
}

// CertificateLine is c in a list.
func (p *Page) CertificateLine(ctx context.Context, c cert.Certificate) view.CertificateLine {
	return view.CertificateLine{
		Reference: c.Reference, Href: paths.ClientCertificate(c.ID), Holder: c.Holder, Addresses: c.Emails, Serial: pki.Colons(c.Serial),
		Ends: view.Ends(ctx, c.NotAfter, p.Now()), State: p.CertificateState(ctx, c),
	}
}

// noReason is what a form without a choice means; no reason has this number.
const noReason pki.Reason = -1

// TypedReason is the reason that a form names.
func TypedReason(r *http.Request) pki.Reason {
	n, err := strconv.Atoi(r.PostFormValue("reason"))
	if err != nil {
		return noReason
	}
	return pki.Reason(n)
}

// ReasonModel asks for one of reasons; failed is why the form came back.
func ReasonModel(ctx context.Context, reasons []pki.ReasonFacts, why pki.Reason, failed error) view.ReasonModel {
	bad, whole := Wrong(ctx, failed)
	m := view.ReasonModel{Value: strconv.Itoa(int(why)), Error: bad["reason"], Whole: whole}
	for _, f := range reasons {
		m.Choices = append(m.Choices, view.Choice{Value: strconv.Itoa(int(f.Reason)), Label: T(ctx, f.ID), Hint: T(ctx, f.Help)})
	}
	return m
}

// RevokedDone leads to the page of the certificate, or to where it stands, and says
// what happens now.
func (p *Page) RevokedDone(w http.ResponseWriter, r *http.Request, to string, earlier, external bool) error {
	switch {
	case earlier:
		return p.Done(w, r, to, "cert.revoked_noted")
	case external:
		return p.Done(w, While(r, beingRevoked), to, "cert.revoking_done")
	}
	return p.Done(w, r, to, "cert.revoked_done")
}

// beingRevoked is the state of a certificate since its authority was asked.
const beingRevoked = "revoking"

// StandsSince is Stands for the page of a certificate that is being revoked since then;
// nil: it is not.
func StandsSince(r *http.Request, revoking *time.Time) *http.Request {
	if revoking == nil {
		return Stands(r, "")
	}
	return Stands(r, beingRevoked)
}
