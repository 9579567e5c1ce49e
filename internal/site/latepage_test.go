package site_test

import (
	"net/http"
	"testing"
	"time"

	"petschaft/internal/ca/catest"
	"petschaft/internal/issuance"
	"petschaft/internal/order"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
	"petschaft/web/paths"
)

// TestAnApplicationSaysThatItsCertificateCameTooLate and leads to it, also once it came.
func TestAnApplicationSaysThatItsCertificateCameTooLate(t *testing.T) {
	t.Parallel()
	o := atOnce(t)
	late := o.late()
	var n order.ID
	trial.Must(0, o.Pool.QueryRow(t.Context(), `select id from application where state = 'withdrawn'`).Scan(&n))
	for _, who := range []string{"ada", "rita"} {
		o.As(who).Get(paths.Application(n)).Is(http.StatusOK).
			Has("zurückgezogen", sitetest.German("order.late_text"), `href="`+paths.ClientCertificate(late)+`"`).Lacks(sitetest.German("order.taken_back_text"))
	}
}

// TestAnOrderSaysThatItsCertificateCameTooLate likewise.
func TestAnOrderSaysThatItsCertificateCameTooLate(t *testing.T) {
	t.Parallel()
	o := atOnce(t)
	o.outside.Next(catest.Pending)
	reference := placed(o.Rig, "www.uni.example")
	n := trial.Must(o.Order.Server(t.Context(), o.Actors["rita"], reference)).ID
	trial.Must(0, o.Order.Withdraw(t.Context(), o.Actors["nora"], reference))
	o.As("nora").Get(paths.Order(reference)).Has(sitetest.German("order.taken_back_text")).Lacks(`href="` + paths.Certificate(reference) + `"`)
	o.outside.Approve(int64(n))
	o.Clock.Advance(3 * time.Minute)
	trial.Must(0, o.Issuance.Look(t.Context(), issuance.ServerOrder, issuance.Number(n)))
	for who, path := range map[string]string{"nora": paths.Order(reference), "rita": paths.OfficeOrder(reference)} {
		o.As(who).Get(path).Is(http.StatusOK).Has(sitetest.German("order.late_text"), `href="`+paths.Certificate(reference)+`"`).Lacks(sitetest.German("order.taken_back_text"))
	}
}

// TestAnOfficerComesToAnApplicationAsItStands: what waits has not failed.
func TestAnOfficerComesToAnApplicationAsItStands(t *testing.T) {
	t.Parallel()
	o := atOnce(t)
	o.outside.Next(catest.Person)
	waits := looked(o.Rig, "ada", "ada.adler")
	o.outside.Next(catest.Refusing)
	failed := looked(o.Rig, "bob", "bob.bach")
	const crumb = `href="` + paths.OfficeApplications + `"`
	rita := o.As("rita")
	rita.Get(paths.Application(waits)).Is(http.StatusOK).Has("Wartet auf vertrauen").Lacks(crumb)
	rita.Get(paths.Application(failed)).Is(http.StatusOK).Has(crumb)
}

// TestAPageSaysWhenAnAuthorityIsAskedNext: what is due is asked by the next round of the
// clock, which comes every minute.
func TestAPageSaysWhenAnAuthorityIsAskedNext(t *testing.T) {
	t.Parallel()
	o := atOnce(t)
	o.outside.Next(catest.Person)
	path := paths.Application(looked(o.Rig, "ada", "ada.adler"))
	o.Clock.Advance(time.Hour)
	o.As("ada").Get(path).Is(http.StatusOK).Has("innerhalb einer Minute").Lacks("jetzt gleich")
}
