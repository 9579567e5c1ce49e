package site_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"petschaft/internal/cert"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/pki"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// issued is what issue makes: applications and certificates in every state.
type issued struct {
	apply, queued, slow             string
	refused, failed                 string
	valid, soon, expired            string
	revoked, inactive               string
	unlikeRow, inactiveRow, linkRow string
}

// issue makes them for ada, in nora's domain.
func issue(r *sitetest.Rig) (w issued) {
	r.T.Helper()
	ctx := r.T.Context()
	certificate := func(n cert.ID) string { return fmt.Sprintf("/client-certificates/%d", n) }
	application := func(n order.ID) string { return fmt.Sprintf("/client-certificates/applications/%d", n) }
	row := func(n mailbox.ID) string { return fmt.Sprintf("/email-domains/uni.example/rows/%d", n) }
	expired := r.Certified("ada", r.LinkRow("ada.praktikum", "ada"))
	r.Clock.Advance(40 * 24 * time.Hour)
	soon := r.Certified("ada", r.LinkRow("ada.adler.vertretung", "ada"))
	r.Clock.Advance(702 * 24 * time.Hour)
	trial.Must(r.Pool.Exec(ctx, `update email_domain set proof_from = $1, proof_until = $2 where validation = 'domain'`, r.Clock.Now(), r.Clock.Now().Add(300*24*time.Hour)))
	late := r.LinkRow("nachtrag", "ada")
	linked := r.LinkRow("ada.adler", "ada", "adler@uni.example", "ada@uni.example")
	valid := r.Certified("ada", linked)
	unlike := r.LinkInput(mailbox.Input{Kind: mailbox.Personal, Name: "Cranz, Clara Theodora", Primary: "clara.cranz@uni.example"}, "ada")
	revoked := r.Certified("ada", unlike)
	trial.Must(0, r.Cert.Revoke(ctx, r.Actors["ada"], revoked, pki.KeyCompromise))
	gone := r.LinkRow("ada.frueher", "ada")
	inactive := r.Certified("ada", gone)
	trial.Must(0, r.Mailbox.Deactivate(ctx, r.Actors["nora"], "uni.example", gone))
	refused := r.Applied("ada", r.LinkRow("abgelehnt", "ada"))
	trial.Must(r.Pool.Exec(ctx, `update application set state = 'refused', reason = 'mailbox.apply.suspended', ended = $2 where id = $1`, refused, r.Clock.Now()))
	slow := r.Applied("ada", r.LinkRow("dauert", "ada"))
	trial.Must(r.Pool.Exec(ctx, `update application set state = 'issuing', profile = 'mail-personal', emails = array['dauert@uni.example'], serial = '\x02', not_before = $2,
		created = $3 where id = $1`, slow, r.Clock.Now(), r.Clock.Now().Add(-5*time.Minute)))
	trial.Must(r.Pool.Exec(ctx, `update link set suspended = true where row_id = $1`, r.LinkRow("ruht", "ada")))
	w = issued{
		slow: application(slow), expired: certificate(expired),
		valid: certificate(valid), soon: certificate(soon), revoked: certificate(revoked), inactive: certificate(inactive),
		queued: application(r.Applied("ada", late)), refused: application(refused), failed: application(r.Failed("ada", r.LinkRow("gescheitert", "ada"))),
		unlikeRow: row(unlike), inactiveRow: row(gone), linkRow: row(linked),
	}
	office := r.LinkInput(mailbox.Input{Kind: mailbox.Functional, Name: "Sekretariat Physik", Primary: "sekretariat.physik@uni.example", Applicant: "ada.adler@uni.example"}, "ada")
	trial.Must(r.Pool.Exec(ctx, `update application set reason = 'order.failed.rules_office', findings = $1 where state = 'failed'`, sitetest.Findings))
	w.apply = fmt.Sprintf("/client-certificates/apply/%d", office)
	trial.Must(0, r.Cert.SignOldLists(ctx))
	return w
}

// TestCertificatesInABrowser looks at applying, at certificates in every state
// and at what officers and contacts see of them.
func TestCertificatesInABrowser(t *testing.T) {
	t.Parallel()
	s := newSight(t, "de")
	w := issue(s.Rig)
	for name, path := range map[string]string{
		"mine": "/client-certificates", "mine-over": "/client-certificates?which=over", "start": "/", "apply": w.apply, "queued": w.queued, "slow": w.slow,
		"refused": w.refused, "failed": w.failed, "valid": w.valid, "evidence": w.valid + "/evidence", "soon": w.soon, "expired": w.expired, "revoked": w.revoked, "revoke": w.valid + "/revoke",
	} {
		s.look("ada", "cert-"+name, path, http.StatusOK)
	}
	for name, path := range map[string]string{
		"row-unlike": w.unlikeRow, "row-inactive": w.inactiveRow, "row": w.linkRow, "table": "/email-domains/uni.example",
		"contact": w.valid, "contact-inactive": w.inactive, "contact-revoke": w.inactive + "/revoke",
	} {
		s.look("nora", "cert-"+name, path, http.StatusOK)
	}
	for name, path := range map[string]string{
		"office": "/office", "office-list": "/office/certificates", "office-none": "/office/certificates?q=xyz",
		"office-applications": "/office/applications", "officer-application": w.failed, "officer": w.valid, "officer-revoke": w.valid + "/revoke", "officer-audit": "/office/audit",
	} {
		s.look("rita", "cert-"+name, path, http.StatusOK)
	}
	for name, path := range map[string]string{"pki": "/pki", "terms": "/terms"} {
		s.look("anonymous", "cert-"+name, path, http.StatusOK)
	}
	s.look("nora", "cert-contact-may-not", w.valid+"/revoke", http.StatusConflict)
	s.look("niko", "cert-not-his", w.valid, http.StatusNotFound)
	ada := s.page("ada")
	ada.Goto(s.At(w.apply))
	ada.Await(s.say("key.browser"))
	ada.Choose(s.say("apply.key_csr"))
	s.judge(ada, "cert-apply-csr", http.StatusOK)
	ada.Fill(s.say("apply.csr"), "-----BEGIN CERTIFICATE REQUEST-----\nMIIB")
	ada.Press(s.say("apply.submit"))
	s.judge(ada, "cert-apply-wrong", http.StatusUnprocessableEntity)
}
