package keys

import (
	"net/http"
	"strconv"

	"petschaft/internal/compromise"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/keyview"
)

func sought(r *http.Request) compromise.Sought {
	return compromise.Sought{Certificate: r.PostFormValue("certificate"), Serial: r.PostFormValue("serial"), Issuer: r.PostFormValue("issuer")}
}

// AskTell asks anybody which certificate they report.
func (s *Section) AskTell(w http.ResponseWriter, r *http.Request) error {
	return s.tellPage(w, r, nil)
}

// Tell takes a report; who is not signed in may send one, too.
func (s *Section) Tell(w http.ResponseWriter, r *http.Request) error {
	reference, err := s.Compromise.Report(r.Context(), s.Actor(r), s.ClientIP(r), compromise.Telling{
		Sought: sought(r), Reason: page.TypedReason(r), Words: r.PostFormValue("words"), Email: r.PostFormValue("email"),
	})
	if err != nil && page.Answerable(err) {
		return s.tellPage(w, r, err)
	}
	if err != nil {
		return err
	}
	ctx := r.Context()
	due := view.At(ctx, s.Now().Add(compromise.ReportLife), s.Now()).Text
	return s.Show(w, r, http.StatusOK, keyview.Told(s.Frame(r, page.T(ctx, "report.thanks")), reference, due))
}

// tellPage asks; failed is why the form came back.
func (s *Section) tellPage(w http.ResponseWriter, r *http.Request, failed error) error {
	ctx, in := r.Context(), sought(r)
	m := keyview.TellModel{
		Certificate: in.Certificate, Serial: in.Serial, Issuer: in.Issuer, Reason: r.PostFormValue("reason"), Words: r.PostFormValue("words"), Email: r.PostFormValue("email"),
	}
	for _, x := range compromise.Reasons() {
		m.Reasons = append(m.Reasons, view.Choice{Value: strconv.Itoa(int(x)), Label: page.T(ctx, reportReasons[x])})
	}
	m.Errors, m.Whole = page.Wrong(ctx, failed)
	if page.Secret(r) { // a private key is never shown again
		m.Certificate, m.Words = "", ""
	}
	f, status := s.Frame(r, page.T(ctx, "report.title")), http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, keyview.Tell(f, m))
}

// AskProof asks whose key somebody holds.
func (s *Section) AskProof(w http.ResponseWriter, r *http.Request) error {
	return s.proofPage(w, r, nil)
}

// Challenge gives out a value for that key, which is shown once.
func (s *Section) Challenge(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	c, err := s.Compromise.Challenge(ctx, s.Actor(r), s.ClientIP(r), sought(r))
	if err != nil && page.Answerable(err) {
		return s.proofPage(w, r, err)
	}
	if err != nil {
		return err
	}
	m := keyview.ProveModel{
		Digest: c.Key.String(), Value: c.Value, Until: view.At(ctx, c.Until, s.Now()).Text,
		Command: `openssl req -new -key ` + page.T(ctx, "key.file_key") + ` -subj "/CN=` + compromise.ProofSubject + c.Value + `"`,
	}
	return s.Show(w, r, http.StatusOK, keyview.Prove(s.Frame(r, page.T(ctx, "report.proof_title")), m))
}

func (s *Section) proofPage(w http.ResponseWriter, r *http.Request, failed error) error {
	ctx, in := r.Context(), sought(r)
	m := keyview.ProofModel{Certificate: in.Certificate, Serial: in.Serial, Issuer: in.Issuer}
	m.Errors, m.Whole = page.Wrong(ctx, failed)
	if page.Secret(r) {
		m.Certificate = ""
	}
	f, status := s.Frame(r, page.T(ctx, "report.proof_title"), view.Link{Label: page.T(ctx, "report.title"), Href: paths.Report}), http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, keyview.Proof(f, m))
}

// AskProve asks for a request alone.
func (s *Section) AskProve(w http.ResponseWriter, r *http.Request) error {
	return s.provePage(w, r, nil)
}

// Prove takes the request that proves it.
func (s *Section) Prove(w http.ResponseWriter, r *http.Request) error {
	fallen, key, err := s.Compromise.Prove(r.Context(), s.Actor(r), s.ClientIP(r), []byte(r.PostFormValue("csr")))
	if err != nil && page.Answerable(err) {
		return s.provePage(w, r, err)
	}
	if err != nil {
		return err
	}
	ctx := r.Context()
	what := []string{page.T(ctx, "report.proven", "n", fallen.Revoked+fallen.Revoking)}
	if fallen.Told > 0 {
		what = append(what, page.T(ctx, "report.proven_told", "n", fallen.Told))
	}
	return s.Show(w, r, http.StatusOK, keyview.Proven(s.Frame(r, page.T(ctx, "report.proven_title")), key.String(), what))
}

func (s *Section) provePage(w http.ResponseWriter, r *http.Request, failed error) error {
	ctx := r.Context()
	m := keyview.ProveModel{CSR: r.PostFormValue("csr")}
	if _, m.Error = page.Wrong(ctx, failed); page.Secret(r) {
		m.CSR = ""
	}
	f, status := s.Frame(r, page.T(ctx, "report.proof_title"), view.Link{Label: page.T(ctx, "report.title"), Href: paths.Report}), http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, keyview.Prove(f, m))
}
