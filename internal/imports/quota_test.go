package imports_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"petschaft/internal/campus"
	"petschaft/internal/imports"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

const smallFile = "E-Mail;Name;Typ\nx@uni.example;X;personal\n"

func (r *rig) send(t testing.TB, by person.Actor, domain string) (imports.ID, error) {
	return r.Imports.Upload(t.Context(), by, domain, "x.csv", strings.NewReader(smallFile))
}

func (r *rig) state(t testing.TB, domain string, id imports.ID) imports.State {
	t.Helper()
	return trial.Must(r.Imports.One(t.Context(), r.officer, domain, id)).State
}

// One person's files that nobody applies, one after the other: five stay.
func TestAnotherImportTakesThePlaceOfTheOldestThatNobodyApplied(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var ids []imports.ID
	for range 30 {
		ids = append(ids, trial.Must(r.send(t, r.contact, r.uni)))
	}
	for i, id := range ids {
		want := imports.Discarded
		if i >= len(ids)-imports.MostOpen {
			want = imports.Uploaded
		}
		if got := r.state(t, r.uni, id); got != want {
			t.Errorf("import %d of %d is %s, want %s", i+1, len(ids), got, want)
		}
	}
	if n := r.campus.Scalar(`select count(distinct import) from import_chunk`); n != imports.MostOpen {
		t.Errorf("got the files of %d imports, want %d", n, imports.MostOpen)
	}
	if n := r.campus.Scalar(`select count(*) from audit_line where action = 'mailbox.import_discarded' and detail::text like '%mailbox.import.replaced%'`); n != 25 {
		t.Errorf("got %d lines about those that went, want 25", n)
	}
	// Another domain of the same person has a place of its own, and so has another person.
	trial.Must(r.send(t, r.contact, r.labs))
	if got := r.state(t, r.uni, ids[len(ids)-imports.MostOpen]); got != imports.Uploaded {
		t.Errorf("an import elsewhere took a place here: %s", got)
	}
}

// A file that cannot be read takes nobody's place.
func TestAWrongFileTakesNobodysPlace(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := trial.Must(r.send(t, r.contact, r.uni))
	for range imports.MostOpen - 1 {
		trial.Must(r.send(t, r.contact, r.uni))
	}
	_, err := r.Imports.Upload(t.Context(), r.contact, r.uni, "x.csv", strings.NewReader("%PDF-1.7\n"))
	if err == nil {
		t.Fatal("a PDF was taken")
	}
	if got := r.state(t, r.uni, first); got != imports.Uploaded {
		t.Errorf("the oldest is %s, want it as it was", got)
	}
}

// What is worked on is not thrown away: one more is refused before it is read.
func TestAnImportThatIsWorkedOnKeepsItsPlace(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range imports.MostOpen {
		trial.Must(r.send(t, r.contact, r.uni))
	}
	trial.Must(r.db.Exec(t.Context(), `update import set state = 'planning'`))
	_, err := r.Imports.Upload(t.Context(), r.contact, r.uni, "x.csv", unread{t})
	campus.Wants(t, err, "mailbox.import.open")
	if n := r.campus.Scalar(`select count(*) from import`); n != imports.MostOpen {
		t.Errorf("got %d imports, want %d", n, imports.MostOpen)
	}
}

// unread is a file that nobody may read.
type unread struct{ t testing.TB }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the file was read")
	return 0, io.EOF
}

func TestOnePersonAndOneDomainHoldAHundredMebibytes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, domain := range []string{r.uni, r.labs} {
		for range 2 {
			trial.Must(r.send(t, r.contact, domain))
		}
	}
	trial.Must(r.db.Exec(t.Context(), `update import set bytes = 20 << 20`))
	trial.Must(r.send(t, r.contact, r.uni))
	trial.Must(r.db.Exec(t.Context(), `update import set bytes = 20 << 20`))
	_, err := r.Imports.Upload(t.Context(), r.contact, r.labs, "x.csv", unread{t})
	campus.Wants(t, err, "mailbox.import.space")
	trial.Must(r.db.Exec(t.Context(), `update import set account = $1, domain = $2`, r.ada.Account, r.uniID))
	_, err = r.Imports.Upload(t.Context(), r.contact, r.uni, "x.csv", unread{t})
	campus.Wants(t, err, "mailbox.import.space_domain")
	trial.Must(r.db.Exec(t.Context(), `update import set state = 'discarded'`))
	trial.Must(r.send(t, r.contact, r.uni))
}

// Fifty at once never hold more than five, whose bytes are counted before they
// come.
func TestFiftyUploadsAtOnceFindRoomForFive(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	gate, reading := make(chan struct{}), make(chan struct{}, 50)
	done := make(chan map[string]int)
	go func() {
		done <- trial.Race(50, campus.Said, func(i int) error {
			domain := []string{r.uni, r.labs}[i%2]
			_, err := r.Imports.Upload(t.Context(), r.contact, domain, fmt.Sprint(i, ".csv"), io.MultiReader(&waiting{gate, reading}, strings.NewReader(smallFile)))
			return err
		})
	}()
	for range imports.MostOpen {
		<-reading
	}
	trial.Until(t, "all others were refused", func() bool { return r.campus.Scalar(`select count(*) from import`) == imports.MostOpen })
	close(gate)
	got := <-done
	if got[""] < imports.MostOpen || got[""]+got["mailbox.import.open"]+got["mailbox.import.space"] != 50 {
		t.Errorf("got %v, want five or more taken and all others told why not", got)
	}
	if n := r.campus.Scalar(`select count(*) from import where domain = $1 and state = 'uploaded'`, r.uniID); n > imports.MostOpen {
		t.Errorf("got %d open imports in one domain, want at most %d", n, imports.MostOpen)
	}
	if n := r.campus.Scalar(`select count(*) from import where state = 'uploading'`); n != 0 {
		t.Errorf("%d uploads were left", n)
	}
}

// waiting is a slow sender's nothing.
type waiting struct {
	gate    chan struct{}
	reading chan struct{}
}

func (w *waiting) Read([]byte) (int, error) {
	w.reading <- struct{}{}
	<-w.gate
	return 0, io.EOF
}
