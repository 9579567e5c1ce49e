package site_test

import (
	"fmt"
	"net/http"
	"testing"

	"petschaft/internal/org"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// TestOrganisationsInABrowser looks at organisations and their names in every
// state, at the forms that come back, and at the forecast.
func TestOrganisationsInABrowser(t *testing.T) {
	t.Parallel()
	s := newSight(t, "de")
	asked := populateNames(s.Rig)
	own := fmt.Sprintf("/organisations/%d", s.Organisation)
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
	s.ServerEnds()
	s.look("rita", "forecast", "/office/forecast", http.StatusOK)
}

// populateNames gives nora's organisation names in every state and returns one
// that she asked for.
func populateNames(r *sitetest.Rig) org.ServerNameID {
	ctx, officer, now := r.T.Context(), r.Actors["rita"], r.Clock.Now()
	proof := func(days int) org.Proof {
		return org.Proof{Method: "DNS TXT (TLS BR 3.2.2.4.7)", By: "Rita Amt", From: now.AddDate(0, 0, -days)}
	}
	for name, days := range map[string]int{"bald.example": 190, "abgelaufen.example": 220, "prüfstand-süd-mit-langem-namen.example": 0} {
		id := trial.Must(r.Org.AddName(ctx, officer, r.Organisation, org.NameInput{Name: name}))
		if days > 0 {
			trial.Must(0, r.Org.ValidateName(ctx, officer, id, org.Check{Proof: proof(days)}))
		}
	}
	over := trial.Must(r.Org.AddName(ctx, officer, r.Organisation, org.NameInput{Name: "vorbei.example"}))
	trial.Must(0, r.Org.EndName(ctx, officer, over, "Die Domain ist abgegeben."))
	trial.Must(0, r.Org.SetReminders(ctx, officer, r.Organisation, []string{"netz@uni.example"}))
	return trial.Must(r.Org.AskName(ctx, r.Actors["nora"], r.Organisation, org.NameInput{Name: "projekt-aurora.example", Wildcard: true}))
}

// wrongNames looks at forms that come back.
func (s *sight) wrongNames(own, office string, asked org.ServerNameID) {
	s.T.Helper()
	nora, rita := s.page("nora"), s.page("rita")
	nora.Goto(s.At(own))
	nora.Fill(s.say("organisation.server_name"), "*.co.uk")
	nora.Press(s.say("organisation.ask_button"))
	s.judge(nora, "organisation-wrong", http.StatusUnprocessableEntity)
	for _, path := range []string{own, "/organisations"} {
		nora.Goto(s.At(path))
		if printed := printedControls(nora); printed != "" {
			s.T.Errorf("%s prints controls:\n%s", path, printed)
		}
	}
	rita.Goto(s.At(fmt.Sprintf("%s/names/%d", office, asked)))
	rita.Fill(s.say("office.proof_method"), "DNS TXT")
	rita.Press(s.say("office.name_add"))
	s.judge(rita, "office-name-wrong", http.StatusUnprocessableEntity)
	rita.Goto(s.At("/office/organisations/new"))
	rita.Fill(s.say("organisation.name"), "Institut für Proben")
	rita.Press(s.say("office.organisation_add"))
	s.judge(rita, "office-organisation-wrong", http.StatusUnprocessableEntity)
}
