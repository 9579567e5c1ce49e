package handover_test

import (
	"fmt"
	"strings"
	"testing"

	"petschaft/internal/handover"
)

// TestOneOrganisationThatFailsKeepsNoOtherWaiting: what is wrong with it is said,
// and the offers after it end all the same.
func TestOneOrganisationThatFailsKeepsNoOtherWaiting(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	made := r.offerTo(t, r.ada, r.garden, r.library)
	for _, sql := range []string{
		`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$`,
		fmt.Sprintf(`create trigger refuse before update on handover for each row when (old.id = %d) execute function refuse()`, made[0].ID),
	} {
		_, err := r.db.Exec(t.Context(), sql)
		r.ok(t, err)
	}
	r.clock.Advance(handover.Life)
	if err := r.Tick(t.Context()); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v, want what is wrong with the first organisation", err)
	}
	r.is(t, made[0].ID, handover.Offered)
	r.is(t, made[1].ID, handover.Expired)
}
