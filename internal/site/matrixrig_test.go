package site_test

import (
	"fmt"
	"strings"

	"petschaft/internal/bulk"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/recipe"
)

// matrixRig makes what paths speak of.
type matrixRig struct {
	*rig
	rows  int
	login int64 // ada's
}

// filled puts into the pattern what is freshly made for it: a row of nora's
// domain, its challenge where the path speaks of one, ada as the person, and
// ada's login.
func (r *matrixRig) filled(pattern string) string {
	r.t.Helper()
	must(0, r.Org.RemoveMember(r.t.Context(), r.actors["rita"], r.group, r.actors["rita"].Account)) // she may have joined
	fill := map[string]any{
		"{domain}": "uni.example", "{token}": "unknown", "{login}": r.login, "{letter}": 999_999, "{job}": 999_999,
		"{account}": r.actors["ada"].Account, "{id}": r.other, "{authority}": "mail", "{kind}": recipe.Left, "{step}": recipe.Deactivate,
		"{organisation}": r.organisation,
	}
	if strings.Contains(pattern, "{name}") {
		r.rows++
		fill["{name}"] = must(r.Org.AskName(r.t.Context(), r.actors["nora"], r.organisation, org.NameInput{Name: fmt.Sprintf("gefragt-%d.example", r.rows)}))
	}
	if strings.HasPrefix(pattern, "/api/problems/") {
		fill["{kind}"] = "insufficient-scope"
	}
	if strings.HasPrefix(pattern, "/tokens/{number}") {
		_, fill["{number}"] = r.token("nora", person.DomainVerbs())
	}
	if strings.HasPrefix(pattern, "/certificates/{reference}") {
		fill["{reference}"], fill["{file}"] = r.served(r.organisation, ecKey().Public(), 90, "www.uni.example"), "x509chain.pem"
	}
	r.fillOrder(pattern, fill)
	r.fillHandover(pattern, fill)
	if strings.HasPrefix(pattern, "/office/groups/{id}/members/") {
		fill["{account}"] = r.actors["sven"].Account
		must(0, r.Org.AddMember(r.t.Context(), r.actors["rita"], r.other, r.actors["sven"].Account))
	}
	if strings.HasPrefix(pattern, "/office/earlier/") {
		fill["{import}"], fill["{line}"] = r.earlier(), 1
	} else if strings.Contains(pattern, "{import}") {
		fill["{import}"] = r.imported(pattern)
	}
	if strings.Contains(pattern, "{application}") || strings.HasPrefix(pattern, "/client-certificates/") {
		r.fillCertified(pattern, fill)
	} else if strings.Contains(pattern, "{row}") || strings.Contains(pattern, "{challenge}") {
		r.rows++
		id, _ := r.addRow(mailbox.Input{Kind: mailbox.Personal, Name: "Zeile", Primary: fmt.Sprintf("zeile-%d@uni.example", r.rows)})
		fill["{row}"] = id
		if strings.Contains(pattern, "{challenge}") {
			must(r.Mailbox.Challenge(r.t.Context(), r.actors["nora"], "uni.example", id))
			var c int64
			must(0, r.db.QueryRow(r.t.Context(), `update challenge set state = 'sent', sent = now(), attempts = 1 where row_id = $1 returning id`, id).Scan(&c))
			fill["{challenge}"] = c
		}
	}
	if strings.Contains(pattern, "{recipe}") {
		r.rows++
		id, _ := r.add(fmt.Sprintf("ablauf-%d", r.rows))
		fill["{recipe}"] = must(r.Recipe.Start(r.t.Context(), r.actors["nora"], "uni.example", id, recipe.Left))
	}
	if strings.Contains(pattern, "/bulk/") { // there is a row to be meant
		r.rows++
		id, _ := r.add(fmt.Sprintf("viele-%d", r.rows))
		chosen := mailbox.View{IDs: []mailbox.ID{id}}
		fill["{bulk}"] = must(r.Bulk.Prepare(r.t.Context(), r.actors["nora"], "uni.example", bulk.Deactivate, chosen))
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
	r.t.Helper()
	r.rows++
	row := r.linkRow(fmt.Sprintf("zeile-%d", r.rows), "niko")
	fill["{row}"] = row
	switch {
	case strings.Contains(pattern, "{certificate}"):
		fill["{certificate}"] = r.certified("niko", row)
	case strings.HasPrefix(pattern, "/office/"):
		fill["{application}"] = r.failed("niko", row)
	case strings.Contains(pattern, "{application}"):
		fill["{application}"] = r.applied("niko", row)
	}
}

// loginID is the row of login that the browser holds.
func (b *browser) loginID() (id int64) {
	b.r.t.Helper()
	must(0, b.r.db.QueryRow(b.r.t.Context(), `select max(id) from login`).Scan(&id))
	return id
}
