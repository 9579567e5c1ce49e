package site_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"petschaft/internal/trial"
)

// TestRefusedMailInABrowser looks at the pages that tell of it, and of links that
// want a look.
func TestRefusedMailInABrowser(t *testing.T) {
	t.Parallel()
	s := newSight(t, "de")
	linked := s.LinkRow("vera.voss", "bob", "v.voss@uni.example")
	doubtful := fmt.Sprintf("/email-domains/uni.example/rows/%d", linked)
	trial.Must(s.Pool.Exec(t.Context(), `update link set doubtful = true where row_id = $1`, linked))
	trial.Must(s.Pool.Exec(t.Context(), `update address_row set doubtful = true where id = $1`, linked))
	_, waits := s.Add("ada.adler", "ada@uni.example")
	nora := s.As("nora")
	_, unsent := s.Add("carla.curie")
	nora.Post(unsent + "/challenges").Is(http.StatusSeeOther)
	trial.Must(s.Pool.Exec(t.Context(), `update challenge set state = 'failed', unsent = true, attempts = 27, ended = $1,
		answer = '5.5.2 <vm>: Helo command rejected: need fully-qualified hostname' where recipient like 'carla%'`, s.Clock.Now()))
	trial.Must(s.Pool.Exec(t.Context(), `update challenge_round set outcome = 'unsent', ended = $1 where outcome = 'open'`, s.Clock.Now()))
	trial.Must(s.Pool.Exec(t.Context(), `update address_row set status = 'none' where status = 'open'`))
	nora.Post(waits + "/challenges").Is(http.StatusSeeOther)
	trial.Must(s.Pool.Exec(t.Context(), `insert into mail_hold (since, next, door, code, answer)
		values ($1, $2, true, '5.7.1', '5.7.1 <bounce@uni.example>: Sender address rejected: not owned by user portal')`,
		s.Clock.Now().Add(-time.Hour), s.Clock.Now().Add(3*time.Minute)))
	s.look("nora", "refused-table", "/email-domains/uni.example", http.StatusOK)
	s.look("nora", "refused-filter", "/email-domains/uni.example?doubtful=1", http.StatusOK)
	s.look("nora", "refused-doubtful", doubtful, http.StatusOK)
	s.look("nora", "refused-check", doubtful+"/check-link", http.StatusOK)
	s.look("nora", "refused-held", waits, http.StatusOK)
	s.look("nora", "refused-unsent", unsent, http.StatusOK)
	s.look("rita", "refused-office", "/office/mail", http.StatusOK)
	s.look("rita", "refused-start", "/", http.StatusOK)
}
