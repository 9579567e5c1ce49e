package site_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	chromium "petschaft/internal/browser"
	"petschaft/internal/mailbox"
)

// TestTheDomainPagesInABrowser looks at the pages around address rows and
// challenges, narrow and wide, light and dark, with axe-core.
func TestTheDomainPagesInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("looks at many pages")
	}
	t.Parallel()
	r := newRig(t)
	w := r.inhabit()
	room := chromium.Open(t, r.base, r.issuer)
	visitor := func(sub string) *chromium.Page {
		p := room.Visitor(sub)
		p.Goto(r.base + "/signin")
		p.Press(names[sub])
		return p
	}
	table := "/email-domains/uni.example"
	look := func(p *chromium.Page, pages ...string) {
		for i := 0; i < len(pages); i += 2 {
			p.Goto(r.base + pages[i+1])
			p.Look("rows-" + pages[i])
		}
	}
	look(visitor("nora"), "overview", "/email-domains", "table", table, "search", table+"?q=adler", "no-hit", table+"?q=nix", "empty", "/email-domains/labor.example",
		"new", table+"/new", "new-personal-only", "/email-domains/labor.example/new", "linked", w.linked, "open", w.open, "undeliverable", w.failed,
		"inactive", w.inactive, "conflict", w.conflict, "fresh", w.fresh, "functional", w.functional, "edit", w.open+"/edit", "edit-linked", w.inactive+"/edit",
		"edit-functional", w.functional+"/edit", "send", w.conflict+"/challenges", "deactivate", w.conflict+"/deactivate", "activate", w.inactive+"/activate",
		"unlink", w.inactive+"/unlink", "delete", w.fresh+"/delete")
	look(visitor("rita"), "officer-table", table, "officer-row", w.open)
	bob := visitor("bob")
	look(bob, "asked", w.bobsLink, "asked-second", w.conflictLink, "mine-waiting", "/client-certificates", "unknown-link", "/c/unknown")
	look(visitor("ada"), "asked-over", w.adasLink, "mine", "/client-certificates")
	look(visitor("niko"), "closed", "/email-domains", "mine-none", "/client-certificates")

	english := room.Visitor("nora in English", chromium.Speaking("en"))
	english.Goto(r.base + "/signin")
	english.Press(names["nora"])
	look(english, "en-overview", "/email-domains", "en-table", table, "en-conflict", w.conflict, "en-edit", w.inactive+"/edit")
	failedForms(t, r, visitor("nora"), w)
}

// failedForms are forms that came back.
func failedForms(t *testing.T, r *rig, p *chromium.Page, w world) {
	t.Helper()
	p.Goto(r.base + "/email-domains/uni.example/new")
	p.Fill("Primäre Adresse", "über@uni.example")
	p.Press("Adresse anlegen")
	p.Has("Angaben stimmen noch nicht")
	p.Look("rows-failed")
	p.Goto(r.base + w.fresh + "/edit")
	r.as("nora").post(w.fresh+"/edit", "version", version(t, r.as("nora"), w.fresh), "kind", "personal", "name", "Anders").status(http.StatusSeeOther)
	p.Fill("Anzeigename", "Wieder anders")
	p.Press("Änderungen speichern")
	p.Has("Jemand war schneller")
	p.Look("rows-meanwhile")
}

// world is what inhabit makes: paths of rows, and of links from mails.
type world struct {
	linked, open, failed, inactive, conflict, fresh, functional string
	bobsLink, conflictLink, adasLink                            string
}

// inhabit makes rows in every state.
func (r *rig) inhabit() (w world) {
	r.t.Helper()
	row := func(name, local string, aliases ...string) string {
		_, path := r.addRow(mailbox.Input{Kind: mailbox.Personal, Name: name, Primary: local + "@uni.example", Aliases: aliases, Comment: "altes Zertifikat bis 2027-03-14"})
		return path
	}
	w.linked, w.open = row("Adler, Ada", "ada.adler", "a.adler@uni.example"), row("Bach, Bob", "bob.bach")
	w.failed, w.conflict = row("Cranz, Clara", "clara.cranz", "c.cranz@uni.example"), row("Ähre, Emil", "emil.aehre", "e.aehre@labor.example")
	w.inactive, w.fresh = row("Dorn, Dieter", "dieter.dorn"), row("Fuchs, Franziska Theodora", "franziska.theodora.fuchs-von-und-zu-hohenstein")
	_, w.functional = r.addRow(mailbox.Input{Kind: mailbox.Functional, Name: "Sekretariat Physik", Primary: "sekretariat.physik@uni.example", Applicant: "hanna@uni.example"})
	r.work()
	ada, bob, nora := r.as("ada"), r.as("bob"), r.as("nora")
	for _, l := range append(r.asked(w.linked, "ada.adler@uni.example", "a.adler@uni.example"), r.asked(w.inactive, "dieter.dorn@uni.example")...) {
		w.adasLink = l
		ada.post(ada.get(l).to() + "/confirm").status(http.StatusSeeOther)
	}
	nora.post(w.inactive + "/deactivate").status(http.StatusSeeOther)
	r.sink.Reject("clara.cranz@uni.example", 550, "5.1.1 Recipient address rejected: User unknown in virtual mailbox table")
	r.asked(w.failed, "c.cranz@uni.example")
	r.asked(w.functional, "hanna@uni.example")
	w.bobsLink = r.asked(w.open, "bob.bach@uni.example")[0]
	links := r.asked(w.conflict, "emil.aehre@uni.example", "e.aehre@labor.example")
	ada.post(ada.get(links[0]).to() + "/confirm").status(http.StatusSeeOther)
	w.conflictLink = links[1]
	bob.post(bob.get(links[1]).to() + "/confirm").status(http.StatusConflict)
	r.clock.Advance(2 * time.Minute)
	r.asked(w.linked, "ada.adler@uni.example")
	if !strings.HasPrefix(w.adasLink, mailbox.LinkPath) {
		r.t.Fatalf("got %q, want a link", w.adasLink)
	}
	return w
}
