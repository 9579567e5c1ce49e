package site_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"petschaft/internal/bulk"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/recipe"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// matrixRig makes what paths speak of.
type matrixRig struct {
	*sitetest.Rig
	rows  int
	login int64 // ada's
}

// filled puts into the pattern what is freshly made for it: a row of nora's
// domain, its challenge where the path speaks of one, ada as the person, and
// ada's login.
func (r *matrixRig) filled(pattern string) string {
	r.T.Helper()
	trial.Must(0, r.Org.RemoveMember(r.T.Context(), r.Actors["rita"], r.Group, r.Actors["rita"].Account)) // she may have joined
	fill := map[string]any{
		"{domain}": "uni.example", "{token}": "unknown", "{login}": r.login, "{letter}": 999_999, "{job}": 999_999,
		"{account}": r.Actors["ada"].Account, "{id}": r.Other, "{authority}": "mail", "{kind}": recipe.Left, "{step}": recipe.Deactivate,
		"{organisation}": r.Organisation,
	}
	if strings.Contains(pattern, "{name}") {
		r.rows++
		fill["{name}"] = trial.Must(r.Org.AskName(r.T.Context(), r.Actors["nora"], r.Organisation, org.NameInput{Name: fmt.Sprintf("gefragt-%d.example", r.rows)}))
	}
	if strings.HasPrefix(pattern, "/api/problems/") {
		fill["{kind}"] = "insufficient-scope"
	}
	if strings.HasPrefix(pattern, "/tokens/{number}") {
		_, fill["{number}"] = token(r.Rig, "nora", person.DomainVerbs())
	}
	if strings.HasPrefix(pattern, "/certificates/{reference}") {
		fill["{reference}"], fill["{file}"] = r.Served(r.Organisation, sitetest.ECKey().Public(), 90, "www.uni.example"), "x509chain.pem"
	}
	r.fillOrder(pattern, fill)
	r.fillHandover(pattern, fill)
	if strings.Contains(pattern, "{key}") {
		r.rows++
		fill["{key}"] = fmt.Sprintf("%064x", r.rows)
	}
	if strings.Contains(pattern, "{report}") {
		fill["{report}"] = r.Reported("niko")
	}
	if strings.HasPrefix(pattern, "/office/groups/{id}/members/") {
		fill["{account}"] = r.Actors["sven"].Account
		trial.Must(0, r.Org.AddMember(r.T.Context(), r.Actors["rita"], r.Other, r.Actors["sven"].Account))
	}
	if strings.HasPrefix(pattern, "/office/earlier/") {
		fill["{import}"], fill["{line}"] = r.ImportEarlier(), 1
	} else if strings.Contains(pattern, "{import}") {
		fill["{import}"] = r.imported(pattern)
	}
	if strings.Contains(pattern, "{application}") || strings.HasPrefix(pattern, "/client-certificates/") {
		r.fillCertified(pattern, fill)
	} else if strings.Contains(pattern, "{row}") || strings.Contains(pattern, "{challenge}") {
		r.rows++
		id, _ := r.AddRow(mailbox.Input{Kind: mailbox.Personal, Name: "Zeile", Primary: fmt.Sprintf("zeile-%d@uni.example", r.rows)})
		fill["{row}"] = id
		if strings.Contains(pattern, "{challenge}") {
			trial.Must(r.Mailbox.Challenge(r.T.Context(), r.Actors["nora"], "uni.example", id))
			var c int64
			trial.Must(0, r.Pool.QueryRow(r.T.Context(), `update challenge set state = 'sent', sent = now(), attempts = 1 where row_id = $1 returning id`, id).Scan(&c))
			fill["{challenge}"] = c
		}
	}
	if strings.Contains(pattern, "{recipe}") {
		r.rows++
		id, _ := r.Add(fmt.Sprintf("ablauf-%d", r.rows))
		fill["{recipe}"] = trial.Must(r.Recipe.Start(r.T.Context(), r.Actors["nora"], "uni.example", id, recipe.Left))
	}
	if strings.Contains(pattern, "/bulk/") { // there is a row to be meant
		r.rows++
		id, _ := r.Add(fmt.Sprintf("viele-%d", r.rows))
		chosen := mailbox.View{IDs: []mailbox.ID{id}}
		fill["{bulk}"] = trial.Must(r.Bulk.Prepare(r.T.Context(), r.Actors["nora"], "uni.example", bulk.Deactivate, chosen))
	}
	path := pattern
	for blank, v := range fill {
		path = strings.ReplaceAll(path, blank, fmt.Sprint(v))
	}
	if path != "/" {
		path = strings.TrimSuffix(path, "/")
	}
	return path
}

// fillCertified makes a row that is linked to niko and, where the pattern speaks
// of them, his application and his certificate for it.
func (r *matrixRig) fillCertified(pattern string, fill map[string]any) {
	r.T.Helper()
	r.rows++
	row := r.LinkRow(fmt.Sprintf("zeile-%d", r.rows), "niko")
	fill["{row}"] = row
	switch {
	case strings.Contains(pattern, "{certificate}"):
		fill["{certificate}"] = r.Certified("niko", row)
	case strings.HasPrefix(pattern, "/office/"):
		fill["{application}"] = r.Failed("niko", row)
	case strings.Contains(pattern, "{application}"):
		fill["{application}"] = r.Applied("niko", row)
	}
}

// loginID is the row of login that the browser holds.
func loginID(b *sitetest.Browser) (id int64) {
	b.Rig.T.Helper()
	trial.Must(0, b.Rig.Pool.QueryRow(b.Rig.T.Context(), `select max(id) from login`).Scan(&id))
	return id
}

// fillHandover makes the handover that a path speaks of, or the change of contact
// that waits for a second officer.
func (r *matrixRig) fillHandover(pattern string, fill map[string]any) {
	r.T.Helper()
	switch {
	case strings.HasSuffix(pattern, "/finish"):
		fill["{handover}"] = r.Accepted("niko").ID
	case strings.Contains(pattern, "{handover}"):
		fill["{handover}"] = r.Offered("niko").ID
	case strings.Contains(pattern, "/reassignment"):
		ctx, rolf := r.T.Context(), r.Actors["rolf"]
		if trial.Must(r.Handover.Reassignment(ctx, rolf, r.Organisation)) == nil {
			_, _, err := r.Handover.AskReassign(ctx, rolf, r.Organisation, r.Actors["bob"].Account, "Nora Netz ist nicht mehr da.")
			trial.Must(0, err)
		}
	}
}

// fillOrder makes the order that a path speaks of, in the state that it needs.
func (r *matrixRig) fillOrder(pattern string, fill map[string]any) {
	r.T.Helper()
	fill["{product}"], fill["{switch}"] = "tls-single", "on"
	switch {
	case strings.HasPrefix(pattern, "/certificates/{reference}/renew"):
		fill["{reference}"] = r.Aged("www.uni.example")
	case strings.Contains(pattern, "/correct"):
		fill["{reference}"] = r.Returned("www.uni.example")
	case strings.Contains(pattern, "orders/{reference}"):
		fill["{reference}"] = r.Ordered("www.uni.example")
	}
}

// filled is the form of e.
func (e entry) filled(b *sitetest.Browser) []string {
	b.Rig.T.Helper()
	form := slices.Clone(e.form)
	for i := range form {
		switch form[i] {
		case "{csr}":
			form[i] = sitetest.NewCSR("antrag")
		case "{fingerprint}":
			reference := b.Rig.Served(b.Rig.Organisation, sitetest.ECKey().Public(), 90, "www.uni.example")
			form[i] = fmt.Sprintf("%x", trial.Must(b.Rig.Cert.Server(b.Rig.T.Context(), b.Rig.Actors["nora"], reference)).Fingerprint)
		case "{soon}":
			form[i] = b.Rig.Clock.Now().AddDate(0, 0, 30).Format(time.DateOnly)
		case "{organisation}":
			form[i] = fmt.Sprint(b.Rig.Organisation)
		case "{ada}":
			form[i] = fmt.Sprint(b.Rig.Actors["ada"].Account)
		case "{terms}":
			form[i] = b.Rig.Order.Terms
		}
	}
	return form
}
