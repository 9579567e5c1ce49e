package site

import (
	"maps"
	"net/http"
	"slices"

	"petschaft/internal/signin"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/portalview"
)

// Step is what a route that something is sent to asks of a sign-in.
type Step string

const (
	Freely  Step = "freely"  // any that holds
	Urgent  Step = "urgent"  // any that holds, for good: nobody is kept from what limits damage
	Freshly Step = "freshly" // a fresh one: what is done is hard to undo, or gives rights
)

// steps are all routes of people who are signed in.
var steps = map[string]Step{
	// Approving.
	"POST /office/orders/{reference}/approve":    Freshly,
	"POST /office/earlier/{import}/apply":        Freshly,
	"POST /office/orders/{reference}/take":       Freely,
	"POST /office/orders/{reference}/return":     Freely,
	"POST /office/orders/{reference}/reject":     Freely,
	"POST /office/orders/{reference}/retry":      Freely,
	"POST /office/earlier":                       Freely,
	"POST /office/earlier/{import}/discard":      Freely,
	"POST /office/earlier/{import}/lines/{line}": Freely,

	// Revoking: all of something, or one.
	"POST /email-domains/{domain}/rows/{row}/revoke":            Freshly,
	"POST /office/keys/{key}":                                   Freshly,
	"POST /client-certificates/{certificate}/revoke":            Urgent,
	"POST /certificates/{reference}/revoke":                     Urgent,
	"POST /office/certificates/unexpected/{certificate}/revoke": Urgent,
	"POST /office/keys":                                         Urgent,
	"POST /office/reports/{report}":                             Freely,
	"POST /report":                                              Urgent,
	"POST /report/key":                                          Urgent,
	"POST /report/key/proof":                                    Urgent,

	// Handing over.
	"POST /organisations/handovers":                                  Freshly,
	"POST /handovers/{handover}/finish":                              Freshly,
	"POST /office/organisations/{organisation}/contact":              Freshly,
	"POST /office/organisations/{organisation}/reassignment/confirm": Freshly,
	"POST /office/organisations/{organisation}/reassignment/drop":    Freely,
	"POST /handovers/{handover}/accept":                              Freely,
	"POST /handovers/{handover}/decline":                             Urgent,
	"POST /handovers/{handover}/cancel":                              Urgent,

	// Members and people.
	"POST /office/groups/{id}/members":                  Freshly,
	"POST /office/groups/{id}/members/{account}/remove": Freshly,
	"POST /email-domains/{domain}/join":                 Freshly,
	"POST /office/people/{account}/unlock":              Freshly,
	"POST /office/people/{account}/lock":                Urgent,

	// Tokens and sessions.
	"POST /tokens":                   Freshly,
	"POST /tokens/{number}/withdraw": Urgent,
	"POST /sessions/end-others":      Urgent,
	"POST /sessions/{login}/end":     Urgent,

	// Officers' settings.
	"POST /office/domains":                                       Freshly,
	"POST /office/domains/{id}":                                  Freshly,
	"POST /office/groups":                                        Freshly,
	"POST /office/groups/{id}":                                   Freshly,
	"POST /office/organisations":                                 Freshly,
	"POST /office/organisations/{organisation}":                  Freshly,
	"POST /office/organisations/{organisation}/reminders":        Freshly,
	"POST /office/organisations/{organisation}/names":            Freshly,
	"POST /office/organisations/{organisation}/names/{name}":     Freshly,
	"POST /office/organisations/{organisation}/names/{name}/end": Freshly,
	"POST /office/products/{product}/authority":                  Freshly,
	"POST /office/products/{product}/{switch}":                   Freshly,

	// What goes on once more.
	"POST /office/applications/{application}/retry":  Freely,
	"POST /office/mail/challenges/{challenge}/retry": Freely,
	"POST /office/mail/letters/{letter}/retry":       Freely,
	"POST /office/mail/jobs/{job}/retry":             Freely,

	// Everyday work of people and their contacts.
	"POST /challenges/{challenge}/confirm":                                         Freely,
	"POST /challenges/{challenge}/decline":                                         Urgent,
	"POST /client-certificates/apply/{row}":                                        Freely,
	"POST /client-certificates/applications/{application}/withdraw":                Freely,
	"POST /certificates/{reference}/renew":                                         Freely,
	"POST /orders/new":                                                             Freely,
	"POST /orders/{reference}/correct":                                             Freely,
	"POST /orders/{reference}/withdraw":                                            Freely,
	"POST /organisations/{organisation}/names":                                     Freely,
	"POST /organisations/{organisation}/names/{name}/withdraw":                     Freely,
	"POST /organisations/{organisation}/reminders":                                 Freely,
	"POST /organisations/{organisation}/reminders/confirm":                         Freely,
	"POST /recipes/{recipe}/steps/{step}":                                          Freely,
	"POST /recipes/{recipe}/steps/{step}/skip":                                     Freely,
	"POST /recipes/{recipe}/cancel":                                                Freely,
	"POST /email-domains/digest":                                                   Freely,
	"POST /email-domains/{domain}/rows":                                            Freely,
	"POST /email-domains/{domain}/bulk":                                            Freely,
	"POST /email-domains/{domain}/bulk/{bulk}/start":                               Freely,
	"POST /email-domains/{domain}/bulk/{bulk}/cancel":                              Freely,
	"POST /email-domains/{domain}/imports":                                         Freely,
	"POST /email-domains/{domain}/imports/{import}/plan":                           Freely,
	"POST /email-domains/{domain}/imports/{import}/apply":                          Freely,
	"POST /email-domains/{domain}/imports/{import}/discard":                        Freely,
	"POST /email-domains/{domain}/imports/{import}/undo":                           Freely,
	"POST /email-domains/{domain}/rows/{row}/edit":                                 Freely,
	"POST /email-domains/{domain}/rows/{row}/challenges":                           Freely,
	"POST /email-domains/{domain}/rows/{row}/deactivate":                           Freely,
	"POST /email-domains/{domain}/rows/{row}/activate":                             Freely,
	"POST /email-domains/{domain}/rows/{row}/unlink":                               Freely,
	"POST /email-domains/{domain}/rows/{row}/check-link":                           Freely,
	"POST /email-domains/{domain}/rows/{row}/delete":                               Freely,
	"POST /email-domains/{domain}/rows/{row}/recipes/{kind}":                       Freely,
	"POST /email-domains/{domain}/rows/{row}/challenges/{challenge}/undeliverable": Freely,
}

// StepAt is what the route, a pattern, asks; false where it is not in the table.
func StepAt(route string) (Step, bool) {
	s, ok := steps[http.MethodPost+" "+route]
	return s, ok
}

// Steps are the routes of the table, behind their method.
func Steps() []string { return slices.Sorted(maps.Keys(steps)) }

// In is page.In, with a fresh sign-in first before the steps that want one.
func (s *Site) In(h page.Handler) http.HandlerFunc { return s.Page.In(s.freshly(h)) }

// freshly is h for whoever signed in a short while ago, where its route wants that;
// others do so first, and find their form filled in. A kept form is only shown.
func (s *Site) freshly(h page.Handler) page.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx := r.Context()
		if r.Method != http.MethodPost || page.Shown(ctx) {
			return h(w, r)
		}
		if step, known := StepAt(page.Route(r)); known && step != Freshly || s.Desk.IsFresh(ctx) {
			return h(w, r)
		}
		to := paths.FreshWithout(s.Stood(r))
		if f, ok := s.Posted(r); ok {
			kept, err := s.Keep(ctx, s.Actor(r), f)
			if err != nil {
				return err
			}
			to = paths.FreshFor(kept)
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
}

// askFresh says why somebody who is signed in signs in once more, and what becomes of
// the form that they sent.
func (s *Site) askFresh(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	next := signin.OwnPath(q.Get("next"))
	if s.Desk.IsFresh(ctx) {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	}
	m := portalview.FreshModel{
		Account: s.Actor(r).Name, Kept: page.T(ctx, "fresh.kept"),
		SignIn: view.ButtonModel{Label: page.T(ctx, "fresh.button"), Href: paths.SignInAgain(string(signin.Fresh), next), Kind: view.Primary},
		Home:   view.ButtonModel{Label: page.T(ctx, "problem.home"), Href: "/"},
	}
	if q.Has("without") {
		m.Kept = page.T(ctx, "fresh.not_kept")
	}
	return s.Show(w, r, http.StatusOK, portalview.Fresh(s.Frame(r, page.T(ctx, "fresh.title")), m))
}
