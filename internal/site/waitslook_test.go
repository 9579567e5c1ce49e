package site_test

import (
	"net/http"
	"testing"
	"time"

	"petschaft/internal/ca/catest"
	"petschaft/internal/issuance"
	"petschaft/internal/trial"
	"petschaft/web/paths"
)

// TestWaitingInABrowser looks at what waits at an authority that takes its time.
func TestWaitingInABrowser(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"de", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			var s *sight
			outside := catest.New(t)
			outside.Clock(func() time.Time { return s.Clock.Now() })
			outside.Always(catest.Person)
			s = newSight(t, lang, with(outside))
			chosen(s.Rig)
			n, reference := looked(s.Rig, "ada", "ada.adler"), placed(s.Rig, "www.uni.example")
			trial.Must(s.Pool.Exec(t.Context(), `update intent set said = 'Order 4711 is held for manual vetting by the validation team (ticket VT-20261130-000815).'`))
			s.look("ada", "waits-application", paths.Application(n), http.StatusOK)
			s.look("ada", "waits-list", paths.ClientCertificates, http.StatusOK)
			s.look("ada", "waits-take-back", paths.Application(n)+"/withdraw", http.StatusOK)
			s.look("nora", "waits-order", paths.Order(reference), http.StatusOK)
			s.look("nora", "waits-orders", paths.Orders, http.StatusOK)
			s.look("nora", "waits-withdraw", paths.Order(reference)+"/withdraw", http.StatusOK)
			s.look("rita", "waits-products", paths.OfficeProducts, http.StatusOK)
			s.look("rita", "waits-product", paths.OfficeProduct("tls-single")+"/authority", http.StatusOK)
			s.look("rita", "waits-domain", paths.NewEmailDomain, http.StatusOK)
			trial.Must(s.Pool.Exec(t.Context(), `update intent set asked = asked - $1::interval, attempts = 3`, issuance.LongWait))
			s.look("rita", "waits-officer", paths.Application(n), http.StatusOK)
			s.look("rita", "waits-office", paths.OfficeWaits, http.StatusOK)
			p := s.page("ada")
			p.Goto(s.At(paths.Application(n) + "/withdraw"))
			p.Press(s.say("order.take_back"))
			s.judge(p, "waits-taken-back", http.StatusOK)
		})
	}
}
