package site_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"petschaft/internal/person"
	"petschaft/internal/trial"
)

// TestTokensInABrowser looks at API tokens in every state, at the form that comes
// back, at the one moment of the secret, and at the pages about the API.
func TestTokensInABrowser(t *testing.T) {
	t.Parallel()
	s := newSight(t, "de")
	s.look("nora", "tokens-none", "/tokens", http.StatusOK)
	s.look("sven", "token-new-short", "/tokens/new", http.StatusOK)
	s.makesAToken()
	s.tokenStates()
	s.look("niko", "tokens-nothing", "/tokens", http.StatusOK)
	s.look("anonymous", "api", "/api", http.StatusOK)
	s.look("anonymous", "api-problem", "/api/problems/too-many", http.StatusOK)
	p := s.page("anonymous")
	p.Goto(s.At("/api"))
	p.Toggle("POST /email-domains/{domain}/addresses Add an address")
	s.judge(p, "api-open", http.StatusOK)
}

// makesAToken fills in the form, wrong at first, and takes the secret.
func (s *sight) makesAToken() {
	s.T.Helper()
	p := s.page("nora")
	p.Goto(s.At("/tokens"))
	p.Follow(s.say("token.new"))
	p.Fill(s.say("token.name"), "Nachtabgleich mit dem Identitätsmanagement auf idm-produktion-7.rz.uni.example")
	p.Choose("labor.example")
	p.Fill(s.say("token.networks"), "192.0.2.300")
	p.Press(s.say("token.make"))
	s.judge(p, "token-wrong", http.StatusUnprocessableEntity)
	p.Choose("uni.example")
	p.Choose(s.say("token.verb_addresses_read"))
	p.Choose(s.say("token.verb_addresses_write"))
	p.Fill(s.say("token.networks"), "192.0.2.0/24, 2001:db8::/48")
	p.Press(s.say("token.make"))
	s.judge(p, "token-made", http.StatusOK)
	if !secretText.MatchString(p.Text()) {
		s.T.Error("the page shows no secret")
	}
	p.Follow(s.say("token.to_token"))
	s.judge(p, "token", http.StatusOK)
}

func (s *sight) tokenStates() {
	s.T.Helper()
	ctx := s.T.Context()
	_, withdrawn := token(s.Rig, "nora", person.OrganisationVerbs())
	trial.Must(0, s.People.WithdrawToken(ctx, s.Actors["rita"], withdrawn))
	secret, used := token(s.Rig, "nora", person.Verbs())
	_, _, err := s.People.ByToken(ctx, secret, loopback)
	trial.Must(0, err)
	s.Clock.Advance(time.Minute)
	s.look("nora", "tokens", "/tokens", http.StatusOK)
	s.look("nora", "token-withdrawn", fmt.Sprintf("/tokens/%d", withdrawn), http.StatusOK)
	s.look("nora", "token-withdraw", fmt.Sprintf("/tokens/%d/withdraw", used), http.StatusOK)
	trial.Must(0, s.Pool.QueryRow(ctx, `update account set signed_in = signed_in - interval '40 days' where id = $1 returning 0`, s.Actors["nora"].Account).Scan(new(int)))
	s.look("rita", "office-tokens", "/office/tokens", http.StatusOK)
	s.look("rita", "office-token-asleep", fmt.Sprintf("/tokens/%d", used), http.StatusOK)
}
