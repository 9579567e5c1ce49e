package site_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	chromium "petschaft/internal/browser"
	"petschaft/internal/lane"
	"petschaft/internal/sink"
	"petschaft/internal/site/sitetest"
	"petschaft/web/locale"
	"petschaft/web/paths"
)

// walk is the whole journey in Chromium: an officer makes a contact of niko,
// niko looks after addresses, people answer what he asks them, and ada gets
// certificates.
type walk struct {
	*sitetest.Rig
	room    *chromium.Room
	options []chromium.Option
	lang    string
	reader  string // address of the mail reader
	rita    *chromium.Page
	niko    *chromium.Page
	ada     *chromium.Page
	row     string // address of the page of the first row, which is linked to ada
}

func newWalk(t *testing.T, lang string, options ...chromium.Option) *walk {
	t.Helper()
	lane.Browser(t)
	r := sitetest.New(t)
	r.StartJobs()
	reader := httptest.NewServer(r.Sink.Handler())
	t.Cleanup(reader.Close)
	w := &walk{Rig: r, lang: lang, reader: reader.URL, options: append(options, chromium.Speaking(lang))}
	w.room = chromium.Open(t, r.Base, r.Issuer, w.reader)
	return w
}

// say is what a page says in the language of the walk.
func (w *walk) say(id string, args ...any) string { return locale.For(w.lang).T(id, args...) }

// visitor opens a browser in which nobody is signed in.
func (w *walk) visitor(sub string) *chromium.Page {
	w.T.Helper()
	return w.room.Visitor(sub, w.options...)
}

// enter opens a browser and signs somebody in from the first page.
func (w *walk) enter(sub string) *chromium.Page {
	w.T.Helper()
	p := w.visitor(sub)
	p.Goto(w.Base)
	p.Follow(w.say("frame.sign-in"))
	p.Press(sitetest.People[sub])
	p.Has(w.say("start.todo"), sitetest.People[sub])
	return p
}

func TestTheJourneyWithScript(t *testing.T) { t.Parallel(); newWalk(t, "de").all() }

func TestTheJourneyWithoutScript(t *testing.T) {
	t.Parallel()
	newWalk(t, "de", chromium.NoScript).short()
}

func TestTheJourneyInEnglishOnATelephone(t *testing.T) {
	t.Parallel()
	newWalk(t, "en", chromium.Wide(360)).short()
}

// all is the whole journey, which goes with script once; its short way goes
// without script and on a telephone, too. That each of its steps works without
// script, the tests hold which post forms by themselves.
func (w *walk) all() {
	w.short()
	w.privateKey()
	w.contactRevokes(w.row)
	w.declineAndReplace()
	w.conflict()
	w.rename()
	w.functional()
	w.leave()
}

// short is from an officer's first step to the first certificate and its end.
func (w *walk) short() {
	w.niko = w.enter("niko") // an account begins with the first sign-in
	w.niko.Goto(w.At("/email-domains"))
	if got, want := w.niko.Status(), http.StatusForbidden; got != want {
		w.T.Errorf("somebody without a domain: got status %d, want %d", got, want)
	}
	w.officer()
	w.niko.Follow(w.say("problem.home"))
	w.row = w.firstRow()
	w.ada = w.link(w.row)
	w.ownCertificate()
}

// section goes to a place of the navigation, which a narrow window folds away.
func (w *walk) section(p *chromium.Page, id string) {
	w.T.Helper()
	const places = "header nav"
	if !p.Offers(places, w.say(id)) {
		p.Toggle(w.say("frame.menu"))
	}
	p.FollowIn(places, w.say(id))
}

// officer makes a contact group, takes niko in and gives it a domain.
func (w *walk) officer() {
	p := w.enter("rita")
	w.rita = p
	w.section(p, "nav.office")
	p.FollowIn("main", w.say("office.groups"))
	p.Follow(w.say("office.group_new"))
	p.Fill(w.say("office.group_name"), "Netz Fakultät")
	p.Fill(w.say("office.notify"), "netz@fakultaet.example")
	p.Press(w.say("office.group_add"))
	p.Has(w.say("office.group_added"))
	p.Fill(w.say("office.member_who"), "niko")
	p.Press(w.say("office.member_add"))
	p.Has(w.say("office.member_added", "name", sitetest.People["niko"]))

	w.section(p, "nav.office")
	p.FollowIn("main", w.say("office.domains"))
	p.Follow(w.say("office.domain_new"))
	p.Fill(w.say("office.domain"), "fakultaet.example")
	p.Pick(w.say("office.group"), "Netz Fakultät")
	p.Choose(w.say("office.by_domain"))
	p.Fill(w.say("office.proof_method"), "DNS TXT")
	p.Fill(w.say("office.proof_by"), "Rita Amt")
	p.Day(w.say("office.proof_from"), w.Clock.Now().AddDate(0, 0, -3).Format(time.DateOnly))
	p.Day(w.say("office.proof_until"), w.Clock.Now().AddDate(0, 11, 0).Format(time.DateOnly))
	p.Press(w.say("office.domain_add"))
	p.Has(w.say("office.domain_added", "domain", "fakultaet.example"))
}

// table goes to the table of niko's domain.
func (w *walk) table() *chromium.Page {
	w.T.Helper()
	w.section(w.niko, "nav.email_domains")
	w.niko.FollowIn("main", "fakultaet.example")
	return w.niko
}

// firstRow enters a person with an alias, once wrong, and sends challenges.
func (w *walk) firstRow() string {
	p := w.table()
	p.Has(w.say("rows.empty"))
	p.Follow(w.say("rows.add_first"))
	p.Fill(w.say("rows.name"), "Müller, Jürgen")
	p.Fill(w.say("row.primary"), "juergen.mueller@anderswo.example")
	p.Fill(w.say("form.alias1"), "j.mueller@fakultaet.example")
	p.Press(w.say("form.add"))
	if got, want := p.Status(), http.StatusUnprocessableEntity; got != want {
		w.T.Errorf("an address of a foreign domain: got status %d, want %d", got, want)
	}
	p.Has(w.say("mailbox.primary.domain", "domain", "fakultaet.example"))
	p.Fill(w.say("row.primary"), "juergen.mueller@fakultaet.example") // the rest is still there
	p.Press(w.say("form.add"))
	p.Has(w.say("rows.added"), "Müller, Jürgen", "j.mueller@fakultaet.example", w.say("row.status_none"))
	w.Sink.SetDelay(2 * time.Second)
	w.challenge(w.say("challenge.queued"))
	p.Await(w.say("challenge.sent")) // by itself, where there are scripts
	w.Sink.SetDelay(0)
	return p.URL()
}

// challenge sends challenges from the row's page, which then has the words.
func (w *walk) challenge(words string) {
	w.T.Helper()
	w.niko.FollowIn("main", w.say("step.challenges_button"))
	w.niko.Press(w.say("step.challenges_verb"))
	w.niko.Has(words)
}

// open follows the link in the newest mail to address, as the reader shows its
// text or its HTML.
func (w *walk) open(p *chromium.Page, address string, inHTML bool, after int64) {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(w.T.Context(), 20*time.Second)
	defer cancel()
	if _, err := w.Sink.WaitFor(ctx, func(m sink.Mail) bool { return m.For(address) && m.ID > after }); err != nil {
		w.T.Fatalf("no mail to %s: %v", address, err)
	}
	p.Goto(w.reader + "/?to=" + address)
	p.FollowIn("ol.mails li:first-child", address)
	part := "pre"
	if inHTML {
		p.Follow("HTML")
		part = "iframe"
	}
	p.FollowIn(part, w.Base+paths.Link)
	if strings.Contains(p.URL(), paths.Link) {
		w.T.Errorf("the address bar still holds the link: %s", p.URL())
	}
}

// newest is the id of the newest mail.
func (w *walk) newest() (id int64) {
	for _, m := range w.Sink.Mails() {
		id = max(id, m.ID)
	}
	return id
}

// link lets ada confirm both addresses of the first row, one by the mail's text
// and one by its HTML.
func (w *walk) link(row string) *chromium.Page {
	p := w.visitor("ada")
	w.open(p, "juergen.mueller@fakultaet.example", false, 0)
	p.Press(sitetest.People["ada"])
	p.Has(w.say("link.title"), sitetest.People["niko"], "fakultaet.example", "juergen.mueller@fakultaet.example", sitetest.People["ada"])
	p.Press(w.say("link.yes"))
	p.Has(w.say("link.confirmed_waiting", "address", "juergen.mueller@fakultaet.example", "n", 1, "done", 1, "of", 2, "addresses", "j.mueller@fakultaet.example"))
	w.open(p, "j.mueller@fakultaet.example", true, 0)
	p.Press(w.say("link.yes"))
	p.Has(w.say("link.linked", "address", "juergen.mueller@fakultaet.example"))

	w.niko.Goto(row)
	w.niko.Has(w.say("row.status_confirmed"), sitetest.People["ada"])
	return p
}

// add enters a row and returns the address of its page.
func (w *walk) add(name, primary, alias string) string {
	w.T.Helper()
	p := w.table()
	p.FollowIn("main", w.say("rows.add"))
	p.Fill(w.say("rows.name"), name)
	p.Fill(w.say("row.primary"), primary)
	p.Fill(w.say("form.alias1"), alias)
	p.Press(w.say("form.add"))
	return p.URL()
}

// declineAndReplace: a second round replaces the first, and its answer is no.
func (w *walk) declineAndReplace() {
	const address = "eva.schmidt@fakultaet.example"
	row := w.add("Schmidt-Özgür, Eva", address, "")
	w.challenge(w.say("step.challenges_done", "name", "Schmidt-Özgür, Eva"))
	w.niko.Await(w.say("challenge.sent"))
	first := w.Rig.Link(address, 0)
	last := w.newest()
	w.Clock.Advance(2 * time.Minute)
	w.challenge(w.say("step.challenges_done", "name", "Schmidt-Özgür, Eva"))

	bob := w.enter("bob")
	w.open(bob, address, false, last)
	bob.Goto(w.At(first))
	bob.Has(w.say("mailbox.link.replaced"))
	if bob.Offers("", w.say("link.yes")) {
		w.T.Error("a replaced link can still be confirmed")
	}
	w.open(bob, address, false, last)
	bob.Press(w.say("link.no"))
	bob.Has(w.say("link.declined_done"))

	w.niko.Goto(row)
	w.niko.Has(w.say("row.notice.declined", "name", sitetest.People["bob"], "address", address))
	w.noticed(address, last)
}

// noticed waits for the mail about address to the contact group's mailbox.
func (w *walk) noticed(address string, after int64) {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(w.T.Context(), 20*time.Second)
	defer cancel()
	if _, err := w.Sink.WaitFor(ctx, func(m sink.Mail) bool {
		return m.For("netz@fakultaet.example") && m.ID > after && strings.Contains(m.Text, address)
	}); err != nil {
		w.T.Errorf("the contact group hears nothing about %s: %v", address, err)
	}
}

// conflict: two accounts answer one round, and the second is told so.
func (w *walk) conflict() {
	row := w.add("Wagner, Ida", "ida.wagner@fakultaet.example", "wagner@fakultaet.example")
	w.challenge(w.say("step.challenges_done", "name", "Wagner, Ida"))
	w.open(w.ada, "ida.wagner@fakultaet.example", false, 0)
	w.ada.Press(w.say("link.yes"))
	last := w.newest()
	bob := w.enter("bob")
	w.open(bob, "wagner@fakultaet.example", true, 0)
	bob.Has(w.say("link.title_other"), w.say("mailbox.link.other_account"))
	bob.Press(w.say("link.tell"))
	bob.Has(w.say("link.told"))
	if got, want := bob.Status(), http.StatusOK; got != want {
		w.T.Errorf("a second account: got status %d, want %d", got, want)
	}
	w.niko.Goto(row)
	w.niko.Has(w.say("row.notice.conflict", "name", sitetest.People["bob"], "address", "wagner@fakultaet.example"))
	w.noticed("wagner@fakultaet.example", last)
}

// rename deactivates the first row, changes the name of its person and activates
// it again: the link stays.
func (w *walk) rename() {
	p := w.table()
	p.FollowIn("main", "Müller, Jürgen")
	p.FollowIn("main", w.say("step.deactivate_button"))
	p.Press(w.say("step.deactivate_verb"))
	p.Has(w.say("step.deactivate_done", "name", "Müller, Jürgen"), w.say("row.status_inactive"))
	p.FollowIn("main", w.say("row.edit"))
	p.Fill(w.say("rows.name"), "Müller-Lüdenscheidt, Jürgen")
	p.Press(w.say("form.save"))
	p.Has(w.say("mailbox.person.required"))
	p.Choose(w.say("form.person_same"))
	p.Press(w.say("form.save"))
	p.Has(w.say("rows.saved"), "Müller-Lüdenscheidt, Jürgen", sitetest.People["ada"])
	p.FollowIn("main", w.say("step.activate_button"))
	p.Press(w.say("step.activate_verb"))
	p.Has(w.say("step.activate_done", "name", "Müller-Lüdenscheidt, Jürgen"), w.say("row.status_confirmed"), sitetest.People["ada"])
}

// functional: the applicant of a functional address answers for it.
func (w *walk) functional() {
	p := w.table()
	p.FollowIn("main", w.say("rows.add"))
	p.Fill(w.say("rows.name"), "Bibliothek, Servicetheke")
	p.Fill(w.say("row.primary"), "bibliothek@fakultaet.example")
	p.Choose(w.say("row.functional"))
	p.Fill(w.say("row.applicant"), "ida.wagner@fakultaet.example")
	p.Press(w.say("form.add"))
	row, last := p.URL(), w.newest()
	w.challenge("ida.wagner@fakultaet.example")
	w.open(w.ada, "ida.wagner@fakultaet.example", false, last)
	w.ada.Has(w.say("link.title_functional"), "bibliothek@fakultaet.example")
	w.ada.Press(w.say("link.yes_functional"))
	w.ada.Has(w.say("link.linked", "address", "bibliothek@fakultaet.example"))
	p.Goto(row)
	p.Has(w.say("row.status_confirmed"), sitetest.People["ada"])
}

// leave signs ada out, here and at the provider: no page signs her in again by
// itself, and the button asks her.
func (w *walk) leave() {
	p := w.ada
	w.signOut(p, "ada")
	p.Goto(w.At("/client-certificates"))
	if want := w.At("/signed-out?next=%2Fclient-certificates"); p.URL() != want {
		w.T.Errorf("after the sign-out: got %s, want %s", p.URL(), want)
	}
	p.Follow(w.say("signin.again"))
	if !strings.HasPrefix(p.URL(), w.Issuer) {
		w.T.Errorf("after the button: got %s, want the provider's question", p.URL())
	}
}
