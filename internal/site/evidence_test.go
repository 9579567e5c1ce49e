package site_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"petschaft/internal/cert"
	"petschaft/internal/order"
)

func TestTheEvidenceIsShownPrintedAndTakenAlong(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.certified("ada", r.linkRow("ada.adler", "ada", "adler@uni.example"))
	c := must(r.Cert.One(t.Context(), r.actors["ada"], n))
	page := fmt.Sprintf("/client-certificates/%d", n)
	for _, who := range []string{"ada", "nora", "rita"} {
		b := r.as(who)
		b.get(page).status(http.StatusOK).has("Nachweis", "alle eingehalten", "petschaft 1, zlint 3.7.1", page+"/evidence\"", page+"/evidence.json")
		b.get(page+"/evidence").status(http.StatusOK).has(
			"Nachweis zu "+c.Reference, "ada.adler@uni.example", "adler@uni.example", "Bestätigt von Ada Adler", "an ada.adler@uni.example (Runde", "Domain validiert",
			"Fassung "+r.Order.Terms, "S/MIME für eine Person", "eingehalten", "Laufzeit", "nicht gewertet", "w_ct_sct_policy_count_unsatisfied",
		)
	}
	a := r.as("ada").get(page + "/evidence.json").status(http.StatusOK)
	var e cert.Evidence
	if err := json.Unmarshal([]byte(a.body), &e); err != nil || e.Reference != c.Reference || len(e.Addresses) != 2 || e.Checks == nil {
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
		r.as(who).get(page + "/evidence").status(http.StatusNotFound)
		r.as(who).get(page + "/evidence.json").status(http.StatusNotFound)
	}
}

// TestACertificateWithoutEvidenceSaysSo: one from before the portal kept any.
func TestACertificateWithoutEvidenceSaysSo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.certified("ada", r.linkRow("ada.adler", "ada"))
	must(r.db.Exec(t.Context(), `alter table evidence disable trigger evidence_fixed`))
	must(r.db.Exec(t.Context(), `delete from evidence`))
	page := fmt.Sprintf("/client-certificates/%d", n)
	r.as("ada").get(page).status(http.StatusOK).has("gibt es keinen Nachweis").lacks(page + "/evidence")
	r.as("ada").get(page + "/evidence").status(http.StatusNotFound)
}

// findings are what a failed issuance left for the office.
const findings = `[{"rule": "validity", "whom": "office", "id": "lint.validity", "args": ["days", 1000, "most", 825]},
	{"rule": "e_dnsname_not_valid_tld", "whom": "office", "id": "lint.zlint", "args": ["rule", "e_dnsname_not_valid_tld", "text", "DNSNames must have a valid TLD", "source", "BRs: 3.2.2.4"]}]`

func TestBrokenRulesAreToldInFullToTheOfficeAndSimplyToTheApplicant(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	n := r.failed("ada", r.linkRow("ada.adler", "ada"))
	must(r.db.Exec(t.Context(), `update application set reason = 'order.failed.rules_office', findings = $2 where id = $1`, n, findings))
	page := fmt.Sprintf("/client-certificates/applications/%d", n)
	r.as("ada").get(page).status(http.StatusOK).has("Das liegt nicht an Ihnen").lacks("Laufzeit: ", "e_dnsname_not_valid_tld")
	for _, at := range []string{page, "/office/applications"} {
		r.as("rita").get(at).status(http.StatusOK).has("Laufzeit: Es gälte 1000 Tage, erlaubt sind 825.", "e_dnsname_not_valid_tld: DNSNames must have a valid TLD (BRs: 3.2.2.4)")
	}
	for reason, words := range map[string]string{
		"order.failed.rules_key": "Erzeugen Sie einen neuen Schlüssel", "order.failed.rules_name": "Ihr Name passt so nicht in ein Zertifikat",
	} {
		must(r.db.Exec(t.Context(), `update application set reason = $2 where id = $1`, n, reason))
		r.as("ada").get(page).has(words)
	}
	if a := must(r.Order.One(t.Context(), r.actors["rita"], n)); a.State != order.Failed {
		t.Errorf("got it %s, want it failed", a.State)
	}
}

func TestAnOfficerSaysWhichOrganisationVouchesForADomain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rita := r.as("rita")
	d := must(r.Org.Domain(t.Context(), r.actors["rita"], "uni.example"))
	page := fmt.Sprintf("/office/domains/%d", d.ID)
	organisation := r.organisation
	if organisation == 0 {
		t.Fatal("the rig has no organisation")
	}
	form := func(vouching string) []string {
		return []string{
			"group", fmt.Sprint(d.Group), "validation", "domain", "proof_method", "DNS TXT", "proof_by", "RA",
			"proof_from", d.ProofFrom.Format("2006-01-02"), "proof_until", d.ProofUntil.Format("2006-01-02"), "vouching", vouching,
		}
	}
	rita.get(page).status(http.StatusOK).has("– keine –", "ohne passende Kennung")
	rita.post(page, form(fmt.Sprint(organisation))...).status(http.StatusSeeOther).follow().status(http.StatusOK)
	if got := must(r.Org.Domain(t.Context(), r.actors["rita"], "uni.example")).Vouching; got == nil || *got != organisation {
		t.Errorf("got %v, want organisation %d", got, organisation)
	}
	rita.post(page, form("999999")...).status(http.StatusSeeOther) // none that there is
	if got := must(r.Org.Domain(t.Context(), r.actors["rita"], "uni.example")).Vouching; got != nil {
		t.Errorf("got organisation %d, want none", *got)
	}
}
