package mailbox_test

import (
	"errors"
	"testing"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/pgtest"
	"petschaft/internal/trial"
)

func TestAPatchFindsTheOrderInWhichItsPartsGo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx := t.Context()
	row := trial.Must(r.Add(ctx, r.contact, r.uni, mailbox.Input{Kind: mailbox.Functional, Name: "Amt", Primary: "amt@uni.example", Applicant: "ada@uni.example", Aliases: []string{"post@uni.example"}})).ID
	trial.Must(r.Challenge(ctx, r.contact, r.uni, row))
	off, on, other := false, true, "bob@uni.example"
	_, err := r.Patch(ctx, r.contact, r.uni, row, nil, mailbox.Patch{Applicant: &other})
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("an active, challenged row got another applicant: %v", err)
	}
	got, err := r.Patch(ctx, r.contact, r.uni, row, nil, mailbox.Patch{Applicant: &other, Active: &off})
	if err != nil || got.Active || string(got.Applicant) != other {
		t.Errorf("deactivated with another applicant: got %+v, %v", got, err)
	}
	r.AddRow(t, "neu", "post@uni.example")
	if _, err := r.Patch(ctx, r.contact, r.uni, row, nil, mailbox.Patch{Active: &on}); !fault.Is(err, fault.Conflict) {
		t.Errorf("activated although another row has its alias: %v", err)
	}
	got, err = r.Patch(ctx, r.contact, r.uni, row, nil, mailbox.Patch{Active: &on, Aliases: []string{}})
	if err != nil || !got.Active || len(got.Aliases) > 0 {
		t.Errorf("activated without the alias that is in the way: got %+v, %v", got, err)
	}
}

func TestAPatchThatChangesNothingWritesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada", "a@uni.example")
	before, lines := r.ReadRow(t, id), r.campus.Scalar(`select count(*) from audit_line`)
	on, name, comment := true, before.Name, ""
	got, err := r.Patch(t.Context(), r.contact, r.uni, id, mailbox.Versions{before.Version}, mailbox.Patch{Active: &on, Name: &name, Comment: &comment, Aliases: []string{"A@uni.example"}})
	if err != nil || got.Version != before.Version+1 { // the case of the alias is a change
		t.Errorf("got version %d, %v, want %d", got.Version, err, before.Version+1)
	}
	got, err = r.Patch(t.Context(), r.contact, r.uni, id, mailbox.Versions{got.Version}, mailbox.Patch{Active: &on, Name: &name, Comment: &comment})
	if err != nil || got.Version != before.Version+1 {
		t.Errorf("got version %d, %v, want nothing to happen", got.Version, err)
	}
	if n := r.campus.Scalar(`select count(*) from audit_line`); n != lines+1 {
		t.Errorf("there are %d new audit lines, want 1", n-lines)
	}
}

func TestAnotherVersionIsNeitherPatchedNorDeleted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada")
	off := false
	for _, vs := range []mailbox.Versions{{}, {2}, {0, 7}} {
		if _, err := r.Patch(t.Context(), r.contact, r.uni, id, vs, mailbox.Patch{Active: &off}); !errors.Is(err, mailbox.ErrChanged) {
			t.Errorf("patch of %v: got %v", vs, err)
		}
		if err := r.DeleteVersion(t.Context(), r.contact, r.uni, id, vs); !errors.Is(err, mailbox.ErrChanged) {
			t.Errorf("delete of %v: got %v", vs, err)
		}
	}
	if err := r.DeleteVersion(t.Context(), r.contact, r.uni, id, mailbox.Versions{7, 1}); err != nil {
		t.Errorf("delete of the version that it has: %v", err)
	}
}

func TestWhoMayNotEditDoesNotPatch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada")
	if _, err := r.Patch(t.Context(), r.officer, r.uni, id, nil, mailbox.Patch{}); !fault.Is(err, fault.Denied) {
		t.Errorf("an officer: got %v, want denied", err)
	}
	if _, err := r.Patch(t.Context(), r.stranger, r.uni, id, nil, mailbox.Patch{}); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger: got %v, want missing", err)
	}
}

func TestRowsThatHoldAnAddressComeFromOneQuery(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := r.AddRow(t, "ada", "post@uni.example")
	trial.Must(0, r.Deactivate(t.Context(), r.contact, r.uni, first))
	second := r.AddRow(t, "bob", "post@uni.example")
	asked := pgtest.Queries(t, r.db)
	found, err := r.Holding(t.Context(), r.contact, "POST@uni.example")
	if err != nil || len(found) != 2 || found[0].ID != second || found[1].ID != first {
		t.Errorf("got %v, %v, want the active row %d and then %d", found, err, second, first)
	}
	if n := asked(); n != 1 {
		t.Errorf("it took %d queries, want 1", n)
	}
	if found, err := r.Holding(t.Context(), r.stranger, "post@uni.example"); err != nil || len(found) > 0 {
		t.Errorf("a stranger found %v, %v", found, err)
	}
}
