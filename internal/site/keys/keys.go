package keys

import (
	"context"
	"net/http"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/cert"
	"petschaft/internal/compromise"
	"petschaft/internal/fault"
	"petschaft/internal/postgres"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/keyview"
)

// mostBlocked is how many blocked keys are shown.
const mostBlocked = 100

// Keys lists what is blocked.
func (s *Section) Keys(w http.ResponseWriter, r *http.Request) error {
	return s.keysPage(w, r, nil)
}

// LookAt leads to the key that an officer typed.
func (s *Section) LookAt(w http.ResponseWriter, r *http.Request) error {
	key, err := compromise.ReadKey(r.PostFormValue("which"))
	if err == nil && page.Unsent(r.Context()) { // it stands in the form again, to be sent
		err = postgres.ErrShown
	}
	if err != nil {
		return s.keysPage(w, r, err)
	}
	return s.Done(w, r, paths.OfficeKey(key.String()), "")
}

// keysPage asks for a key; failed is why the form came back.
func (s *Section) keysPage(w http.ResponseWriter, r *http.Request, failed error) error {
	ctx := r.Context()
	all, err := s.Compromise.AllBlocked(ctx, s.Actor(r), mostBlocked)
	if err != nil {
		return err
	}
	m := keyview.KeysModel{Key: r.PostFormValue("which")}
	if _, m.Error = page.Wrong(ctx, failed); m.Error != "" && page.Secret(r) {
		m.Key = ""
	}
	for _, b := range all {
		m.Blocked = append(m.Blocked, s.blockedLine(ctx, b))
	}
	f, status := s.OfficeFrame(r, page.T(ctx, "keys.title")), http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, keyview.Keys(f, m))
}

func (s *Section) blockedLine(ctx context.Context, b compromise.Blocked) keyview.BlockedLine {
	l := keyview.BlockedLine{
		Digest: b.Key.String(), Href: paths.OfficeKey(b.Key.String()), Note: b.Note, Since: view.Ago(ctx, b.Since, s.Now()), How: page.T(ctx, "keys.how_proof"),
	}
	if b.How == compromise.ByOfficer {
		l.How = page.T(ctx, "keys.how_officer", "name", b.ByName)
	}
	return l
}

// one is the key that the path names.
func (s *Section) one(r *http.Request) (compromise.Key, error) {
	key, err := compromise.ParseDigest(chi.URLParam(r, "key"))
	if err != nil {
		return compromise.Key{}, fault.New(fault.Missing, "fault.missing")
	}
	return s.Compromise.One(r.Context(), s.Actor(r), key)
}

// Key shows a key: whether it is blocked, its certificates, and what becomes of them.
func (s *Section) Key(w http.ResponseWriter, r *http.Request) error {
	k, err := s.one(r)
	if err != nil {
		return err
	}
	return s.keyPage(w, r, k, nil)
}

// Fall is an officer's decision that the key fell into other hands. A fresh sign-in,
// where one is asked for, belongs before this route.
func (s *Section) Fall(w http.ResponseWriter, r *http.Request) error {
	k, err := s.one(r)
	if err != nil {
		return err
	}
	f, err := s.Compromise.Fall(r.Context(), s.Doing(r), k.Digest, r.PostFormValue("note"))
	if err != nil && page.Answerable(err) {
		return s.keyPage(w, r, k, err)
	}
	if err != nil {
		return err
	}
	return s.Done(w, r, paths.OfficeKey(k.Digest.String()), "keys.done", "n", f.Revoked+f.Revoking)
}

// keyPage shows a key, and asks whether it shall fall; failed is why the form came back.
func (s *Section) keyPage(w http.ResponseWriter, r *http.Request, k compromise.Key, failed error) error {
	ctx, path := r.Context(), paths.OfficeKey(k.Digest.String())
	m := keyview.KeyModel{Head: view.HeadModel{Title: page.T(ctx, "keys.one")}, Digest: k.Digest.String(), Note: r.PostFormValue("note")}
	if k.Blocked != nil {
		l := s.blockedLine(ctx, *k.Blocked)
		m.Blocked, m.Head.State = &l, &view.StateModel{Kind: view.Ended, Word: page.T(ctx, "keys.state_blocked"), Pill: true}
	}
	for _, c := range k.Certificates {
		m.Certificates = append(m.Certificates, s.keyLine(ctx, c))
	}
	if n := len(k.Certificates); n < k.All() {
		m.More = page.T(ctx, "keys.first", "shown", n, "n", k.All())
	}
	for _, rep := range k.Reports {
		m.Reports = append(m.Reports, view.Link{Label: rep.Reference, Href: paths.OfficeReport(rep.ID)})
	}
	if k.Blocked == nil || k.Left() > 0 {
		m.What = []string{page.T(ctx, "keys.what", "n", k.Falling()), page.T(ctx, "keys.what_told")}
		m.Final = page.T(ctx, "keys.final")
		m.Form = &view.FormModel{
			Action: path, Submit: view.ButtonModel{Label: page.T(ctx, "keys.fall"), Kind: view.Danger}, Cancel: paths.OfficeKeys, Hidden: []view.Hidden{page.FormField()},
		}
	}
	fields, whole := page.Wrong(ctx, failed)
	m.NoteError, m.Whole = fields["note"], whole
	f, status := s.OfficeFrame(r, m.Head.Title, view.Link{Label: page.T(ctx, "keys.title"), Href: paths.OfficeKeys}), http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, keyview.Key(f, m))
}

func (s *Section) keyLine(ctx context.Context, c compromise.Certificate) keyview.KeyLine {
	l := keyview.KeyLine{
		Reference: c.Reference, Href: hrefOf(c), Kind: page.T(ctx, "keys.kind_mail"), For: c.For, Names: append(c.Emails, page.Spelled(c.Names)...),
		Ends: view.Ends(ctx, c.NotAfter, s.Now()),
		State: s.CertificateState(ctx, cert.Certificate{
			Revoked: c.Revoked, Revoking: c.Revoking, NotBefore: c.NotBefore, NotAfter: c.NotAfter,
		}),
		Fate: page.T(ctx, fates[c.Fate(s.Now())]),
	}
	switch {
	case c.Unexpected:
		l.Kind = page.T(ctx, "keys.kind_nobodys")
	case c.Server:
		l.Kind = page.T(ctx, "keys.kind_server")
	}
	return l
}

// fates are the words for what becomes of a certificate.
var fates = map[compromise.Fate]string{
	compromise.Stays: "keys.fate_stays", compromise.Revoked: "keys.fate_revoked", compromise.Revoking: "keys.fate_revoking",
	compromise.Told: "keys.fate_told", compromise.Raised: "keys.fate_raised",
}

// hrefOf is the page of a certificate, as an officer reads it.
func hrefOf(c compromise.Certificate) string {
	switch {
	case c.Unexpected:
		return paths.Unexpected
	case c.Server:
		return paths.Certificate(c.Reference)
	}
	return paths.ClientCertificate(c.ID)
}
