package site_test

import (
	"net/http"
	"testing"

	"petschaft/internal/trial"
	"petschaft/web/paths"
)

// TestTheRecordInABrowser looks at the audit log, whole and broken, and at filters.
func TestTheRecordInABrowser(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"de", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			s := newSight(t, lang)
			populate(s.Rig)
			s.look("rita", "audit-unchecked", paths.OfficeAudit, http.StatusOK)
			trial.Must(s.Audit.Seal(t.Context()))
			trial.Must(s.Audit.Check(t.Context()))
			s.look("rita", "audit-whole", paths.OfficeAudit, http.StatusOK)
			s.look("rita", "audit-filtered", paths.OfficeAudit+"?action=mailbox.&q=j%C3%BCrgen&who=nora&from=2020-01-01&about=email_domain:1", http.StatusOK)
			s.look("rita", "audit-none", paths.OfficeAudit+"?who=niemand", http.StatusOK)
			s.look("rita", "audit-wrong", paths.OfficeAudit+"?from=gestern&until=x", http.StatusUnprocessableEntity)
			trial.Must(s.Pool.Exec(t.Context(), `begin; set local session_replication_role = replica; update audit_line set account = 4711 where id = 3; commit`))
			trial.Must(s.Pool.Exec(t.Context(), `update audit_watch set whole = null`))
			trial.Must(s.Audit.Check(t.Context()))
			s.look("rita", "audit-broken", paths.OfficeAudit, http.StatusOK)
			s.look("rita", "audit-start", "/", http.StatusOK)
		})
	}
}
