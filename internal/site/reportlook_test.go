package site_test

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"petschaft/internal/compromise"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
	"petschaft/web/paths"
)

// TestReportedKeysInABrowserLook looks at what anybody reports and proves, and at what
// officers see of it: open, overdue, a key before and after it fell.
func TestReportedKeysInABrowserLook(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"de", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			newSight(t, lang).reportedKeys()
		})
	}
}

func (s *sight) reportedKeys() {
	s.T.Helper()
	key := sitetest.ECKey()
	s.Served(s.Organisation, key.Public(), 90, "www.uni.example")
	one := s.Served(s.Organisation, key.Public(), 90, "ein-langer-name.abteilung-fuer-vieles.uni.example")
	var digest, fingerprint string
	trial.Must(0, s.Pool.QueryRow(s.T.Context(), `select encode(key, 'hex'), encode(fingerprint, 'hex') from certificate where reference = $1`, one).Scan(&digest, &fingerprint))
	for n, words := range []string{"Der Schlüssel lag im Netz.", "Hinter dieser Seite steht jemand anders."} {
		trial.Must(s.Compromise.Report(s.T.Context(), person.Actor{}, netip.MustParseAddr("192.0.2.7"), compromise.Telling{
			Sought: compromise.Sought{Certificate: fingerprint}, Reason: []pki.Reason{pki.KeyCompromise, pki.PrivilegeWithdrawn}[n], Words: words, Email: "wer@anderswo.example",
		}))
		if n == 0 {
			s.Clock.Advance(25 * time.Hour)
		}
	}
	p := s.look("anonymous", "report", paths.Report, http.StatusOK)
	p.Press(s.say("report.send"))
	s.judge(p, "report-wrong", http.StatusUnprocessableEntity)
	p = s.look("anonymous", "report-proof", paths.KeyProof, http.StatusOK)
	p.Fill(s.say("report.key"), fingerprint)
	p.Press(s.say("report.proof_value"))
	s.judge(p, "report-value", http.StatusOK)
	s.look("rita", "reports", paths.OfficeReports, http.StatusOK)
	s.look("rita", "reports-overdue", paths.OfficeReport(int64(1)), http.StatusOK)
	s.look("rita", "key-falls", paths.OfficeKey(digest), http.StatusOK)
	p = s.page("rita")
	p.Press(s.say("keys.fall"))
	s.judge(p, "key-fell", http.StatusOK)
	s.look("rita", "keys-blocked", paths.OfficeKeys, http.StatusOK)
	s.look("rita", "reports-answered", paths.OfficeReports, http.StatusOK)
}
