package clients

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/clientview"
)

// linkedRow is the row that the path names, if it is linked to the actor.
func (s *Section) linkedRow(r *http.Request) (mailbox.Linked, error) {
	row, err := page.Number[mailbox.ID](r, "row")
	if err != nil {
		return mailbox.Linked{}, err
	}
	return s.Mailbox.LinkedRow(r.Context(), s.Actor(r), row)
}

// AskApply asks for key and consent. An application that is under way is shown
// instead.
func (s *Section) AskApply(w http.ResponseWriter, r *http.Request) error {
	l, err := s.linkedRow(r)
	if err != nil {
		return err
	}
	applied, err := s.Order.Mine(r.Context(), s.Actor(r), applicationsShown)
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
	account, err := s.People.One(r.Context(), s.Actor(r), s.Actor(r).Account)
	if err != nil {
		return err
	}
	if err := order.MayName(l, account); err != nil {
		return err
	}
	return s.applyPage(w, r, l, page.CSRForm{}, nil)
}

func (s *Section) Apply(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	l, err := s.linkedRow(r)
	if err != nil {
		return err
	}
	in, err := page.ReadCSRForm(r)
	if err != nil {
		return err
	}
	made, err := s.Order.Apply(ctx, by, l.RowID, order.Input{CSR: in.CSR(), Terms: in.Terms})
	switch {
	case err == nil:
		return s.applied(w, r, made)
	case errors.Is(err, order.ErrOneOpen):
		return s.appliedAlready(w, r, l, fault.Of(err))
	case page.Answerable(err):
		return s.applyPage(w, r, l, in, err)
	}
	return err
}

// applied leads to the application and says what of the request was left out.
func (s *Section) applied(w http.ResponseWriter, r *http.Request, made order.Applied) error {
	if len(made.LeftOut) == 0 {
		return s.Done(w, r, paths.Application(made.ID), "")
	}
	return s.Done(w, r, paths.Application(made.ID), "apply.ignored", "what", strings.Join(page.Ignored(r.Context(), made.LeftOut), "; "))
}

// appliedAlready answers a second tab, or a second click: the first counts.
func (s *Section) appliedAlready(w http.ResponseWriter, r *http.Request, l mailbox.Linked, f *fault.Fault) error {
	ctx := r.Context()
	m := view.ProblemModel{Status: s.Status(w, f), What: page.T(ctx, f.ID, f.Args...), Todo: page.T(ctx, "apply.twice_todo")}
	applied, err := s.Order.Mine(ctx, s.Actor(r), applicationsShown)
	if err != nil {
		return err
	}
	if a := openFor(applied, l.RowID); a != nil {
		m.Actions = []view.ButtonModel{{Label: page.T(ctx, "mine.look"), Href: paths.Application(a.ID), Kind: view.Primary}}
	}
	s.Problem(w, r, m)
	return nil
}

// applyPage shows the form, again when failed is not nil.
func (s *Section) applyPage(w http.ResponseWriter, r *http.Request, l mailbox.Linked, in page.CSRForm, failed error) error {
	ctx, by := r.Context(), s.Actor(r)
	account, err := s.People.One(ctx, by, by.Account)
	if err != nil {
		return err
	}
	m := applyForm(ctx, in, failed)
	m.Head = view.HeadModel{Title: page.T(ctx, "apply.title")}
	m.Addresses, m.Key.Command = page.Addresses(l.Addresses()), requestCommand(ctx, string(l.Primary))
	m.Account, m.Row = page.ID(by.Account), page.ID(l.RowID)
	m.Name, m.NameNote = certifiedName(ctx, l, account)
	m.Form = view.FormModel{
		Action: paths.Apply(l.RowID), Upload: true, Submit: view.ButtonModel{Label: page.T(ctx, "apply.submit")},
		Cancel: paths.ClientCertificates, Hidden: []view.Hidden{{Name: "version", Value: s.Order.Terms}},
	}
	f, status := s.Frame(r, m.Head.Title, view.Link{Label: page.T(ctx, "nav.client_certificates"), Href: paths.ClientCertificates}), http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, clientview.Apply(f, m))
}

// certifiedName is the name that the certificate will hold, and a note on it.
func certifiedName(ctx context.Context, l mailbox.Linked, a person.Account) (name, note string) {
	if l.Kind == mailbox.Functional {
		return "", page.T(ctx, "apply.name_none")
	}
	if a.GivenName == "" && a.FamilyName == "" {
		return a.Name, page.T(ctx, "pki.request.no_name")
	}
	return cmp.Or(a.Name, strings.TrimSpace(a.GivenName+" "+a.FamilyName)), page.T(ctx, "apply.name_provider")
}

// applyForm holds what was typed, with what is wrong with it.
func applyForm(ctx context.Context, in page.CSRForm, failed error) clientview.ApplyModel {
	bad, whole := page.Wrong(ctx, failed)
	return clientview.ApplyModel{
		Steps: applySteps(ctx, 1), Key: in.KeyModel(page.KeyCSR, bad["csr"]),
		Agreed: in.Terms != "" && bad["terms"] == "", TermsError: bad["terms"], Whole: whole,
	}
}

// applySteps are those of an application; at counts from 0.
func applySteps(ctx context.Context, at int) []view.Step {
	var steps []view.Step
	for i, label := range []string{page.T(ctx, "apply.step_address"), page.T(ctx, "apply.step_key"), page.T(ctx, "apply.step_terms"), page.T(ctx, "apply.step_done")} {
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
	return "openssl req -new -newkey rsa:3072 -subj /CN=" + name + " -keyout " + page.T(ctx, "key.file_key") + " -out " + page.T(ctx, "key.file_request")
}
