package imports_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"petschaft/internal/audit"
	"petschaft/internal/campus"
	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

func TestAnUndoneImportLeavesTheRowsAsTheyWere(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a, b := r.AddRow(t, "a", "x@uni.example"), r.LinkRow(t, r.ada, "b", "y@uni.example")
	before := fmt.Sprint(values(r.ReadRow(t, a)), values(r.ReadRow(t, b)))
	file := heads + "A;a@uni.example;y@uni.example;;functional;boss@uni.example;neu\nB;b@uni.example;x@uni.example;;personal;;\nneu;neu@uni.example;z@uni.example;;personal;;\n"
	im := r.apply(t, r.contact, r.planned(t, file))
	if im.State != imports.Applied || r.ReadRow(t, a).Kind != mailbox.Functional {
		t.Fatalf("got state %s, want it applied", im.State)
	}
	if can, stays, err := r.Imports.Undoable(t.Context(), im); can != 3 || stays != 0 || err != nil {
		t.Errorf("got %d undoable, %d staying (%v), want all 3", can, stays, err)
	}
	im = r.undo(t, im)
	if after := fmt.Sprint(values(r.ReadRow(t, a)), values(r.ReadRow(t, b))); after != before {
		t.Errorf("got\n%s\nwant\n%s", after, before)
	}
	if n := r.campus.Scalar(`select count(*) from address_row`); n != 2 || im.Stays != 0 || im.UndoneByName == nil {
		t.Errorf("got %d rows, %d staying, undone by %v; want the new row gone", n, im.Stays, im.UndoneByName)
	}
	if !*r.ReadRow(t, b).Suspended {
		t.Error("the link came back by itself: what an edit ends stays ended")
	}
	r.CountsAreTrue(t)
	lines := trial.Must(audit.Search(t.Context(), r.db, audit.Filter{Prefix: "mailbox."}, 0, 4))
	got := ""
	for _, l := range lines {
		got += l.Action + " "
	}
	if got != "mailbox.import_undone mailbox.edited mailbox.edited mailbox.deleted " {
		t.Errorf("got audit lines %s", got)
	}
	if again := r.planned(t, file); again.Changed != 2 || again.New != 1 {
		t.Errorf("the same file again: got %d changed and %d new, want 2 and 1", again.Changed, again.New)
	}
}

func values(r mailbox.Row) string {
	return fmt.Sprint(r.Kind, r.Name, r.Primary, r.Aliases, r.Applicant, r.Comment, r.Active, r.Challenged)
}

func TestWhatWasTouchedSinceStaysAndIsListed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ids := map[string]mailbox.ID{}
	var file strings.Builder
	file.WriteString(heads)
	for _, name := range []string{"edited", "off", "challenged", "gone", "alias", "free"} {
		ids[name] = r.AddRow(t, name, "old."+name+"@uni.example")
		fmt.Fprintf(&file, "%s;%s@uni.example;new.%s@uni.example;;personal;;\n", name, name, name)
	}
	file.WriteString("n;n.free@uni.example;;;personal;;\nn;n.edited@uni.example;;;personal;;\nn;n.challenged@uni.example;;;personal;;\nn;n.gone@uni.example;;;personal;;\n")
	im := r.apply(t, r.contact, r.planned(t, file.String()))
	for _, l := range trial.Must(r.Imports.Lines(t.Context(), im, imports.LineNew, 0, 10)) {
		name, _, _ := strings.Cut(l.Primary, "@")
		ids[name] = l.Row
	}
	for _, name := range []string{"edited", "n.edited"} {
		r.EditRow(t, ids[name], func(in *mailbox.Input) { in.Comment = "by hand" })
	}
	r.SwitchOff(t, ids["off"])
	r.ChallengeRow(t, ids["challenged"])
	r.ChallengeRow(t, ids["n.challenged"])
	for _, name := range []string{"gone", "n.gone"} {
		r.ok(t, r.Delete(t.Context(), r.contact, r.uni, ids[name]))
	}
	r.AddRow(t, "quick", "old.alias@uni.example")
	want := "2 edited,3 edited,4 challenged,5 gone,6 taken,9 edited,10 challenged,11 gone"
	reasons := func() string {
		var all []string
		for after := 0; ; { // in pages
			lines := trial.Must(r.Imports.Stays(t.Context(), im, after, 3))
			if len(lines) == 0 {
				return strings.Join(all, ",")
			}
			for _, l := range lines {
				all = append(all, fmt.Sprint(l.Line, " ", strings.TrimPrefix(l.Stays, "mailbox.import.stays_")))
			}
			after = lines[len(lines)-1].Line
		}
	}
	if got := reasons(); got != want {
		t.Errorf("before: got %s, want %s", got, want)
	}
	if can, stays, err := r.Imports.Undoable(t.Context(), im); can != 2 || stays != 8 || err != nil {
		t.Errorf("got %d undoable, %d staying (%v), want 2 and 8", can, stays, err)
	}
	if im = r.undo(t, im); im.Stays != 8 || reasons() != want {
		t.Errorf("after: got %d, %s; want 8, %s", im.Stays, reasons(), want)
	}
	if n := r.campus.Scalar(`select count(*) from address where address like 'new.%'`); n != 4 {
		t.Errorf("got %d new aliases, want those of the 4 rows that are there and stay", n)
	}
	if n := r.campus.Scalar(`select count(*) from address_row where primary_address like 'n.%'`); n != 2 {
		t.Errorf("got %d new rows, want the 2 that stay", n)
	}
	r.CountsAreTrue(t)
}

func TestAChainOfAliasesIsUndoneOrStaysTogether(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		taken bool
		stays int
	}{"free": {false, 0}, "taken at its end": {true, 3}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			for _, n := range []string{"1", "2", "3"} {
				r.AddRow(t, "r"+n, "a"+n+"@uni.example")
			}
			im := r.apply(t, r.contact, r.planned(t, heads+"r;r1@uni.example;b@uni.example;;personal;;\nr;r2@uni.example;a1@uni.example;;personal;;\nr;r3@uni.example;a2@uni.example;;personal;;\n"))
			if c.taken {
				r.AddRow(t, "quick", "a3@uni.example")
			}
			if im = r.undo(t, im); im.Stays != c.stays {
				t.Errorf("got %d staying, want %d", im.Stays, c.stays)
			}
			r.CountsAreTrue(t)
		})
	}
}

func TestMain(m *testing.M) {
	trial.Main(m, trial.NewPart("import", importElsewhere))
}

// importing is the import that another process of the portal works on.
type importing struct {
	Database string
	Import   imports.ID
}

func importElsewhere(ctx context.Context, i importing) error {
	db, err := postgres.Open(ctx, i.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	b, err := campus.Open(db, trial.Today, nil)
	if err != nil {
		return err
	}
	work := &imports.Book{DB: db, Mailbox: b.Mailbox, Queue: b.Queue, Now: trial.Today}
	return work.Work(ctx, i.Import)
}

// TestAProcessKilledWhileItAppliesLeavesNothing kills a real process (SIGKILL)
// that has written all rows and is about to end its transaction.
func TestAProcessKilledWhileItAppliesLeavesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	db, url := r.db, r.campus.URL
	old := r.AddRow(t, "old")
	im := r.planned(t, heads+"Neu;old@uni.example;;;personal;;\nneu;neu@uni.example;;;personal;;\n")
	trial.Must(r.Imports.Apply(t.Context(), r.contact, r.uni, im.ID, 1))
	// Whoever deletes the file's pieces waits here, with everything written.
	block, err := db.Begin(t.Context())
	r.ok(t, err)
	defer block.Rollback(t.Context())
	_, err = block.Exec(t.Context(), `select from import_chunk where import = $1 for update`, im.ID)
	r.ok(t, err)
	c := trial.NewChild(t, "import", importing{url, im.ID})
	waits := func() int {
		return r.campus.Scalar(`select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like 'delete from import_chunk%'`)
	}
	trial.Until(t, "the other process writes", func() bool { return waits() == 1 })
	c.Kill()
	r.ok(t, block.Rollback(t.Context()))
	trial.Until(t, "its session ends", func() bool {
		return r.campus.Scalar(`select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`) == 0
	})
	if n := r.campus.Scalar(`select count(*) from address_row`); n != 1 || r.ReadRow(t, old).Name != "old" || r.imp(t, r.contact, r.uni, im.ID).State != imports.Applying {
		t.Errorf("after the kill: got %d rows, name %q, want nothing written", n, r.ReadRow(t, old).Name)
	}
	if n := r.campus.Scalar(`select count(*) from audit_line where action in ('mailbox.imported', 'mailbox.edited')`); n != 0 {
		t.Errorf("after the kill: got %d audit lines of the import", n)
	}
	jobs := func() int {
		return r.campus.Scalar(`select count(*) from river_job where kind = 'mailbox_import' and args->>'import' = $1`, fmt.Sprint(im.ID))
	}
	first := jobs()
	r.ok(t, r.Imports.Tick(t.Context()))
	if jobs() != first {
		t.Error("the work was queued again at once, while its job may still wait its turn")
	}
	_, err = db.Exec(t.Context(), `delete from river_job`) // the dead process had taken the job
	r.ok(t, err)
	r.clock.Advance(10 * time.Second)
	r.ok(t, r.Imports.Tick(t.Context()))
	r.work(t) // another process finds what the tick queued
	trial.Until(t, "the import is applied", func() bool { return r.imp(t, r.contact, r.uni, im.ID).State == imports.Applied })
	if n := r.campus.Scalar(`select count(*) from address_row`); n != 2 || r.ReadRow(t, old).Name != "Neu" {
		t.Errorf("got %d rows and name %q, want it applied once", n, r.ReadRow(t, old).Name)
	}
	if n := r.campus.Scalar(`select tries from import where id = $1`, im.ID); n != 0 {
		t.Errorf("got %d tries left over, want 0", n)
	}
}
