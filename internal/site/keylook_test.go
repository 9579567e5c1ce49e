package site_test

import (
	"fmt"
	"net/http"
	"testing"

	chromium "petschaft/internal/browser"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// TestKeysInABrowserLook looks at the pages that speak of keys made in the
// browser, while one waits and afterwards.
func TestKeysInABrowserLook(t *testing.T) {
	t.Parallel()
	s := newSight(t, "de")
	s.keys()
	s.serverKeys()
}

func (s *sight) keys() {
	s.T.Helper()
	ctx := s.T.Context()
	row := s.LinkRow("ada.adler", "ada", "adler@uni.example")
	apply := fmt.Sprintf("/client-certificates/apply/%d", row)
	p := s.look("ada", "key-apply", apply, http.StatusOK)
	p.Toggle(s.say("key.kind_more"))
	s.judge(p, "key-apply-kinds", http.StatusOK)
	p.Press(s.say("apply.submit"))
	p.Await(s.say("order.terms.required"))
	s.judge(p, "key-apply-wrong", http.StatusUnprocessableEntity)
	p.Choose(s.say("apply.terms_accept"))
	p.Press(s.say("apply.submit"))
	p.Await(s.say("key.waits_open"))
	s.judge(p, "key-application", http.StatusOK)
	p.Goto(s.At("/client-certificates"))
	p.Await(s.say("key.waits"))
	p.Toggle(s.say("key.forget_title"))
	s.judge(p, "key-mine", http.StatusOK)
	p.Toggle(sitetest.People["ada"])
	p.Press(s.say("frame.sign-out"))
	p.Await(s.say("key.waits_out"))
	s.judge(p, "key-signed-out", http.StatusOK)
	p.Toggle(s.say("key.forget_title"))
	s.judge(p, "key-signed-out-forget", http.StatusOK)
	p.Goto(s.At("/signin"))
	p.Press(sitetest.People["ada"])

	a := trial.Must(s.Order.Mine(ctx, s.Actors["ada"], 1))[0]
	application := fmt.Sprintf("/client-certificates/applications/%d", a.ID)
	trial.Must(s.Pool.Exec(ctx, `update application set state = 'refused', reason = 'mailbox.apply.suspended', ended = $2 where id = $1`, a.ID, s.Clock.Now()))
	p.Goto(s.At(application))
	p.Await(s.say("key.waits_over"))
	s.judge(p, "key-refused", http.StatusOK)
	trial.Must(s.Pool.Exec(ctx, `update application set state = 'issuing', reason = '', ended = null where id = $1`, a.ID))
	trial.Must(0, s.Order.Issue(ctx, a.ID))
	certificate := fmt.Sprintf("/client-certificates/%d", *trial.Must(s.Order.One(ctx, s.Actors["ada"], a.ID)).Certificate)
	p.Goto(s.At(certificate))
	p.Await(s.say("key.waits_issued"))
	s.judge(p, "key-certificate", http.StatusOK)
	p.Follow(s.say("key.save"))
	p.Await(s.say("key.password"))
	s.judge(p, "key-p12", http.StatusOK)
	p.Download(s.say("key.save"))
	p.Await(s.say("key.saved_text"))
	s.judge(p, "key-p12-saved", http.StatusOK)
	p.Reload()
	p.Await(s.say("key.p12_none"))
	s.judge(p, "key-p12-none", http.StatusOK)
	s.keyless(certificate)
}

// keyless looks at the same without script, and without what keys need.
func (s *sight) keyless(certificate string) {
	s.T.Helper()
	row := s.LinkRow("ohne", "bob")
	apply := s.At(fmt.Sprintf("/client-certificates/apply/%d", row))
	for name, option := range map[string]chromium.Option{
		"no-script": chromium.NoScript, "unable": chromium.Beforehand(`Object.defineProperty(crypto, "subtle", { value: undefined })`),
	} {
		for who, address := range map[string]string{"bob": apply, "ada": s.At(certificate + "/p12")} {
			p := s.room.Visitor(who, chromium.Speaking(s.lang), option)
			p.Goto(s.At("/signin"))
			p.Press(sitetest.People[who])
			p.Goto(address)
			if who == "bob" && name == "unable" {
				p.Await(s.say("key.unable"))
			}
			s.judge(p, "key-"+name+"-"+who, http.StatusOK)
		}
	}
}

func (s *sight) serverKeys() {
	s.T.Helper()
	p := s.look("nora", "key-server", "/orders/new", http.StatusOK)
	p.Click(s.say("key.make_file"))
	p.Await(s.say("key.nameless"))
	s.judge(p, "key-server-nameless", http.StatusOK)
	p.Fill(s.say("key.server"), "ein-langer-name.abteilung-fuer-vieles.uni.example")
	p.Download(s.say("key.make_file"))
	p.Await(s.say("key.file_saved"))
	s.judge(p, "key-server-saved", http.StatusOK)
}
