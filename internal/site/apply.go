package site

import (
	"cmp"
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/clientview"
)

// typed is what was sent with the form. It may hold what never should have left
// its owner's machine, so it is shown again only by shown.
type typed struct {
	text  string // of the field
	file  []byte // instead of it, when one was chosen
	terms string // the version that was accepted
}

func readTyped(r *http.Request) (typed, error) {
	in := typed{text: r.PostFormValue("csr")}
	if r.PostFormValue("terms") == "on" {
		in.terms = r.PostFormValue("version")
	}
	f, _, err := r.FormFile("file")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return in, nil
	}
	if err != nil {
		return in, &fault.Fault{Kind: fault.Invalid}
	}
	defer f.Close()
	if in.file, err = io.ReadAll(f); err != nil {
		return in, (&fault.Fault{Kind: fault.Invalid}).Because(err)
	}
	return in, nil
}

// csr is the request: the file when one was chosen.
func (in typed) csr() string {
	if len(in.file) > 0 {
		return string(in.file)
	}
	return in.text
}

// shown is what stands in the field when the form comes back: what was typed,
// or the good request of a file, since browsers forget files. A private key is
// never sent back.
func (in typed) shown() string {
	text := in.text
	if _, err := pki.ReadCSR(in.file); len(in.file) > 0 && err == nil {
		text = string(in.file)
		if !strings.Contains(text, "-----BEGIN") {
			text = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: in.file}))
		}
	}
	if _, err := pki.ReadCSR([]byte(text)); errors.Is(err, pki.ErrPrivateKey) {
		return ""
	}
	return text
}

// linkedRow is the row that the path names, if it is linked to the actor.
func (s *Site) linkedRow(r *http.Request) (mailbox.Linked, error) {
	row, err := number[mailbox.ID](r, "row")
	if err != nil {
		return mailbox.Linked{}, err
	}
	return s.Mailbox.LinkedRow(r.Context(), s.actor(r), row)
}

// askApply asks for key and consent. An application that is under way is shown
// instead.
func (s *Site) askApply(w http.ResponseWriter, r *http.Request) error {
	l, err := s.linkedRow(r)
	if err != nil {
		return err
	}
	applied, err := s.Order.Mine(r.Context(), s.actor(r), applicationsShown)
	if err != nil {
		return err
	}
	if a := openFor(applied, l.RowID); a != nil {
		http.Redirect(w, r, paths.Application(a.ID), http.StatusSeeOther)
		return nil
	}
	if err := s.mayApply(l); err != nil {
		return err
	}
	account, err := s.People.One(r.Context(), s.actor(r), s.actor(r).Account)
	if err != nil {
		return err
	}
	if err := order.MayName(l, account); err != nil {
		return err
	}
	return s.applyPage(w, r, l, typed{}, nil)
}

func (s *Site) apply(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.actor(r)
	l, err := s.linkedRow(r)
	if err != nil {
		return err
	}
	in, err := readTyped(r)
	if err != nil {
		return err
	}
	made, err := s.Order.Apply(ctx, by, l.RowID, order.Input{CSR: in.csr(), Terms: in.terms})
	switch {
	case err == nil:
		return s.applied(w, r, made)
	case errors.Is(err, order.ErrOneOpen):
		return s.appliedAlready(w, r, l, fault.Of(err))
	case answerable(err):
		return s.applyPage(w, r, l, in, err)
	}
	return err
}

// applied leads to the application and says what of the request was left out.
func (s *Site) applied(w http.ResponseWriter, r *http.Request, made order.Applied) error {
	if len(made.LeftOut) == 0 {
		return s.done(w, r, paths.Application(made.ID), "")
	}
	return s.done(w, r, paths.Application(made.ID), "apply.ignored", "what", strings.Join(ignoredWords(r.Context(), made.LeftOut), "; "))
}

// mostIgnored bounds the message that names what was left out.
const mostIgnored = 8

// ignoredWords says what of a request will not be in its certificate.
func ignoredWords(ctx context.Context, ignored []pki.Dropped) (words []string) {
	for _, d := range ignored[:min(len(ignored), mostIgnored)] {
		words = append(words, t(ctx, d.ID, d.Args...))
	}
	if len(ignored) > mostIgnored {
		words = append(words, "…")
	}
	return words
}

// appliedAlready answers a second tab, or a second click: the first counts.
func (s *Site) appliedAlready(w http.ResponseWriter, r *http.Request, l mailbox.Linked, f *fault.Fault) error {
	ctx := r.Context()
	m := view.ProblemModel{Status: s.status(w, f), What: t(ctx, f.ID, f.Args...), Todo: t(ctx, "apply.twice_todo")}
	applied, err := s.Order.Mine(ctx, s.actor(r), applicationsShown)
	if err != nil {
		return err
	}
	if a := openFor(applied, l.RowID); a != nil {
		m.Actions = []view.ButtonModel{{Label: t(ctx, "mine.look"), Href: paths.Application(a.ID), Kind: view.Primary}}
	}
	s.problem(w, r, m)
	return nil
}

// applyPage shows the form, again when failed is not nil.
func (s *Site) applyPage(w http.ResponseWriter, r *http.Request, l mailbox.Linked, in typed, failed error) error {
	ctx, by := r.Context(), s.actor(r)
	account, err := s.People.One(ctx, by, by.Account)
	if err != nil {
		return err
	}
	m := applyForm(ctx, in, failed)
	m.Head = view.HeadModel{Title: t(ctx, "apply.title")}
	m.Addresses, m.Key.Command, m.Key.Keep = addresses(l.Addresses()), requestCommand(ctx, string(l.Primary)), t(ctx, "apply.how_keep")
	m.Account, m.Row = id(by.Account), id(l.RowID)
	m.Name, m.NameNote = certifiedName(ctx, l, account)
	m.Form = view.FormModel{
		Action: paths.Apply(l.RowID), Upload: true, Submit: view.ButtonModel{Label: t(ctx, "apply.submit")},
		Cancel: paths.ClientCertificates, Hidden: []view.Hidden{{Name: "version", Value: s.Order.Terms}},
	}
	f, status := s.frame(r, m.Head.Title, view.Link{Label: t(ctx, "nav.client_certificates"), Href: paths.ClientCertificates}), http.StatusOK
	if failed != nil {
		f, status = s.refused(w, f, failed)
	}
	return s.show(w, r, status, clientview.Apply(f, m))
}

// certifiedName is the name that the certificate will hold, and a note on it.
func certifiedName(ctx context.Context, l mailbox.Linked, a person.Account) (name, note string) {
	if l.Kind == mailbox.Functional {
		return "", t(ctx, "apply.name_none")
	}
	if a.GivenName == "" && a.FamilyName == "" {
		return a.Name, t(ctx, "pki.request.no_name")
	}
	return cmp.Or(a.Name, strings.TrimSpace(a.GivenName+" "+a.FamilyName)), t(ctx, "apply.name_provider")
}

// applyForm holds what was typed, with what is wrong with it.
func applyForm(ctx context.Context, in typed, failed error) clientview.ApplyModel {
	bad, whole := wrong(ctx, failed)
	m := clientview.ApplyModel{Steps: applySteps(ctx, 1)}
	m.Key = keyChoice(ctx, t(ctx, "key.browser_hint"), in, keyCSR, bad["csr"])
	m.Key.Kind = keyKind(ctx, "rsa", t(ctx, "key.rsa_mail"), t(ctx, "key.ec_mail"))
	m.Terms = view.FieldModel{Name: "terms", Label: t(ctx, "apply.terms_accept"), Type: view.Checkbox, Error: bad["terms"]}
	if in.terms != "" && bad["terms"] == "" {
		m.Terms.Value = "on"
	}
	m.Fails = view.Fails(m.Key.CSR, m.Key.File)
	if m.Terms.Error != "" {
		m.Fails = append(m.Fails, view.Fail{Field: m.Terms.Name, Text: m.Terms.Error})
	}
	if whole != "" {
		m.Fails = append(m.Fails, view.Fail{Text: whole})
	}
	return m
}

// applySteps are those of an application; at counts from 0.
func applySteps(ctx context.Context, at int) []view.Step {
	var steps []view.Step
	for i, label := range []string{t(ctx, "apply.step_address"), t(ctx, "apply.step_key"), t(ctx, "apply.step_terms"), t(ctx, "apply.step_done")} {
		steps = append(steps, view.Step{Label: label, Done: i < at, Current: i == at})
	}
	return steps
}

// plainAddress needs no quoting, neither for a shell nor in a Subject.
var plainAddress = regexp.MustCompile(`^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+$`)

// requestCommand makes a key and a request with OpenSSL. The name in it does
// not matter; an address that a shell could mistake is left out.
func requestCommand(ctx context.Context, address string) string {
	name := "antrag"
	if plainAddress.MatchString(address) {
		name = address
	}
	return "openssl req -new -newkey rsa:3072 -subj /CN=" + name + " -keyout " + t(ctx, "key.file_key") + " -out " + t(ctx, "key.file_request")
}
