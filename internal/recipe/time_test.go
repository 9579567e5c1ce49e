package recipe_test

import (
	"testing"

	"petschaft/internal/pki"
	"petschaft/internal/recipe"
	"petschaft/internal/trial"
)

// The start and each step of recipes, with a clock that jumps between two
// readings.
func TestAnOperationReadsTheClockOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	r.Cert.Outbox.Now = trial.Today // a letter has the time from which the outbox is patient
	var id recipe.ID
	do := func(step recipe.Step, in recipe.Input) {
		t.Helper()
		in.Version, in.Reason = trial.Must(r.One(ctx, r.nora, id)).Row.Version, pki.AffiliationChanged
		r.clock.Once(t, string(step), func() error { return r.Do(ctx, r.nora, id, step, in) })
	}
	begin := func(k recipe.Kind, name, primary, applicant string) {
		t.Helper()
		row := r.add(name, primary, applicant)
		r.link(row, r.ada)
		r.issue(row, r.ada)
		r.clock.Once(t, "start", func() (err error) { id, err = r.Start(ctx, r.nora, uni, row, k); return err })
	}
	begin(recipe.Reuse, "Adler, Ada", "ada@uni.example", "")
	do(recipe.Deactivate, recipe.Input{})
	do(recipe.Revoke, recipe.Input{})
	do(recipe.Name, recipe.Input{Name: "Bach, Bob"})
	do(recipe.Activate, recipe.Input{})
	do(recipe.Challenge, recipe.Input{})
	r.wantStands(id, "+deactivate +revoke +name +activate +challenge finished")

	begin(recipe.Applicant, "Pforte", "pforte@uni.example", "ada@uni.example")
	do(recipe.Deactivate, recipe.Input{})
	do(recipe.NewApplicant, recipe.Input{Applicant: "bob@uni.example"})
	r.clock.Once(t, "leave out", func() error { return r.Skip(ctx, r.nora, id, recipe.Revoke) })
	begin(recipe.RenameNew, "Dorn, Dora", "dorn@uni.example", "")
	do(recipe.Deactivate, recipe.Input{})
	do(recipe.Revoke, recipe.Input{})
	do(recipe.NewRow, recipe.Input{Name: "Distel, Dora", Primary: "distel@uni.example"})
	r.clock.Once(t, "cancel", func() error { return r.Cancel(ctx, r.nora, id) })
	var apart int
	err := r.db.QueryRow(ctx, `select count(*) from recipe p where p.outcome <> 'open' and not exists (select from audit_line a where a.at = p.ended)
		or not exists (select from audit_line a where a.at = p.started)`).Scan(&apart)
	if err != nil || apart != 0 {
		t.Errorf("%d recipes (%v) began or ended at another time than their line says", apart, err)
	}
}
