package site_test

import (
	"crypto"
	"fmt"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	chromium "petschaft/internal/browser"
	"petschaft/internal/lane"
	"petschaft/internal/mailbox"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// TestASignOutKeepsTheKeyThatWaitsInABrowser: ada applies, signs out before her
// certificate is there, bob uses the same browser, and ada saves her key later.
func TestASignOutKeepsTheKeyThatWaitsInABrowser(t *testing.T) {
	t.Parallel()
	w, row := waitingWalk(t)
	p := w.ada
	w.signOut(p, "ada")
	p.Await(w.say("key.waits_out"))
	p.Has(w.say("key.waits"), "ada.adler@uni.example")
	w.keeps(p, "1")

	w.signIn(p, "bob")
	for _, path := range []string{"/client-certificates", fmt.Sprintf("/client-certificates/apply/%d", w.LinkRow("bob", "bob"))} {
		p.Goto(w.At(path))
		p.Lacks(w.say("key.waits"), "ada.adler@uni.example")
	}
	p.Await(w.say("key.browser"))
	p.Press(w.say("apply.submit")) // the terms are missing; the key for it is bob's own
	p.Await(w.say("order.terms.required"))
	w.keeps(p, "2")
	w.signOut(p, "bob")
	p.Await(w.say("key.waits_out"))
	p.Has("bob@uni.example")
	p.Lacks("ada.adler@uni.example")
	p.Toggle(w.say("key.forget_title"))
	p.Click(w.say("key.forget"))
	p.Await(w.say("key.forgotten"))
	w.keeps(p, "1")

	a := trial.Must(w.Order.Mine(t.Context(), w.Actors["ada"], 1))[0]
	trial.Must(0, w.Order.Issue(t.Context(), a.ID))
	w.signIn(p, "ada")
	p.Goto(w.At("/client-certificates"))
	p.Await(w.say("key.waits"))
	p.FollowIn("main", w.say("key.go_on"))
	p.Await(w.say("key.password"))
	password := p.Run(`document.getElementById("p12-password").textContent`)
	_, content := p.Download(w.say("key.save"))
	key, leaf, _ := must3(pkcs12.DecodeChain(content, password))
	public := key.(crypto.Signer).Public().(interface{ Equal(crypto.PublicKey) bool })
	if !public.Equal(leaf.PublicKey) || leaf.EmailAddresses[0] != "ada.adler@uni.example" {
		t.Errorf("the key that waited does not belong to the certificate for %v of row %d", leaf.EmailAddresses, row)
	}
	p.Await(w.say("key.saved_text"))
	w.keeps(p, "0")
	w.signOut(p, "ada")
	p.Has(w.say("signin.out"))
	p.Lacks(w.say("key.waits"))
}

// waitingWalk is a portal where no job issues anything, with ada in a browser
// in which the key of her application waits.
func waitingWalk(t *testing.T, option ...chromium.Option) (*walk, mailbox.ID) {
	t.Helper()
	lane.Browser(t)
	r := sitetest.New(t)
	w := &walk{Rig: r, lang: "de", options: append(option, chromium.Speaking("de"))}
	w.room = chromium.Open(t, r.Base, r.Issuer)
	row := r.LinkRow("ada.adler", "ada")
	w.ada = w.enter("ada")
	w.ada.Goto(r.At(fmt.Sprintf("/client-certificates/apply/%d", row)))
	w.ada.Await(w.say("key.browser"))
	w.ada.Choose(w.say("apply.terms_accept"))
	w.ada.Press(w.say("apply.submit"))
	w.ada.Await(w.say("key.waits_open"))
	return w, row
}

func (w *walk) signOut(p *chromium.Page, sub string) {
	w.T.Helper()
	p.Toggle(sitetest.People[sub])
	p.Press(w.say("frame.sign-out"))
	p.Has(w.say("signin.out_title"))
}

func (w *walk) signIn(p *chromium.Page, sub string) {
	w.T.Helper()
	p.Goto(w.At("/signin"))
	p.Press(sitetest.People[sub])
	p.Has(w.say("start.todo"), sitetest.People[sub])
}
