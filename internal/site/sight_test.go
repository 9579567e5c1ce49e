package site_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	chromium "petschaft/internal/browser"
	"petschaft/internal/lane"
	"petschaft/internal/mailbox"
	"petschaft/internal/portal"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
	"petschaft/web/locale"
	"petschaft/web/paths"
)

// noPages are GET routes that show no page of their own.
var noPages = []string{
	"/healthz", "/readyz", "/.well-known/security.txt", "/email-domains/{domain}/rows/{row}/delivery", "/pki/{authority}.crt", "/pki/{authority}.pem", "/pki/{authority}.crl", "/pki/ocsp/{authority}/*",
	"/email-domains/{domain}/export.csv", "/email-domains/{domain}/template.csv", "/office/audit/export",
	"/email-domains/{domain}/bulk/{bulk}/progress", "/email-domains/{domain}/imports/{import}/progress", "/email-domains/{domain}/imports/{import}/faults.csv",
	"/client-certificates/applications/{application}/progress", "/client-certificates/{certificate}/certificate.pem", "/client-certificates/{certificate}/chain.pem",
	"/client-certificates/{certificate}/evidence.json", "/certificates/{reference}/{file}", "/certificates/{reference}/evidence.json", "/orders/{reference}/progress",
}

// TestEveryPageInABrowser looks at each route of the matrix once in each
// language, as somebody who may see it, so that a new page is looked at as well.
func TestEveryPageInABrowser(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"de", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			newSight(t, lang).everyPage()
		})
	}
}

func (s *sight) everyPage() {
	s.T.Helper()
	m := &matrixRig{Rig: s.Rig}
	m.login = loginID(s.As("ada"))
	trial.Must(0, s.Cert.SignOldLists(s.T.Context()))
	for _, e := range matrix {
		if e.method != http.MethodGet || slices.Contains(noPages, e.pattern) {
			continue
		}
		for i := len(roles) - 1; i >= 0; i-- {
			if e.want[i] != http.StatusOK || roles[i] == "sven" && e.want[2] == http.StatusOK {
				continue
			}
			s.look(roles[i], "page"+strings.ReplaceAll(e.pattern, "/", "-"), m.filled(e.pattern), http.StatusOK)
			break
		}
	}
}

// sight is a portal with a browser for each person who comes.
type sight struct {
	*sitetest.Rig
	room  *chromium.Room
	lang  string
	pages map[string]*chromium.Page
}

func newSight(t *testing.T, lang string, change ...func(*portal.Config)) *sight {
	t.Helper()
	lane.Browser(t)
	r := sitetest.New(t, change...)
	return &sight{Rig: r, room: chromium.Open(t, r.Base, r.Issuer), lang: lang, pages: map[string]*chromium.Page{}}
}

// say is what a page says in the language of the sight.
func (s *sight) say(id string, args ...any) string { return locale.For(s.lang).T(id, args...) }

// page is the browser of somebody, who is signed in unless called anonymous.
func (s *sight) page(who string) *chromium.Page {
	s.T.Helper()
	if s.pages[who] == nil {
		p := s.room.Visitor(who, chromium.Speaking(s.lang))
		if who != "anonymous" {
			p.Goto(s.At("/signin"))
			p.Press(sitetest.People[who])
		}
		s.pages[who] = p
	}
	return s.pages[who]
}

// look opens a path and judges what comes.
func (s *sight) look(who, name, path string, status int) *chromium.Page {
	s.T.Helper()
	p := s.page(who)
	p.Goto(s.At(path))
	s.judge(p, name, status)
	return p
}

func (s *sight) judge(p *chromium.Page, name string, status int) {
	s.T.Helper()
	if got := p.Status(); got != status {
		s.T.Errorf("%s: got status %d, want %d", name, got, status)
	}
	p.Look(s.lang + "-" + name)
}

// TestAddressesInABrowser looks at the states of rows and challenges, and at what
// goes wrong with them.
func TestAddressesInABrowser(t *testing.T) {
	t.Parallel()
	s := newSight(t, "de")
	rows := populate(s.Rig)
	s.states(rows)
	s.refusals(rows)
}

// populate makes rows in every state and returns their pages by name.
func populate(r *sitetest.Rig) map[string]string {
	r.T.Helper()
	rows := map[string]string{}
	add := func(key, name, local string, aliases ...string) {
		in := mailbox.Input{Kind: mailbox.Personal, Name: name, Primary: local + "@uni.example", Aliases: aliases}
		if len(rows)%3 == 0 {
			in.Comment = "altes Zertifikat bis 14. März 2027"
		}
		_, rows[key] = r.AddRow(in)
	}
	add("linked", "Müller, Jürgen", "juergen.mueller", "j.mueller@uni.example")
	add("open", "Österreicher-Großkopf, Franziska Theodora", "franziska.theodora.oesterreicher-grosskopf")
	add("bounced", "Yıldız, Emre", "emre.yildiz")
	add("inactive", "Brandt, Ole", "ole.brandt")
	add("declined", "Schmidt, Eva", "eva.schmidt")
	add("conflict", "Wagner, Ida", "ida.wagner", "wagner@uni.example")
	add("none", "Ammer, Sophie", "sophie.ammer")
	add("waiting", "Bach, Bob", "bob.bach")
	_, rows["functional"] = r.AddRow(mailbox.Input{Kind: mailbox.Functional, Name: "Bibliothek, Servicetheke", Primary: "bibliothek@uni.example", Applicant: "ida.wagner@uni.example"})
	r.Sink.Reject("emre.yildiz@uni.example", 550, "Recipient address rejected: User unknown in virtual mailbox table")
	r.StartJobs()
	nora, ada, bob := r.As("nora"), r.As("ada"), r.As("bob")
	confirm := func(b *sitetest.Browser, link string) sitetest.Answer { return b.Post(b.Get(link).To() + "/confirm") }
	for _, l := range r.Asked(rows["linked"], "juergen.mueller@uni.example", "j.mueller@uni.example") {
		confirm(ada, l)
	}
	r.Asked(rows["waiting"], "bob.bach@uni.example")
	r.Asked(rows["open"], "franziska.theodora.oesterreicher-grosskopf@uni.example")
	nora.Post(rows["bounced"] + "/challenges")
	confirm(ada, r.Asked(rows["inactive"], "ole.brandt@uni.example")[0])
	nora.Post(rows["inactive"] + "/deactivate")
	bob.Post(bob.Get(r.Asked(rows["declined"], "eva.schmidt@uni.example")[0]).To() + "/decline")
	both := r.Asked(rows["conflict"], "ida.wagner@uni.example", "wagner@uni.example")
	confirm(ada, both[0])
	confirm(bob, both[1])
	return rows
}

// states looks at what stands there.
func (s *sight) states(rows map[string]string) {
	s.T.Helper()
	for key, path := range rows {
		if key == "bounced" {
			s.page("nora").Goto(s.At(path))
			s.page("nora").Await(s.say("challenge.failed"))
		}
		s.look("nora", "row-"+key, path, http.StatusOK)
	}
	for name, path := range map[string]string{
		"table": "/email-domains/uni.example", "table-search": "/email-domains/uni.example?q=ida", "table-no-hit": "/email-domains/uni.example?q=xyz",
		"table-empty": "/email-domains/labor.example", "domains": "/email-domains", "new": "/email-domains/uni.example/new", "new-mailbox": "/email-domains/labor.example/new",
		"edit-linked": rows["linked"] + "/edit", "edit-functional": rows["functional"] + "/edit",
		"challenges": rows["linked"] + "/challenges", "deactivate": rows["open"] + "/deactivate", "activate": rows["inactive"] + "/activate", "delete": rows["none"] + "/delete", "unlink": rows["inactive"] + "/unlink",
	} {
		s.look("nora", name, path, http.StatusOK)
	}
	s.look("rita", "table-officer", "/email-domains/uni.example", http.StatusOK)
	s.look("rita", "row-officer", rows["open"], http.StatusOK)
	s.look("bob", "mine-waiting", "/client-certificates", http.StatusOK)
	s.look("ada", "mine", "/client-certificates", http.StatusOK)
	s.look("niko", "mine-none", "/client-certificates", http.StatusOK)
	s.look("niko", "no-contact", "/email-domains", http.StatusForbidden)
	s.look("nora", "not-found", "/email-domains/anderswo.example", http.StatusNotFound)
	s.look("nora", "conflict", rows["open"]+"/activate", http.StatusConflict)
}

// refusals looks at forms that come back and at answers to links.
func (s *sight) refusals(rows map[string]string) {
	s.T.Helper()
	nora := s.page("nora")
	nora.Goto(s.At("/email-domains/uni.example/new"))
	nora.Fill(s.say("rows.name"), "Müller, Jürgen")
	nora.Fill(s.say("row.primary"), "juergen.mueller@anderswo.example")
	nora.Fill(s.say("form.alias1"), "kein Alias")
	nora.Press(s.say("form.add"))
	s.judge(nora, "new-wrong", http.StatusUnprocessableEntity)
	nora.Goto(s.At(rows["open"] + "/edit"))
	s.As("nora").Post(rows["open"]+"/edit", "version", sitetest.VersionOf(s.T, s.As("nora"), rows["open"]), "kind", "personal", "name", "Anders, Franziska", "comment", "neu")
	nora.Fill(s.say("rows.name"), "Großkopf, Franziska")
	nora.Press(s.say("form.save"))
	s.judge(nora, "edit-meanwhile", http.StatusConflict)
	nora.Goto(s.At(rows["open"] + "/challenges"))
	nora.Press(s.say("step.challenges_verb"))
	s.judge(nora, "brake", http.StatusTooManyRequests)

	s.Clock.Advance(5 * time.Minute)
	first := s.Asked(rows["conflict"], "ida.wagner@uni.example", "wagner@uni.example")
	s.look("ada", "asked", first[0], http.StatusOK)
	s.page("ada").Press(s.say("link.yes"))
	s.judge(s.page("ada"), "asked-waiting", http.StatusOK)
	s.look("ada", "asked-confirmed", first[0], http.StatusOK)
	s.look("bob", "asked-other", first[1], http.StatusOK)
	s.page("bob").Press(s.say("link.tell"))
	s.judge(s.page("bob"), "asked-told", http.StatusOK)
	s.Clock.Advance(5 * time.Minute)
	s.Asked(rows["conflict"], "ida.wagner@uni.example", "wagner@uni.example")
	s.look("ada", "asked-replaced", first[0], http.StatusOK)
	s.look("niko", "asked-unopened", fmt.Sprintf("/challenges/%d", 1), http.StatusNotFound)
	s.look("anonymous", "unknown-link", paths.Link+strings.Repeat("x", 43), http.StatusNotFound)
}

// TestTheWorstInABrowser: a broken database, and a provider that was never there.
func TestTheWorstInABrowser(t *testing.T) {
	t.Parallel()
	s := newSight(t, "de", func(c *portal.Config) { c.OIDCIssuer = "http://127.0.0.1:1" })
	s.look("anonymous", "provider-never-there", "/signin", http.StatusServiceUnavailable)
	s.Fail("challenge_token")
	s.look("anonymous", "broken", paths.Link+strings.Repeat("x", 43), http.StatusInternalServerError)
	p := s.page("anonymous")
	p.Goto(s.At("/help"))
	p.Press("English")
	s.judge(p, "help-english", http.StatusOK)
	p.Has("Sign in")
}
