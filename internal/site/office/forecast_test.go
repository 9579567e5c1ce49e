package office_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"petschaft/internal/pki"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

func TestTheForecastCountsWhatIsThere(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	rita := r.As("rita")
	rita.Get("/office/forecast").Is(http.StatusOK).Has("Noch nichts zu erneuern")
	r.ServerEnds()
	rita.Get("/office/forecast").Is(http.StatusOK).Has("190 Serverzertifikate sind zurzeit gültig", "<svg", fmt.Sprintf("%d Tage, heute", pki.MostTLSDays(r.Clock.Now())), "zusammen")
	trial.Must(r.Pool.Exec(t.Context(), `update certificate set phase = 'over', turns = null where not_after > $1`, r.Clock.Now().Add(24*time.Hour*100+time.Hour)))
	rita.Get("/office").Has("/office/forecast")
	rita.Get("/office/forecast").Has("100 Serverzertifikate sind zurzeit gültig")
}
