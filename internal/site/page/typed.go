package page

import (
	"net/http"
	"strings"

	"petschaft/internal/draft"
	"petschaft/web/view"
)

// labels word the fields that people type into, by their names, in the order in
// which a page shows them whose own form is gone.
var labels = []struct{ name, id string }{
	{"name", "kept.name"},
	{"primary", "row.primary"},
	{"alias1", "form.alias1"},
	{"alias2", "form.alias2"},
	{"applicant", "row.applicant"},
	{"existing", "recipe.existing"},
	{"server", "key.server"},
	{"names", "server.names"},
	{"server_name", "organisation.server_name"},
	{"email", "handover.email"},
	{"who", "office.member_who"},
	{"identifier", "organisation.identifier"},
	{"notify", "office.notify"},
	{"claims", "office.claims"},
	{"reminders", "organisation.reminders_label"},
	{"address", "earlier.address"},
	{"holder", "cert.holder"},
	{"proof_method", "office.proof_method"},
	{"proof_by", "office.proof_by"},
	{"proof_from", "office.proof_from"},
	{"proof_until", "office.proof_until"},
	{"ends", "token.ends"},
	{"networks", "token.networks"},
	{"reason", "serverorder.reason"},
	{"why", "kept.why"},
	{"comment", "row.comment"},
	{"csr", "apply.csr"},
	{"certificate", "report.certificate"},
	{"serial", "report.serial"},
	{"issuer", "report.issuer"},
	{"words", "report.words"},
	{"which", "keys.which"},
	{"note", "keys.note"},
	{"answer", "reports.answer"},
}

// Labelled tells whether what was typed into the field called name is shown with
// a label where its form is gone.
func Labelled(name string) bool {
	for _, l := range labels {
		if l.name == name {
			return true
		}
	}
	return false
}

// Typed is what somebody who is signed in typed into the form that r sends, to be
// copied from a page that has no place for it.
func Typed(r *http.Request) (all []view.TypedModel) {
	_, sent := keeping(r)
	_, shown := shownHere(r.Context())
	if !sent && !shown || Secret(r) || len(r.PostForm.Encode()) > draft.MostBytes {
		return nil
	}
	for _, l := range labels {
		text := strings.TrimSpace(r.PostForm.Get(l.name))
		if text == "" || l.name == "reason" && len(text) < 3 { // of a revocation: a number, which was chosen
			continue
		}
		all = append(all, view.TypedModel{Name: l.name, Label: T(r.Context(), l.id), Text: text})
	}
	return all
}
