package site_test

import (
	"fmt"
	"testing"
	"time"

	chromium "petschaft/internal/browser"
	"petschaft/internal/idp"
	"petschaft/internal/portal"
	"petschaft/internal/site/sitetest"
)

func TestTheJourneyOfAFreshSignIn(t *testing.T) { t.Parallel(); newWalk(t, "de").freshly() }

func TestTheJourneyOfAFreshSignInWithoutScript(t *testing.T) {
	t.Parallel()
	newWalk(t, "en", chromium.NoScript, chromium.Wide(360)).freshly()
}

// freshly is rita, who joins a contact group after a while away: she is asked to sign
// in again, changes the language meanwhile, and sends what she typed.
func (w *walk) freshly() {
	p := w.enter("rita")
	w.Clock.Advance(20 * time.Minute)
	p.Goto(w.At(fmt.Sprintf("/office/groups/%d", w.Group)))
	p.Fill(w.say("office.member_who"), "rita")
	p.Press(w.say("office.member_add"))
	p.Has(w.say("fresh.title"), w.say("fresh.kept"), "Rita Amt")
	p.Look("eine Anmeldung, die zu lange her ist, " + w.lang)
	before := w.lang
	w.speaks(p, map[string]string{"de": "en", "en": "de"}[before])
	p.Has(w.say("fresh.why"))
	p.Look("eine Anmeldung, die zu lange her ist, " + w.lang)
	w.speaks(p, before)

	p.Follow(w.say("fresh.button"))
	p.Press(sitetest.People["rolf"])
	p.Has(w.say("signin.other_account"), w.say("signin.again_kept"))
	p.Look("ein anderes Konto, " + w.lang)
	p.Follow(w.say("signin.again"))
	p.Press(sitetest.People["rita"])
	p.Has(w.say("kept.shown_one", "button", w.say("office.member_add")))
	w.stands(p, "office.member_who", "rita")
	p.Press(w.say("office.member_add"))
	p.Has(w.say("office.member_added", "name", "Rita Amt"))

	w.IDP.Misbehave(idp.NoAuthTime)
	w.Clock.Advance(20 * time.Minute)
	p.Goto(w.At(fmt.Sprintf("/office/groups/%d", w.Group)))
	p.Fill(w.say("office.member_who"), "bob")
	p.Press(w.say("office.member_add"))
	p.Follow(w.say("fresh.button"))
	p.Press(sitetest.People["rita"])
	p.Press(sitetest.People["rita"]) // asked once more
	p.Has(w.say("signin.not_fresh"), w.say("signin.not_fresh_todo"))
	p.Look("ein Anmeldedienst, der nicht sagt, wann, " + w.lang)
}

// TestAnOfficersWeakSignInInABrowser looks at what an officer sees who acts as a user.
func TestAnOfficersWeakSignInInABrowser(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"de", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			s := newSight(t, lang, func(c *portal.Config) { c.OIDCACR = []string{"mfa"} })
			s.look("rita", "weak-start", "/", 200)
			s.look("rita", "weak-office", "/office/people", 403)
		})
	}
}
