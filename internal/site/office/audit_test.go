package office_test

import (
	"fmt"
	"net/http"
	"testing"

	"petschaft/internal/mailbox"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
	"petschaft/web/paths"
)

func TestTheRecordIsFilteredAndExported(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	id, _ := r.AddRow(mailbox.Input{Kind: mailbox.Personal, Name: "Müller, Jürgen", Primary: "juergen.mueller@uni.example"})
	r.AddRow(mailbox.Input{Kind: mailbox.Personal, Name: "Ammer, Sophie", Primary: "sophie.ammer@uni.example"})
	rita := r.As("rita")
	rita.Get(paths.OfficeAudit).Has("juergen.mueller@uni.example", "sophie.ammer@uni.example", "Das Protokoll wurde noch nicht geprüft")
	for query, has := range map[string]bool{
		"q=JUERGEN.mueller": true, "q=sophie": false, "about=address_row:" + fmt.Sprint(id): true, "about=address_row:4711": false,
		"action=mailbox.&q=m%C3%BCller": true, "action=org.": false, "from=2020-01-01": true, "until=2020-01-01": false, "from=1.1.2020": true, "who=niemand": false,
	} {
		page, file := rita.Get(paths.OfficeAudit+"?"+query), rita.Get(paths.OfficeAuditExport+"?"+query)
		if has {
			page.Has("juergen.mueller@uni.example")
			file.Has("juergen.mueller@uni.example")
		} else {
			page.Lacks("juergen.mueller@uni.example")
			file.Lacks("juergen.mueller@uni.example")
		}
	}
	rita.Get(paths.OfficeAudit + "?from=gestern").Is(http.StatusUnprocessableEntity).Has("Das ist kein Tag")
}

func TestOfficersReadHowFarTheRecordWasVerified(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.AddRow(mailbox.Input{Kind: mailbox.Personal, Name: "Ammer, Sophie", Primary: "sophie.ammer@uni.example"})
	trial.Must(r.Audit.Seal(t.Context()))
	trial.Must(r.Audit.Check(t.Context()))
	rita := r.As("rita")
	rita.Get(paths.OfficeAudit).Has("Geprüft bis Siegel")
	rita.Get("/").Lacks(sitetest.German("office.audit_task"))
	trial.Must(r.Pool.Exec(t.Context(), `begin; set local session_replication_role = replica; delete from audit_line where id = 1; commit`))
	trial.Must(r.Pool.Exec(t.Context(), `update audit_watch set whole = null`))
	if told := trial.Must(r.Audit.Check(t.Context())); told.Broken == nil {
		t.Error("the check sees nothing")
	}
	rita.Get(paths.OfficeAudit).Has("Zeile 1 zu Siegel 1 fehlt")
	rita.Get("/").Has(sitetest.German("office.audit_task"))
	r.As("nora").Get("/").Lacks(sitetest.German("office.audit_task"))
}
