package sitetest

import (
	"regexp"
	"strings"

	"petschaft/internal/handover"
	"petschaft/internal/org"
	"petschaft/internal/sink"
	"petschaft/internal/trial"
)

// Known gives accounts the address that the provider vouches for: it comes with
// a sign-in.
func (r *Rig) Known(subs ...string) {
	r.T.Helper()
	for _, sub := range subs {
		r.As(sub)
	}
}

// Email is somebody's address at the provider.
func Email(sub string) string {
	return strings.ToLower(strings.ReplaceAll(People[sub], " ", ".")) + "@uni.example"
}

// Offered is nora's organisation offered to somebody, with its session password.
func (r *Rig) Offered(to string) handover.WithPassword {
	r.T.Helper()
	r.Known(to)
	return trial.Must(r.Handover.Offer(r.T.Context(), r.Actors["nora"], handover.Wish{Organisations: []org.OrganisationID{r.Organisation}, Email: Email(to)}))[0]
}

// Accepted is one that the successor accepted.
func (r *Rig) Accepted(to string) handover.WithPassword {
	r.T.Helper()
	h := r.Offered(to)
	trial.Must(0, r.Handover.Accept(r.T.Context(), r.Actors[to], h.ID))
	return h
}

// Second is another organisation of nora's.
func (r *Rig) Second() org.OrganisationID {
	r.T.Helper()
	return trial.Must(r.Org.AddOrganisation(r.T.Context(), r.Actors["rita"], org.OrganisationInput{Name: "Sternwarte Probe", Country: "DE", Contact: r.Actors["nora"].Account}))
}

var (
	Grouped      = regexp.MustCompile(`\b[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}\b`)
	HiddenFields = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)
)

// HandoverLink waits for the mail about a handover and returns where it leads.
func (r *Rig) HandoverLink(to string) string {
	r.T.Helper()
	m, err := r.Sink.WaitFor(r.T.Context(), func(m sink.Mail) bool { return m.For(to) && strings.Contains(m.Text, r.Base+"/handovers/") })
	if err != nil {
		r.T.Fatalf("no mail about a handover to %s: %v", to, err)
	}
	_, rest, _ := strings.Cut(m.Text, r.Base+"/handovers/")
	return "/handovers/" + strings.Fields(rest)[0]
}
