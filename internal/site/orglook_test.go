package site_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/org"
	"petschaft/internal/pki"
)

// TestOrganisationsInABrowser looks at organisations and their names in every
// state, at the forms that come back, and at the forecast.
func TestOrganisationsInABrowser(t *testing.T) {
	t.Parallel()
	s := newSight(t, "de")
	asked := s.populateNames()
	own := fmt.Sprintf("/organisations/%d", s.organisation)
	office := "/office" + own
	for name, path := range map[string]string{
		"office": "/office", "office-organisations": "/office/organisations", "office-organisation": office, "office-organisation-new": "/office/organisations/new",
		"office-appoint": office + "/contact", "office-name": fmt.Sprintf("%s/names/%d", office, asked), "office-name-decline": fmt.Sprintf("%s/names/%d/end", office, asked),
		"organisations": "/organisations", "organisation-officer": own, "forecast-none": "/office/forecast",
	} {
		s.look("rita", name, path, http.StatusOK)
	}
	s.look("nora", "organisation", own, http.StatusOK)
	s.look("niko", "organisation-closed", "/organisations", http.StatusForbidden)
	s.wrongNames(own, office, asked)
	s.serverEnds()
	s.look("rita", "forecast", "/office/forecast", http.StatusOK)
}

// populateNames gives nora's organisation names in every state and returns one
// that she asked for.
func (r *rig) populateNames() org.ServerNameID {
	ctx, officer, now := r.t.Context(), r.actors["rita"], r.clock.Now()
	proof := func(days int) org.Proof {
		return org.Proof{Method: "DNS TXT (TLS BR 3.2.2.4.7)", By: "Rita Amt", From: now.AddDate(0, 0, -days)}
	}
	for name, days := range map[string]int{"bald.example": 190, "abgelaufen.example": 220, "prüfstand-süd-mit-langem-namen.example": 0} {
		id := must(r.Org.AddName(ctx, officer, r.organisation, org.NameInput{Name: name}))
		if days > 0 {
			must(0, r.Org.ValidateName(ctx, officer, id, org.Check{Proof: proof(days)}))
		}
	}
	over := must(r.Org.AddName(ctx, officer, r.organisation, org.NameInput{Name: "vorbei.example"}))
	must(0, r.Org.EndName(ctx, officer, over, "Die Domain ist abgegeben."))
	must(0, r.Org.SetReminders(ctx, officer, r.organisation, []string{"netz@uni.example"}))
	return must(r.Org.AskName(ctx, r.actors["nora"], r.organisation, org.NameInput{Name: "projekt-aurora.example", Wildcard: true}))
}

// wrongNames looks at forms that come back.
func (s *sight) wrongNames(own, office string, asked org.ServerNameID) {
	s.t.Helper()
	nora, rita := s.page("nora"), s.page("rita")
	nora.Goto(s.at(own))
	nora.Fill(s.say("organisation.server_name"), "*.co.uk")
	nora.Press(s.say("organisation.ask_button"))
	s.judge(nora, "organisation-wrong", http.StatusUnprocessableEntity)
	rita.Goto(s.at(fmt.Sprintf("%s/names/%d", office, asked)))
	rita.Fill(s.say("office.proof_method"), "DNS TXT")
	rita.Press(s.say("office.name_add"))
	s.judge(rita, "office-name-wrong", http.StatusUnprocessableEntity)
	rita.Goto(s.at("/office/organisations/new"))
	rita.Fill(s.say("organisation.name"), "Institut für Proben")
	rita.Press(s.say("office.organisation_add"))
	s.judge(rita, "office-organisation-wrong", http.StatusUnprocessableEntity)
}

// serverEnds makes server certificates that end over the months to come.
func (r *rig) serverEnds() {
	r.t.Helper()
	must(r.db.Exec(r.t.Context(), `insert into certificate (reference, authority, issuer, serial, der, fingerprint, subject, emails, search, not_before, not_after, issued,
			organisation, common_name, names, product, server_order, renewable, phase, turns)
		select 'F' || i, 'tls', '', int4send(i), int4send(i), int4send(i), '', '{}', '', @now::timestamptz, @now::timestamptz + i * interval '1 day', @now::timestamptz,
			@organisation, 'f' || i, array['f' || i], 'single', i, @now::timestamptz, 'valid', @now::timestamptz + interval '300 days'
		from generate_series(1, 190) i`,
		pgx.NamedArgs{"now": r.clock.Now(), "organisation": r.organisation}))
}

func TestTheForecastCountsWhatIsThere(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rita := r.as("rita")
	rita.get("/office/forecast").status(http.StatusOK).has("Noch nichts zu erneuern")
	r.serverEnds()
	rita.get("/office/forecast").status(http.StatusOK).has("190 Serverzertifikate sind zurzeit gültig", "<svg", fmt.Sprintf("%d Tage, heute", pki.MostTLSDays(r.clock.Now())), "zusammen")
	must(r.db.Exec(t.Context(), `update certificate set phase = 'over', turns = null where not_after > $1`, r.clock.Now().Add(24*time.Hour*100+time.Hour)))
	rita.get("/office").has("/office/forecast")
	rita.get("/office/forecast").has("100 Serverzertifikate sind zurzeit gültig")
}
