package site_test

import (
	"net/http"
	"testing"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/mail"
	"petschaft/internal/trial"
)

// TestFailedMailsAndJobsInABrowser looks at what was given up, what is tried
// again, and what was lost.
func TestFailedMailsAndJobsInABrowser(t *testing.T) {
	t.Parallel()
	s := newSight(t, "de")
	for range 4 {
		trial.Must(0, s.DB.Tx(t.Context(), func(tx pgx.Tx) error {
			return s.Outbox.Post(t.Context(), tx, mail.DeclinedWords{
				To: "netz-und-kommunikation@uni.example", Row: "ada", Address: "a@uni.example", By: "Bob", At: s.Clock.Now(), Link: s.Base,
			})
		}))
	}
	trial.Must(s.Pool.Exec(t.Context(), `update letter set state = 'failed', answer = '452 4.2.2 mailbox full, try again later', done = now() where id = 1`))
	trial.Must(s.Pool.Exec(t.Context(), `update river_job set attempt = 3, attempted_at = now() - interval '80 seconds',
		errors = array['{"at": "2026-11-22T09:00:00Z", "attempt": 3, "error": "letter 2: dial tcp 10.0.0.9:25: connect: connection refused", "trace": ""}'::jsonb],
		state = (array['running', 'retryable', 'discarded', 'running'])[id]::river_job_state, scheduled_at = now() + interval '5 minutes',
		kind = (array['cert_list', 'mail_deliver', 'mail_deliver', 'order_issue'])[id], finalized_at = case id when 3 then now() end`))
	s.look("rita", "office-mail-failed", "/office/mail", http.StatusOK)
	s.page("rita").Await(s.say("office.job_lost"))
}
