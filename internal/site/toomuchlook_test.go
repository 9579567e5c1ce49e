package site_test

import (
	"net/http"
	"strings"
	"testing"

	"petschaft/internal/imports"
	"petschaft/internal/intake"
	"petschaft/internal/person"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
	"petschaft/web/paths"
)

// TestTooMuchInABrowser looks at what people read who were held or sent too much, and
// at the page after signing out.
func TestTooMuchInABrowser(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"de", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			s := newSight(t, lang)
			s.held()
			s.fullImports()
			s.asleep()
			s.tooLarge()
			s.away()
		})
	}
}

// held looks at brakes.
func (s *sight) held() {
	s.T.Helper()
	nora := s.look("nora", "too-many-lookups-before", s.own(), http.StatusOK)
	nora.Fill(s.say("handover.email"), "niemand@uni.example")
	nora.Press(s.say("handover.change"))
	trial.Must(s.Pool.Exec(s.T.Context(), `update brake set n = 1000`))
	nora.Press(s.say("handover.change"))
	s.judge(nora, "too-many-lookups", http.StatusTooManyRequests)
	s.look("anonymous", "too-many-signins", "/signin?next=%2Fsessions", http.StatusTooManyRequests)
	trial.Must(s.Pool.Exec(s.T.Context(), `delete from brake`))
}

// fullImports looks at the page of imports when there is no room.
func (s *sight) fullImports() {
	s.T.Helper()
	nora := s.As("nora")
	for range imports.MostOpen {
		nora.Csv(sitetest.ImportsOfUni, "liste.csv", firstFile)
	}
	for name, state := range map[string]string{
		"import-worked-on": `update import set state = 'planning'`, "import-no-space": `update import set state = 'planned', bytes = 20 << 20`,
	} {
		trial.Must(s.Pool.Exec(s.T.Context(), state))
		p := s.page("nora")
		p.Goto(s.At(sitetest.ImportsOfUni))
		p.Attach(s.say("import.file_label"), "noch eine.csv", []byte(firstFile))
		p.Press(s.say("import.upload"))
		s.judge(p, name, http.StatusConflict)
	}
}

// asleep looks at tokens of which one sleeps.
func (s *sight) asleep() {
	s.T.Helper()
	token(s.Rig, "nora", person.DomainVerbs())
	trial.Must(s.Pool.Exec(s.T.Context(), `update account set signed_in = signed_in - interval '100 days' where subject = 'nora'`))
	s.look("nora", "tokens-asleep", paths.Tokens, http.StatusOK)
	s.look("rita", "token-asleep-officer", "/tokens/1", http.StatusOK)
}

// unbounded lets one type more than a field says, as somebody does who wants to know.
const unbounded = `document.querySelectorAll("[maxlength]").forEach(one => one.removeAttribute("maxlength")) || ""`

// tooLarge looks at forms that nobody takes.
func (s *sight) tooLarge() {
	s.T.Helper()
	p := s.page("anonymous")
	p.Goto(s.At(paths.Report))
	p.Run(unbounded)
	p.Fill(s.say("report.words"), strings.Repeat("Der Schlüssel lag im Netz. ", 1000))
	p.Press(s.say("report.send"))
	s.judge(p, "too-large-stranger", http.StatusRequestEntityTooLarge)
	p.Has("16 KiB")
	p = s.page("nora")
	p.Goto(s.At("/email-domains/uni.example/new"))
	p.Run(unbounded)
	p.Fill(s.say("row.comment"), strings.Repeat("Lang. ", 60_000))
	p.Press(s.say("form.add"))
	s.judge(p, "too-large", http.StatusRequestEntityTooLarge)
}

// away looks at a portal that has no room for another form, and at the page after
// signing out.
func (s *sight) away() {
	s.T.Helper()
	p := s.page("nora")
	p.Toggle(sitetest.People["nora"])
	p.Press(s.say("frame.sign-out"))
	s.judge(p, "signed-out", http.StatusOK)
	s.look("nora", "signed-out-next", "/email-domains", http.StatusOK)
	p = s.page("rita")
	p.Goto(s.At(paths.NewGroup))
	*s.Intake = intake.Budget{}
	p.Press(s.say("office.group_add"))
	s.judge(p, "busy", http.StatusServiceUnavailable)
	p.Has(s.say("problem.resend-todo"))
}
