package site

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/portalview"
)

func (s *Site) newToken(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	in := person.TokenInput{Form: rand.Text(), Ends: s.Now().AddDate(0, 6, 0)}
	own, err := s.kept(ctx, s.Actor(r))
	if err != nil {
		return err
	}
	if len(own.domains)+len(own.organisations) == 1 { // nothing to choose
		for _, d := range own.domains {
			in.Domains = []int64{int64(d.ID)}
		}
		for _, o := range own.organisations {
			in.Organisations = []int64{int64(o.ID)}
		}
	}
	return s.newTokenPage(w, r, own, in, nil)
}

// newTokenPage asks for a token; err is why the form came back.
func (s *Site) newTokenPage(w http.ResponseWriter, r *http.Request, own kept, in person.TokenInput, err error) error {
	ctx, now := r.Context(), s.Now()
	if !own.some() {
		return fault.New(fault.Denied, "token.nothing_kept")
	}
	m := portalview.TokenForm{
		Form: view.FormModel{
			Action: paths.Tokens, Cancel: paths.Tokens, Submit: view.ButtonModel{Label: page.T(ctx, "token.make")}, Hidden: []view.Hidden{{Name: "form", Value: in.Form}},
		},
		Name: in.Name, Networks: strings.Join(in.Networks, "\n"), Latest: view.Day(ctx, person.LatestEnd(now), now).Text,
	}
	if !in.Ends.IsZero() {
		m.Ends = locale.From(ctx).ISODate(in.Ends)
	}
	own.choices(ctx, in, &m)
	f, status := s.Frame(r, page.T(ctx, "token.new"), view.Link{Label: page.T(ctx, "token.title"), Href: paths.Tokens}), http.StatusOK
	if err != nil {
		m.Errors, m.Whole = page.Wrong(ctx, err)
		first := "domain_verbs"
		if len(own.domains) == 0 {
			first = "organisation_verbs"
		}
		if text := m.Errors["verbs"]; text != "" {
			m.Errors[first] = text
		}
		f, status = s.Refused(w, f, err)
	}
	return s.Show(w, r, status, portalview.NewToken(f, m))
}

// choices fills the form with what can be ticked.
func (k kept) choices(ctx context.Context, in person.TokenInput, m *portalview.TokenForm) {
	for _, d := range k.domains {
		m.Domains = append(m.Domains, view.Choice{Value: page.ID(d.ID), Label: d.Name.Unicode(), Ticked: slices.Contains(in.Domains, int64(d.ID))})
	}
	for _, o := range k.organisations {
		m.Organisations = append(m.Organisations, view.Choice{Value: page.ID(o.ID), Label: o.Name, Ticked: slices.Contains(in.Organisations, int64(o.ID))})
	}
	verbs := func(all []person.Verb) (cs []view.Choice) {
		for _, v := range all {
			cs = append(cs, view.Choice{Value: string(v), Label: page.TokenVerb(ctx, v), Ticked: slices.Contains(in.Verbs, v)})
		}
		return cs
	}
	if len(k.domains) > 0 {
		m.DomainVerbs = verbs(person.DomainVerbs())
	}
	if len(k.organisations) > 0 {
		m.OrganisationVerbs = verbs(person.OrganisationVerbs())
	}
}

// makeToken answers with the secret itself: nothing keeps it until another
// request.
func (s *Site) makeToken(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	own, err := s.kept(ctx, by)
	if err != nil {
		return err
	}
	in := s.typedToken(r)
	secret, made, err := s.org.MakeToken(ctx, by, in)
	if errors.Is(err, person.ErrTokenForm) {
		return s.Done(w, r, paths.Tokens, "token.made_already")
	}
	if err != nil && page.Answerable(err) {
		return s.newTokenPage(w, r, own, in, err)
	}
	if err != nil {
		return err
	}
	f := s.Frame(r, page.T(ctx, "token.made"), view.Link{Label: page.T(ctx, "token.title"), Href: paths.Tokens})
	m := portalview.TokenMadeModel{Name: strings.TrimSpace(in.Name), Secret: secret, Token: paths.Token(made), Keep: keepSecret, Try: callAPI + " " + s.Base.Scheme + "://" + s.Base.Host + s.api.Path + "/" + firstTry(in)}
	return s.Show(w, r, http.StatusOK, portalview.TokenMade(f, m))
}

// With these a secret stands neither in the list of processes nor in what a shell
// remembers: the first waits for it and keeps it as the header that it becomes, in
// a file that nobody else reads, and the second sends that.
const (
	keepSecret = `(umask 077; read -r TOKEN; printf 'Authorization: Bearer %s\n' "$TOKEN" > petschaft.header)`
	callAPI    = `curl -H @petschaft.header`
)

// firstTry is something of the API that the token may read.
func firstTry(in person.TokenInput) string {
	for _, x := range []struct {
		verb person.Verb
		list string
	}{{person.ReadAddresses, "email-domains"}, {person.ReadOrders, "orders"}, {person.ReadCertificates, "certificates"}} {
		if slices.Contains(in.Verbs, x.verb) {
			return x.list
		}
	}
	return "email-domains"
}

// lateOn is when a token ends on its last day: so late that it is still that
// day in the portal's zone, summer and winter.
const lateOn = 22*time.Hour - time.Second

// typedToken reads the form. The last possible day ends a year after now.
func (s *Site) typedToken(r *http.Request) person.TokenInput {
	in := person.TokenInput{
		Form: r.PostFormValue("form"), Name: r.PostFormValue("name"), Networks: strings.Fields(strings.ReplaceAll(r.PostFormValue("networks"), ",", " ")),
		Domains: ticked(r, "domains"), Organisations: ticked(r, "organisations"),
	}
	for _, v := range append(r.PostForm["domain_verbs"], r.PostForm["organisation_verbs"]...) {
		in.Verbs = append(in.Verbs, person.Verb(v))
	}
	if day := page.TypedDay(r.PostFormValue("ends")); !day.IsZero() {
		in.Ends = day.Add(lateOn)
		if latest := person.LatestEnd(s.Now()); in.Ends.After(latest) && in.Ends.Sub(latest) < 24*time.Hour {
			in.Ends = latest
		}
	}
	return in
}

func ticked(r *http.Request, name string) (ids []int64) {
	for _, s := range r.PostForm[name] {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			ids = append(ids, n)
		}
	}
	return ids
}
