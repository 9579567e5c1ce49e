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
	if len(all) != 4 || r.letters("key_report") != 4 || r.stands(t, id) != "valid" {
		t.Errorf("%d tasks, %d letters, it is %s", len(all), r.letters("key_report"), r.stands(t, id))
	}
	ok(t, r.keys.Answer(t.Context(), r.officer, all[0].ID, "Die Seite gehört dazu."))
	if err := r.keys.Answer(t.Context(), r.officer, all[0].ID, "noch einmal"); !fault.Is(err, fault.Conflict) {
		t.Errorf("twice: got %v", err)
	}
	trial.Must(r.Campus.DB.Exec(t.Context(), `update key_report set origin = '192.0.2.7'`)) // by an earlier program
	ok(t, r.keys.Forget(t.Context()))
	if n := r.Scalar(`select count(*) from key_report where origin is not null`); n != 0 {
		t.Errorf("%d reports still say from where", n)
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
