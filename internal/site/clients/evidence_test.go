package clients_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"petschaft/internal/cert"
	"petschaft/internal/order"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

func TestTheEvidenceIsShownPrintedAndTakenAlong(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	n := r.Certified("ada", r.LinkRow("ada.adler", "ada", "adler@uni.example"))
	c := trial.Must(r.Cert.One(t.Context(), r.Actors["ada"], n))
	page := fmt.Sprintf("/client-certificates/%d", n)
	for _, who := range []string{"ada", "nora", "rita"} {
		b := r.As(who)
		b.Get(page).Is(http.StatusOK).Has("Nachweis", "alle eingehalten", "petschaft 1, zlint 3.7.1", page+"/evidence\"", page+"/evidence.json")
		b.Get(page+"/evidence").Is(http.StatusOK).Has(
			"Nachweis zu "+c.Reference, "ada.adler@uni.example", "adler@uni.example", "Bestätigt von Ada Adler", "an ada.adler@uni.example (Runde", "Domain validiert",
			"Fassung "+r.Order.Terms, "S/MIME für eine Person", "eingehalten", "Laufzeit", "nicht gewertet", "w_ct_sct_policy_count_unsatisfied",
		)
	}
	a := r.As("ada").Get(page + "/evidence.json").Is(http.StatusOK)
	var e cert.Evidence
	if err := json.Unmarshal([]byte(a.Content), &e); err != nil || e.Reference != c.Reference || len(e.Addresses) != 2 || e.Checks == nil {
		t.Errorf("got %v, %+v; want the evidence of both addresses", err, e)
	}
	for header, want := range map[string]string{
		"Content-Type": "application/json", "Content-Disposition": `attachment; filename="` + c.Reference + `-evidence.json"`,
	} {
		if got := a.Header.Get(header); got != want {
			t.Errorf("%s: got %q, want %q", header, got, want)
		}
	}
	for _, who := range []string{"bob", "sven"} {
		r.As(who).Get(page + "/evidence").Is(http.StatusNotFound)
		r.As(who).Get(page + "/evidence.json").Is(http.StatusNotFound)
	}
}

// TestACertificateWithoutEvidenceSaysSo: one from before the portal kept any.
func TestACertificateWithoutEvidenceSaysSo(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	n := r.Certified("ada", r.LinkRow("ada.adler", "ada"))
	trial.Must(r.Pool.Exec(t.Context(), `alter table evidence disable trigger evidence_fixed`))
	trial.Must(r.Pool.Exec(t.Context(), `delete from evidence`))
	page := fmt.Sprintf("/client-certificates/%d", n)
	r.As("ada").Get(page).Is(http.StatusOK).Has("gibt es keinen Nachweis").Lacks(page + "/evidence")
	r.As("ada").Get(page + "/evidence").Is(http.StatusNotFound)
}

func TestBrokenRulesAreToldInFullToTheOfficeAndSimplyToTheApplicant(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	n := r.Failed("ada", r.LinkRow("ada.adler", "ada"))
	trial.Must(r.Pool.Exec(t.Context(), `update application set reason = 'order.failed.rules_office', findings = $2 where id = $1`, n, sitetest.Findings))
	page := fmt.Sprintf("/client-certificates/applications/%d", n)
	r.As("ada").Get(page).Is(http.StatusOK).Has("Das liegt nicht an Ihnen").Lacks("Laufzeit: ", "e_dnsname_not_valid_tld")
	for _, at := range []string{page, "/office/applications"} {
		r.As("rita").Get(at).Is(http.StatusOK).Has("Laufzeit: Es gälte 1000 Tage, erlaubt sind 825.", "e_dnsname_not_valid_tld: DNSNames must have a valid TLD (BRs: 3.2.2.4)")
	}
	for reason, words := range map[string]string{
		"order.failed.rules_key": "Erzeugen Sie einen neuen Schlüssel", "order.failed.rules_name": "Ihr Name passt so nicht in ein Zertifikat",
	} {
		trial.Must(r.Pool.Exec(t.Context(), `update application set reason = $2 where id = $1`, n, reason))
		r.As("ada").Get(page).Has(words)
	}
	if a := trial.Must(r.Order.One(t.Context(), r.Actors["rita"], n)); a.State != order.Failed {
		t.Errorf("got it %s, want it failed", a.State)
	}
}

func TestAnOfficerSaysWhichOrganisationVouchesForADomain(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita := r.As("rita")
	d := trial.Must(r.Org.Domain(t.Context(), r.Actors["rita"], "uni.example"))
	page := fmt.Sprintf("/office/domains/%d", d.ID)
	organisation := r.Organisation
	if organisation == 0 {
		t.Fatal("the rig has no organisation")
	}
	form := func(vouching string) []string {
		return []string{
			"group", fmt.Sprint(d.Group), "validation", "domain", "proof_method", "DNS TXT", "proof_by", "RA",
			"proof_from", d.ProofFrom.Format("2006-01-02"), "proof_until", d.ProofUntil.Format("2006-01-02"), "vouching", vouching,
		}
	}
	rita.Get(page).Is(http.StatusOK).Has("– keine –", "ohne passende Kennung")
	rita.Post(page, form(fmt.Sprint(organisation))...).Is(http.StatusSeeOther).Follow().Is(http.StatusOK)
	if got := trial.Must(r.Org.Domain(t.Context(), r.Actors["rita"], "uni.example")).Vouching; got == nil || *got != organisation {
		t.Errorf("got %v, want organisation %d", got, organisation)
	}
	rita.Post(page, form("999999")...).Is(http.StatusSeeOther) // none that there is
	if got := trial.Must(r.Org.Domain(t.Context(), r.Actors["rita"], "uni.example")).Vouching; got != nil {
		t.Errorf("got organisation %d, want none", *got)
	}
}
