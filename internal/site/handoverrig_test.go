package site_test

import (
	"strings"

	"petschaft/internal/handover"
	"petschaft/internal/org"
)

// known gives accounts the address that the provider vouches for: it comes with
// a sign-in.
func (r *rig) known(subs ...string) {
	r.t.Helper()
	for _, sub := range subs {
		r.as(sub)
	}
}

// email is somebody's address at the provider.
func email(sub string) string {
	return strings.ToLower(strings.ReplaceAll(names[sub], " ", ".")) + "@uni.example"
}

// offered is nora's organisation offered to somebody, with its session password.
func (r *rig) offered(to string) handover.WithPassword {
	r.t.Helper()
	r.known(to)
	return must(r.Handover.Offer(r.t.Context(), r.actors["nora"], handover.Wish{Organisations: []org.OrganisationID{r.organisation}, Email: email(to)}))[0]
}

// accepted is one that the successor accepted.
func (r *rig) accepted(to string) handover.WithPassword {
	r.t.Helper()
	h := r.offered(to)
	must(0, r.Handover.Accept(r.t.Context(), r.actors[to], h.ID))
	return h
}

// second is another organisation of nora's.
func (r *rig) second() org.OrganisationID {
	r.t.Helper()
	return must(r.Org.AddOrganisation(r.t.Context(), r.actors["rita"], org.OrganisationInput{Name: "Sternwarte Probe", Country: "DE", Contact: r.actors["nora"].Account}))
}

// fillHandover makes the handover that a path speaks of, or the change of contact
// that waits for a second officer.
func (r *matrixRig) fillHandover(pattern string, fill map[string]any) {
	r.t.Helper()
	switch {
	case strings.HasSuffix(pattern, "/finish"):
		fill["{handover}"] = r.accepted("niko").ID
	case strings.Contains(pattern, "{handover}"):
		fill["{handover}"] = r.offered("niko").ID
	case strings.Contains(pattern, "/reassignment"):
		ctx, rolf := r.t.Context(), r.actors["rolf"]
		if must(r.Handover.Reassignment(ctx, rolf, r.organisation)) == nil {
			_, _, err := r.Handover.AskReassign(ctx, rolf, r.organisation, r.actors["bob"].Account, "Nora Netz ist nicht mehr da.")
			must(0, err)
		}
	}
}
