package earlier_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"petschaft/internal/earlier"
	"petschaft/internal/mailbox"
	"petschaft/internal/trial"
)

// TestOddCertificatesAreTakenAndRemindedOf: those that other programs read, in
// every file people have them in.
func TestOddCertificatesAreTakenAndRemindedOf(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.clock.Set(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)) // the files are of then
	r.campus.Organisation("Institut", r.bob)
	trial.Must(r.Mailbox.Add(t.Context(), r.stranger, "institut.example", mailbox.Input{Kind: mailbox.Personal, Name: "O’Brien, Mary", Primary: "mary.obrien@institut.example"}))
	var files []earlier.File
	for _, name := range []string{"51-old-all.pem", "50c-old.p7b"} {
		files = append(files, earlier.File{Name: name, Content: trial.Must(os.ReadFile(filepath.Join("..", "pki", "testdata", name)))})
	}
	id, err := r.Earlier.Upload(t.Context(), r.officer, files, nil)
	r.ok(t, err)
	_, lines, err := r.Earlier.Plan(t.Context(), r.officer, id)
	r.ok(t, err)
	odd := 0
	for _, l := range lines {
		if l.State == earlier.LineFaulty {
			t.Errorf("%s: got %s, want it taken", l.Source, l.Fault)
			continue
		}
		if good := l.Server && (strings.HasPrefix(l.DNS[0], "good") || strings.HasPrefix(l.DNS[0], "dst-")); good != (len(l.Odd) == 0) {
			t.Errorf("%s: got %v said of it, want something just of odd ones", l.Source, l.Odd)
		}
		owner := earlier.Owner{Organisation: "Institut"}
		if l.Mail {
			owner = earlier.Owner{Holder: "adler@people.example"}
		}
		r.ok(t, r.Earlier.Assign(t.Context(), r.officer, id, l.Line, owner))
		odd += min(1, len(l.Odd))
	}
	if len(lines) != 14 || odd != 10 {
		t.Errorf("got %d certificates, of which %d are odd, want 14 and 10", len(lines), odd)
	}
	r.applyImport(t, id, 14)
	if got := r.planned(t, r.again(t, files)); !slices.Equal(got, slices.Repeat([]string{"known"}, 14)) {
		t.Errorf("uploaded again: got %v, want all known", got)
	}
	slices.SortFunc(lines, func(a, b earlier.Line) int { return a.NotAfter.Compare(b.NotAfter) })
	for _, l := range lines {
		if days := l.NotAfter.Sub(r.Now()); days > 20*day {
			r.clock.Advance(days - 20*day)
			r.ok(t, r.Remind(t.Context()))
		}
	}
	if n := r.campus.Scalar(`select count(distinct r.certificate) from reminder r join certificate c on c.id = r.certificate where c.imported = $1`, id); n != 14 {
		t.Errorf("got reminders of %d, want of all 14", n)
	}
}

func (r *rig) again(t testing.TB, files []earlier.File) earlier.ID {
	t.Helper()
	id, err := r.Earlier.Upload(t.Context(), r.officer, files, nil)
	r.ok(t, err)
	return id
}
