package imports_test

import (
	"testing"
	"time"
)

// TestAnImportMayTakeItsTime: a job that works on a large file in a living
// process is not taken for lost.
func TestAnImportMayTakeItsTime(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.planned(t, heads+"Neu;neu@uni.example;;;personal;;\n")
	_, err := r.db.Exec(t.Context(), `update river_job set state = 'running', attempt = 1, attempted_at = now() - make_interval(secs => $1) where kind = 'mailbox_import'`,
		(14 * time.Minute).Seconds())
	r.ok(t, err)
	if _, lost, err := r.Queue.Counts(t.Context()); lost != 0 || err != nil {
		t.Errorf("got %d lost jobs (%v), want none while the import may take 15 minutes", lost, err)
	}
	_, err = r.db.Exec(t.Context(), `update river_job set attempted_at = attempted_at - interval '2 minutes' where kind = 'mailbox_import'`)
	r.ok(t, err)
	if _, lost, err := r.Queue.Counts(t.Context()); lost != 1 || err != nil {
		t.Errorf("got %d lost jobs (%v), want the import when its time is over", lost, err)
	}
}
