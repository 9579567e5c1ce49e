package imports_test

import (
	"fmt"
	"testing"

	"petschaft/internal/imports"
	"petschaft/internal/trial"
)

// TestPassingTroubleIsNoAttemptAtAnImport: a database that is full for a while,
// or whose connections are cut, burns no order.
func TestPassingTroubleIsNoAttemptAtAnImport(t *testing.T) {
	t.Parallel()
	for name, what := range map[string]string{
		"the disk is full": `raise exception 'full' using errcode = '53100'`,
		"the disk fails":   `raise exception 'broken' using errcode = '58030'`,
		"it is cut":        `perform pg_terminate_backend(pg_backend_pid())`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			im := r.planned(t, heads+"neu;neu@uni.example;;;personal;;\n")
			trial.Must(r.Imports.Apply(t.Context(), r.contact, r.uni, im.ID, 0))
			const troubles = 12
			_, err := r.db.Exec(t.Context(), fmt.Sprintf(`create sequence trouble;
				create function trouble() returns trigger language plpgsql as $$ begin
					if nextval('trouble') <= %d then %s; end if;
					return new;
				end $$;
				create trigger trouble before insert on address_row for each row execute function trouble()`, troubles, what))
			r.ok(t, err)
			failed := 0
			trial.Until(t, "the import is applied or fails once too often", func() bool {
				if err := r.Imports.Work(t.Context(), im.ID); err != nil {
					failed++
				}
				im = r.imp(t, r.contact, r.uni, im.ID) // a session that was cut keeps its lock until it has died
				return failed > troubles || im.State == imports.Applied
			})
			if im = r.imp(t, r.contact, r.uni, im.ID); failed != troubles || im.State != imports.Applied || im.Trouble != "" {
				t.Errorf("got %d failures, state %s, trouble %q; want %d, and then the import applied", failed, im.State, im.Trouble, troubles)
			}
		})
	}
}
