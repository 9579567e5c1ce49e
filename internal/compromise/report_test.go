package compromise_test

import (
	"encoding/hex"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/compromise"
	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

func TestTheWordOfAHolderEndsWhatTheyMayRevokeAndTheRestIsATaskForADay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := newKey()
	first := r.server(t, key, r.institute, "www.uni.example")
	one, two := r.record(t, first), r.record(t, r.server(t, key, r.institute, "neu.uni.example"))
	foreign := r.record(t, r.server(t, key, r.faculty, "fak.uni.example"))
	his := r.record(t, r.mailbox(t, key, r.bob, "bob@uni.example"))
	o := trial.Must(r.keys.Others(t.Context(), r.tina, one))
	if len(o.Falling) != 1 || o.Falling[0].ID != two || o.Waiting != 2 {
		t.Fatalf("the page says before that %d fall and %d wait", len(o.Falling), o.Waiting)
	}
	ok(t, r.Book.RevokeServer(t.Context(), r.tina, first.Reference, pki.KeyCompromise))
	if got := r.stands(t, one) + r.stands(t, two) + r.stands(t, foreign) + r.stands(t, his); got != "11validvalid" {
		t.Errorf("got %s", got)
	}
	all := trial.Must(r.keys.OpenReports(t.Context(), r.officer))
	if len(all) != 1 || !all[0].Word || all[0].ByName != "Tina" || all[0].Key != digest(key) || !all[0].Due.Equal(r.Clock.Now().Add(24*time.Hour)) {
		t.Fatalf("officers have %+v", all)
	}
	if n := r.letters("key_report"); n != 1 {
		t.Errorf("%d letters to officers, want one", n)
	}
	if n := r.Scalar(`select count(*) from blocked_key`); n != 0 {
		t.Error("a mere word blocked the key for good")
	}
	ok(t, r.Book.Revoke(t.Context(), r.bob, his, pki.KeyCompromise)) // the task is there already
	if all := trial.Must(r.keys.OpenReports(t.Context(), r.officer)); len(all) != 1 {
		t.Errorf("%d tasks, want one", len(all))
	}
	trial.Must(r.keys.Fall(t.Context(), r.officer, digest(key), "stimmt"))
	if all := trial.Must(r.keys.OpenReports(t.Context(), r.officer)); len(all) != 0 || r.stands(t, foreign) != "1" {
		t.Errorf("%d tasks are left; the other organisation's is %s", len(all), r.stands(t, foreign))
	}
}

func TestAnotherReasonLeavesTheOthersOfTheKey(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := newKey()
	first := r.server(t, key, r.institute, "www.uni.example")
	r.record(t, first)
	two := r.record(t, r.server(t, key, r.institute, "neu.uni.example"))
	ok(t, r.Book.RevokeServer(t.Context(), r.tina, first.Reference, pki.Superseded))
	if got := r.stands(t, two); got != "valid" {
		t.Errorf("it is %s", got)
	}
	if all := trial.Must(r.keys.OpenReports(t.Context(), r.officer)); len(all) != 0 {
		t.Errorf("officers have %+v", all)
	}
}

func TestAnybodyReportsACertificateByWhatTheyHaveOfIt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	i := r.server(t, newKey(), r.institute, "www.uni.example")
	id := r.record(t, i)
	c := i.Certificate
	sum := trial.Must(r.Book.Server(t.Context(), r.officer, i.Reference)).Fingerprint
	issuer := trial.Must(pki.NameText(c.Issuer))
	for what, s := range map[string]compromise.Sought{
		"PEM":              {Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.DER}))},
		"fingerprint":      {Certificate: strings.ToUpper(hex.EncodeToString(sum))},
		"serial":           {Serial: hex.EncodeToString(c.Serial), Issuer: issuer},
		"serial in colons": {Serial: pki.Colons(c.Serial), Issuer: issuer},
	} {
		reference, err := r.keys.Report(t.Context(), nobody, home, compromise.Telling{Sought: s, Reason: pki.PrivilegeWithdrawn, Words: "Falsche Seite."})
		if err != nil || reference == "" {
			t.Errorf("%s: got %q, %v", what, reference, err)
		}
	}
	all := trial.Must(r.keys.OpenReports(t.Context(), r.officer))
	for _, x := range all {
		if x.Certificate == nil || *x.Certificate != id || x.Word || x.Called != i.Reference || !x.Server {
			t.Errorf("got %+v", x)
		}
	}
	if len(all) != 4 || r.letters("key_report") != 1 || r.stands(t, id) != "valid" {
		t.Errorf("%d tasks, %d letters, it is %s", len(all), r.letters("key_report"), r.stands(t, id))
	}
	ok(t, r.keys.Answer(t.Context(), r.officer, all[0].ID, "Die Seite gehört dazu."))
	if err := r.keys.Answer(t.Context(), r.officer, all[0].ID, "noch einmal"); !fault.Is(err, fault.Conflict) {
		t.Errorf("twice: got %v", err)
	}
}

// TestAFloodOfReportsIsOneLetterAnHour: the first is told at once, the others together.
func TestAFloodOfReportsIsOneLetterAnHour(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	i := r.server(t, newKey(), r.institute, "www.uni.example")
	r.record(t, i)
	in := compromise.Telling{Sought: compromise.Sought{Serial: pki.Colons(i.Certificate.Serial)}, Reason: pki.PrivilegeWithdrawn, Words: "Falsche Seite."}
	for _, by := range []person.Actor{r.ada, r.bob, r.tina, r.theo, nobody} {
		for range 5 {
			trial.Must(r.keys.Report(t.Context(), by, home, in))
			r.Clock.Advance(time.Minute)
		}
	}
	ok(t, r.keys.TellReports(t.Context()))
	if one, many := r.letters("key_report"), r.letters("key_reports"); one != 1 || many != 0 {
		t.Errorf("%d letters about one and %d about many within the hour, want one and none", one, many)
	}
	all := trial.Must(r.keys.OpenReports(t.Context(), r.officer))
	ok(t, r.keys.Answer(t.Context(), r.officer, all[1].ID, "Geprüft.")) // nobody needs to hear of it any more
	r.Clock.Advance(time.Hour)
	for range 2 {
		ok(t, r.keys.TellReports(t.Context()))
	}
	if one, many := r.letters("key_report"), r.letters("key_reports"); one != 1 || many != 1 {
		t.Fatalf("%d letters about one and %d about many after the hour, want one each", one, many)
	}
	if n := r.Scalar(`select (words->>'Reports')::int from letter where kind = 'key_reports'`); n != 23 {
		t.Errorf("it tells of %d, want the 23 that are open and untold", n)
	}
	r.Clock.Advance(2 * time.Hour)
	ok(t, r.keys.TellReports(t.Context()))
	trial.Must(r.keys.Report(t.Context(), r.ada, home, in))
	if one, many := r.letters("key_report"), r.letters("key_reports"); one != 2 || many != 1 {
		t.Errorf("in quieter hours %d letters about one and %d about many, want two and one", one, many)
	}
}

func TestTasksCountReportsAndDoNotReadThem(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	now := r.Clock.Now()
	trial.Must(r.Campus.DB.Exec(t.Context(), `insert into key_report (reference, key, word, reason, created, due)
		select 'R' || n, '\x00', false, 0, $1, $1::timestamptz + (n - 150) * interval '1 minute' from generate_series(1, 2000) n`, now))
	w := trial.Must(r.keys.Waiting(t.Context(), r.officer))
	want := compromise.Waiting{Overdue: 149, Open: 1000, Since: now.Add(-149 * time.Minute), Due: now}
	if w.Overdue != want.Overdue || w.Open != want.Open || !w.Since.Equal(want.Since) || !w.Due.Equal(want.Due) {
		t.Errorf("got %+v, want %+v", w, want)
	}
	if _, err := r.keys.Waiting(t.Context(), r.tina); !fault.Is(err, fault.Denied) {
		t.Errorf("a technical contact: got %v, want denied", err)
	}
}

func TestAReportThatNamesNothingSaysBesideWhichFieldItIsWrong(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	good := compromise.Telling{Reason: pki.KeyCompromise, Words: "x"}
	for want, change := range map[string]func(*compromise.Telling){
		"compromise.sought.none":    func(*compromise.Telling) {},
		"compromise.sought.serial":  func(in *compromise.Telling) { in.Serial = "xyz" },
		"compromise.sought.unknown": func(in *compromise.Telling) { in.Serial = "01" },
		"compromise.key.digest":     func(in *compromise.Telling) { in.Certificate = "abc" },
		"field.required":            func(in *compromise.Telling) { in.Words = " " },
		"field.too_long":            func(in *compromise.Telling) { in.Words = strings.Repeat("ä", 4001) },
		"compromise.report.email":   func(in *compromise.Telling) { in.Email = "kein" },
		"pki.csr.private_key": func(in *compromise.Telling) {
			in.Certificate = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"
		},
	} {
		in := good
		change(&in)
		_, err := r.keys.Report(t.Context(), nobody, home, in)
		campus.Wants(t, err, want)
	}
	if n := r.Scalar(`select count(*) from key_report`); n != 0 {
		t.Errorf("%d reports", n)
	}
}

// TestNobodyKeepsAPrivateKeyThatWasPastedIntoWords: neither the words of a report nor
// those of an officer are kept with one in them.
func TestNobodyKeepsAPrivateKeyThatWasPastedIntoWords(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := newKey()
	i := r.server(t, key, r.institute, "www.uni.example")
	id := r.record(t, i)
	pasted := "Der hier:\n-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\nliegt offen da."
	in := compromise.Telling{Sought: compromise.Sought{Serial: pki.Colons(i.Certificate.Serial)}, Reason: pki.KeyCompromise, Words: pasted}
	_, err := r.keys.Report(t.Context(), nobody, home, in)
	campus.Wants(t, err, "pki.csr.private_key")
	in.Words = "Er liegt offen da."
	trial.Must(r.keys.Report(t.Context(), r.bob, home, in))
	x := trial.Must(r.keys.OpenReports(t.Context(), r.officer))[0]
	campus.Wants(t, r.keys.Answer(t.Context(), r.officer, x.ID, pasted), "pki.csr.private_key")
	_, err = r.keys.Fall(t.Context(), r.officer, digest(key), pasted)
	campus.Wants(t, err, "pki.csr.private_key")
	if got := r.stands(t, id); got != "valid" {
		t.Errorf("it is %s", got)
	}
	if n := r.Scalar(`select count(*) from audit_line where action = 'compromise.reported' and origin is not null`); n != 0 {
		t.Error("the audit line says for good from where the report came")
	}
}
