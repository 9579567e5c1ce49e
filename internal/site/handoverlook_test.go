package site_test

import (
	"fmt"
	"net/http"
	"testing"

	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// TestHandoversInABrowser looks at handovers in every state, from both sides, at
// forms that come back, and at the change of contact by the registration office.
func TestHandoversInABrowser(t *testing.T) {
	t.Parallel()
	s := newSight(t, "de")
	s.begins()
	s.several()
	s.answers()
	s.ends()
	s.office()
}

func (s *sight) own() string { return fmt.Sprintf("/organisations/%d", s.Organisation) }

// begins looks at what the contact sees until the session password.
func (s *sight) begins() {
	s.T.Helper()
	s.Known("ada", "bob")
	s.Served(s.Organisation, sitetest.ECKey().Public(), 90, "www.uni.example")
	s.Ordered("neu.uni.example")
	nora := s.look("nora", "handover-organisation", s.own(), http.StatusOK)
	nora.Fill(s.say("handover.email"), "niemand@uni.example")
	nora.Press(s.say("handover.change"))
	s.judge(nora, "handover-wrong", http.StatusUnprocessableEntity)
	nora.Fill(s.say("handover.email"), sitetest.Email("ada"))
	nora.Press(s.say("handover.change"))
	s.judge(nora, "handover-review", http.StatusOK)
	nora.Press(s.say("handover.begin"))
	s.judge(nora, "handover-password", http.StatusOK)
	nora.Reload()
	s.judge(nora, "handover-password-again", http.StatusConflict)
	s.look("nora", "handover-open", s.own(), http.StatusOK)
	s.look("nora", "handover-start-giver", "/", http.StatusOK)
	s.look("rita", "handover-officer", s.own(), http.StatusOK)
}

// several looks at the list, and at two handovers at once.
func (s *sight) several() {
	s.T.Helper()
	s.Second()
	nora := s.look("nora", "handover-list", "/organisations", http.StatusOK)
	nora.Fill(s.say("handover.email_next"), sitetest.Email("ada"))
	nora.Press(s.say("handover.change"))
	s.judge(nora, "handover-list-none", http.StatusUnprocessableEntity)
	nora.Choose(s.say("bulk.tick_row", "name", "Universität Probe"))
	nora.Choose(s.say("bulk.tick_row", "name", "Sternwarte Probe"))
	nora.Press(s.say("handover.change"))
	s.judge(nora, "handover-review-several", http.StatusOK)
	nora.Press(s.say("handover.begin"))
	s.judge(nora, "handover-passwords", http.StatusOK)
}

// answers looks at what the successor sees.
func (s *sight) answers() {
	s.T.Helper()
	h := s.Offered("ada")
	path := fmt.Sprintf("/handovers/%d", h.ID)
	s.look("ada", "handover-start-successor", "/", http.StatusOK)
	s.look("bob", "handover-foreign", path, http.StatusNotFound)
	ada := s.look("ada", "handover-offered", path, http.StatusOK)
	ada.Press(s.say("handover.accept"))
	s.judge(ada, "handover-accepted", http.StatusOK)
	s.look("nora", "handover-open-accepted", s.own(), http.StatusOK)
	s.look("nora", "handover-cancel", path+"/cancel", http.StatusOK)
	ada.Fill(s.say("handover.password"), "ABCD EFGH JKMN PQRS")
	ada.Press(s.say("handover.finish"))
	s.judge(ada, "handover-password-wrong", http.StatusUnprocessableEntity)
	trial.Must(s.Pool.Exec(s.T.Context(), `update handover set wrong = 4 where id = $1`, h.ID))
	ada.Fill(s.say("handover.password"), "ABCD EFGH JKMN PQRS")
	ada.Press(s.say("handover.finish"))
	s.judge(ada, "handover-locked", http.StatusConflict)
}

// ends looks at handovers that are over, and at the one that was finished.
func (s *sight) ends() {
	s.T.Helper()
	declined := s.Offered("bob")
	bob := s.look("bob", "handover-offered-bob", fmt.Sprintf("/handovers/%d", declined.ID), http.StatusOK)
	bob.Press(s.say("handover.decline"))
	s.judge(bob, "handover-declined", http.StatusOK)
	old := s.Offered("bob")
	trial.Must(0, s.Org.SetReminders(s.T.Context(), s.Actors["nora"], s.Organisation, []string{"netz@uni.example", "server-und-dienste@uni.example"}))
	h := s.Accepted("ada")
	s.look("bob", "handover-replaced", fmt.Sprintf("/handovers/%d", old.ID), http.StatusOK)
	path := fmt.Sprintf("/handovers/%d", h.ID)
	ada := s.page("ada")
	ada.Goto(s.At(path))
	ada.Fill(s.say("handover.password"), h.Password)
	ada.Press(s.say("handover.finish"))
	s.judge(ada, "handover-finished", http.StatusOK)
	s.look("ada", "handover-done", path, http.StatusOK)
	s.look("ada", "handover-start-reminders", "/", http.StatusOK)
	s.look("nora", "handover-gone", s.own(), http.StatusNotFound)
}

// office looks at the change of contact by two officers.
func (s *sight) office() {
	s.T.Helper()
	office := "/office" + s.own()
	rita := s.look("rita", "reassign", office+"/contact", http.StatusOK)
	rita.Press(s.say("office.reassign_ask"))
	s.judge(rita, "reassign-wrong", http.StatusUnprocessableEntity)
	rita.Fill(s.say("office.appoint_who"), sitetest.Email("bob"))
	rita.Fill(s.say("office.reassign_reason"), "Ada Adler hat das Haus verlassen; das Konto ist abgelaufen.")
	rita.Press(s.say("office.reassign_ask"))
	s.judge(rita, "reassign-waits", http.StatusOK)
	s.look("rita", "reassignment-own", office+"/reassignment", http.StatusOK)
	s.look("rolf", "reassign-tasks", "/office", http.StatusOK)
	rolf := s.look("rolf", "reassignment", office+"/reassignment", http.StatusOK)
	rolf.Press(s.say("office.reassign_confirm"))
	s.judge(rolf, "reassign-done", http.StatusOK)
}
