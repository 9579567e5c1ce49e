package portal_test

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"petschaft/internal/pgtest"
	"petschaft/internal/portal"
	"petschaft/internal/trial"
)

// TestLostJobsAreMeasured: those that run for longer than any process lets them.
func TestLostJobsAreMeasured(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	c := onDatabase(url)
	c.Metrics = freeAddress(t)
	p := trial.Must(portal.Open(t.Context(), c, slog.New(slog.DiscardHandler), time.Now))
	defer p.Close()
	trial.Must(p.DB.Exec(t.Context(), `insert into river_job (kind, args, max_attempts, state, attempt, attempted_at)
		select 'gone', '{}', 5, 'running', 1, now() - make_interval(secs => s) from unnest(array[10, 70, 80, 4000]) s`))
	stop, err := portal.ServeMetrics(p)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	resp := trial.Must(http.Get("http://" + c.Metrics + "/metrics"))
	defer resp.Body.Close()
	body := string(trial.Must(io.ReadAll(resp.Body)))
	for _, want := range []string{"petschaft_jobs_lost 2\n", `petschaft_jobs{state="running"} 4` + "\n", `petschaft_jobs{state="available"} 0` + "\n"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing in:\n%s", want, body)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l := trial.Must(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	return l.Addr().String()
}
