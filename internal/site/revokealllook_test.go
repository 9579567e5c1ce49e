package site_test

import (
	"fmt"
	"net/http"
	"testing"

	"petschaft/internal/trial"
)

// TestRevokingAllInABrowser looks at the pages before, at, after a mistake, and
// at the public page of authorities.
func TestRevokingAllInABrowser(t *testing.T) {
	t.Parallel()
	s := newSight(t, "de")
	row := s.LinkRow("ada.adler", "ada")
	path := fmt.Sprintf("/email-domains/uni.example/rows/%d", row)
	s.Certified("ada", row)
	s.Recorded("bob", row)
	trial.Must(0, s.Cert.SignOldLists(t.Context()))
	s.look("nora", "revoke-all-active", path, http.StatusOK)
	trial.Must(0, s.Mailbox.Deactivate(t.Context(), s.Actors["nora"], "uni.example", row))
	s.look("nora", "revoke-all-row", path, http.StatusOK)
	p := s.look("nora", "revoke-all", path+"/revoke", http.StatusOK)
	p.Press(s.say("cert.revoke_all"))
	s.judge(p, "revoke-all-done", http.StatusOK)
	s.look("anonymous", "authorities", "/pki", http.StatusOK)
}
