package audit_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"petschaft/internal/audit"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

// kindOf is where verify says that a record is broken.
func kindOf(err error) audit.Kind {
	if b, ok := errors.AsType[*audit.Break](err); ok {
		return b.Kind
	}
	return ""
}

// anchor is the newest seal of db, noted elsewhere.
func anchor(t testing.TB, db *postgres.DB) *audit.Anchor {
	t.Helper()
	r := trial.Must(audit.Verify(t.Context(), db, audit.Expected{}))
	return &r.End
}

// rounds is a database whose lines came in batches of two.
func rounds(t testing.TB, batches int) *postgres.DB {
	t.Helper()
	db := pgtest.New(t)
	b := book(t, db)
	for i := range batches {
		write(t, db, line(2*i+1), line(2*i+2))
		trial.Must(b.Seal(t.Context()))
	}
	return db
}

// reseal is what somebody does who may do anything to the database: it computes
// the hashes anew from seal on, over what the lines say now.
const reseal = `do $$
declare
	s record; prev bytea := ''; h bytea; l record; part bytea; b bytea;
begin
	for s in select * from audit_seal order by seq loop
		select * into l from audit_line where id = s.line;
		b := '';
		foreach part in array array[prev, convert_to(s.seq || ' ' || l.id || ' ' || (extract(epoch from l.at) * 1000000)::bigint || ' ' || coalesce(l.account, 0) || ' ' || coalesce(l.token, 0), 'UTF8'),
			convert_to(coalesce(host(l.origin), ''), 'UTF8'), convert_to(l.action, 'UTF8'), l.digest]
			|| array(select convert_to(a.kind || ':' || a.id, 'UTF8') from audit_about a where a.line = l.id order by a.kind collate "C", a.id) loop
			b := b || int8send(length(part)) || part;
		end loop;
		prev := sha256(b);
		update audit_seal set hash = prev where seq = s.seq;
	end loop;
end $$`

func TestAChainThatWasComputedAnewIsFoundByItsSignatures(t *testing.T) {
	t.Parallel()
	db := rounds(t, 3)
	before := anchor(t, db)
	unguarded(t, db, reseal)
	if after := anchor(t, db); !bytes.Equal(before.Hash, after.Hash) {
		t.Fatal("the attack computes other hashes than the portal: it proves nothing")
	}
	unguarded(t, db, `update audit_line set account = 8 where id = 3; `+reseal)
	for name, x := range map[string]audit.Expected{"alone": {}, "with an anchor": {Anchor: before}} {
		if _, err := audit.Verify(t.Context(), db, x); !errors.Is(err, audit.ErrBroken) {
			t.Errorf("%s: got %v, want %v", name, err, audit.ErrBroken)
		}
	}
	unguarded(t, db, `update audit_seal set signature = null`)
	if _, err := audit.Verify(t.Context(), db, audit.Expected{}); kindOf(err) != audit.Unsigned {
		t.Errorf("without signatures: got %v, want %s", err, audit.Unsigned)
	}
	write(t, db, line(9))
	if _, err := book(t, db).Seal(t.Context()); kindOf(err) != audit.Unsigned {
		t.Errorf("the portal builds on it: %v, want %s", err, audit.Unsigned)
	}
}

func TestAnotherKeyIsFoundByTheSecretAndByWhoKnowsTheKey(t *testing.T) {
	t.Parallel()
	db := rounds(t, 2)
	knows := trial.Must(audit.Verify(t.Context(), db, audit.Expected{}))
	b := book(t, db)
	trial.Must(b.Seal(t.Context()))
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	unguarded(t, db, `update audit_line set account = 8 where id = 3; `+reseal)
	for _, seq := range []int64{2, 4} {
		var hash []byte
		if err := db.QueryRow(t.Context(), `select hash from audit_seal where seq = $1`, seq).Scan(&hash); err != nil {
			t.Fatal(err)
		}
		payload := append(binary.BigEndian.AppendUint64([]byte("petschaft audit seal\x00"), uint64(seq)), hash...)
		unguarded(t, db, fmt.Sprintf(`update audit_seal set signature = '\x%x' where seq = %d`, ed25519.Sign(other, payload), seq))
	}
	unguarded(t, db, fmt.Sprintf(`update audit_key set public = '\x%x'`, []byte(other.Public().(ed25519.PublicKey))))
	if _, err := audit.Verify(t.Context(), db, audit.Expected{}); err != nil {
		t.Errorf("who knows nothing: got %v, want nothing to see", err)
	}
	for name, x := range map[string]audit.Expected{"the key": {Key: knows.Key}, "the secret": {Sealer: b.Sealer}, "an anchor": {Anchor: &knows.End}} {
		if _, err := audit.Verify(t.Context(), db, x); !errors.Is(err, audit.ErrBroken) {
			t.Errorf("who knows %s: got %v, want %v", name, err, audit.ErrBroken)
		}
	}
	write(t, db, line(9))
	for name, b := range map[string]*audit.Book{"a new process": book(t, db), "one that runs": b} {
		if _, err := b.Seal(t.Context()); kindOf(err) != audit.OtherKey {
			t.Errorf("%s seals: got %v, want %s", name, err, audit.OtherKey)
		}
	}
}

func TestACutEndIsFoundByAnAnchorAndByWhoRuns(t *testing.T) {
	t.Parallel()
	db := rounds(t, 3)
	b := book(t, db)
	trial.Must(b.Seal(t.Context()))
	knows := anchor(t, db)
	unguarded(t, db, `delete from audit_seal where seq > 4; delete from audit_about where line > 4; delete from audit_line where id > 4`)
	if n, err := verify(t, db); n != 4 || err != nil {
		t.Errorf("without an anchor: got %d and %v, want 4 lines and nothing to see", n, err)
	}
	if _, err := audit.Verify(t.Context(), db, audit.Expected{Anchor: knows}); kindOf(err) != audit.Cut {
		t.Errorf("with an anchor: got %v, want %s", err, audit.Cut)
	}
	if _, err := b.Seal(t.Context()); kindOf(err) != audit.Cut {
		t.Errorf("a process that ran meanwhile: got %v, want %s", err, audit.Cut)
	}
	unguarded(t, db, `delete from audit_seal where seq > 3`)
	if _, err := verify(t, db); kindOf(err) != audit.Unsigned {
		t.Errorf("cut within a batch: got %v, want %s", err, audit.Unsigned)
	}
	unguarded(t, db, `delete from audit_seal; delete from audit_line`)
	if _, err := verify(t, db); kindOf(err) != audit.Cut {
		t.Errorf("all cut: got %v, want %s", err, audit.Cut)
	}
}

// TestThePortalsOwnJobSealsNoDoctoredHistory: what was done in the review.
func TestThePortalsOwnJobSealsNoDoctoredHistory(t *testing.T) {
	t.Parallel()
	db := rounds(t, 3)
	knows := anchor(t, db)
	now := when.Add(25 * time.Hour)
	later := func() *audit.Book {
		b := book(t, db)
		b.Now = func() time.Time { return now }
		return b
	}
	b := later()
	trial.Must(b.Seal(t.Context()))
	unguarded(t, db, `delete from audit_about where line = 4; delete from audit_line where id = 4; update audit_line set account = 8 where id = 5;
		delete from audit_seal where seq > 2; insert into audit_waiting (line) values (3), (5), (6)`)
	if _, err := b.Seal(t.Context()); kindOf(err) != audit.Cut {
		t.Errorf("a process that ran meanwhile: got %v, want %s", err, audit.Cut)
	}
	if n, err := later().Seal(t.Context()); n != 0 || err != nil {
		t.Errorf("a new process: got %d and %v, want nothing sealed", n, err)
	}
	if _, err := verify(t, db); kindOf(err) != audit.Late {
		t.Errorf("verify: got %v, want %s", err, audit.Late)
	}
	if _, err := audit.Verify(t.Context(), db, audit.Expected{Anchor: knows}); kindOf(err) != audit.Cut {
		t.Errorf("verify with an anchor: got %v, want %s", err, audit.Cut)
	}
	write(t, db, audit.Line{At: now, Action: "test.later"})
	if n, err := later().Seal(t.Context()); n != 1 || err != nil {
		t.Errorf("what comes later: got %d and %v, want it sealed all the same", n, err)
	}
}

func TestLinesOfADayWithoutThePortalAreSealedAfterIt(t *testing.T) {
	t.Parallel()
	db := sealed(t, 1)
	write(t, db, line(2))
	b := book(t, db)
	b.Now = func() time.Time { return when.Add(48 * time.Hour) }
	if n, err := b.Seal(t.Context()); n != 1 || err != nil {
		t.Errorf("got %d and %v, want the line sealed", n, err)
	}
	if n, err := verify(t, db); n != 2 || err != nil {
		t.Errorf("got %d and %v, want 2 lines", n, err)
	}
}

func TestALongTransactionComesBelowSealedLinesAndIsSealed(t *testing.T) {
	t.Parallel()
	db := sealed(t, 1)
	tx := trial.Must(db.Begin(t.Context()))
	if err := audit.Write(t.Context(), tx, line(2)); err != nil {
		t.Fatal(err)
	}
	write(t, db, line(3))
	b := book(t, db)
	trial.Must(b.Seal(t.Context()))
	trial.Must(b.Check(t.Context()))
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	trial.Must(b.Seal(t.Context()))
	if c, err := b.Check(t.Context()); err != nil || c.Broken != nil || c.End.Seq != 3 {
		t.Errorf("got %+v and %v, want three seals", c, err)
	}
}

func TestWhatWaitsIsLookedAt(t *testing.T) {
	t.Parallel()
	for want, sql := range map[audit.Kind]string{
		audit.Stray: `delete from audit_waiting`,
		audit.Twice: `insert into audit_waiting values (1)`,
		audit.Gone:  `delete from audit_about where line = 3; delete from audit_line where id = 3`,
	} {
		db := sealed(t, 2)
		write(t, db, line(3))
		unguarded(t, db, sql)
		if _, err := verify(t, db); kindOf(err) != want {
			t.Errorf("%s\ngot %v, want %s", sql, err, want)
		}
		if _, err := book(t, db).Seal(t.Context()); err != nil {
			t.Errorf("%s\nsealing stops: %v", sql, err)
		}
	}
}

// TestTheVersionBeforeWritesBeside: its lines are sealed by this one only.
func TestTheVersionBeforeWritesBeside(t *testing.T) {
	t.Parallel()
	db := sealed(t, 1)
	salt, detail := []byte("salt"), `{}`
	digest := sha256.Sum256(append(bytes.Clone(salt), detail...))
	if _, err := db.Exec(t.Context(), `with l as (insert into audit_line (at, action, detail, salt, digest) values ($1, 'test.before', $2, $3, $4) returning id)
		insert into audit_unsealed (line) select id from l`, when, detail, salt, digest[:]); err != nil {
		t.Fatal(err)
	}
	var seen int
	if err := db.QueryRow(t.Context(), `select count(*) from audit_unsealed`).Scan(&seen); err != nil || seen != 0 {
		t.Errorf("the version before would seal %d lines (%v), want none", seen, err)
	}
	if n, err := book(t, db).Seal(t.Context()); n != 1 || err != nil {
		t.Errorf("got %d and %v, want its line sealed", n, err)
	}
	if n, err := verify(t, db); n != 2 || err != nil {
		t.Errorf("got %d and %v, want 2 lines", n, err)
	}
}

func TestTheHourlyCheckFindsWhatIsNewAtOnceAndTheRestWithinADay(t *testing.T) {
	t.Parallel()
	db := rounds(t, 2)
	now := when
	b := book(t, db)
	b.Now = func() time.Time { return now }
	var told []audit.Telling
	check := func(want audit.Kind) {
		t.Helper()
		c, err := b.Check(t.Context())
		if err != nil || (c.Broken == nil) != (want == "") || c.Broken != nil && c.Broken.Kind != want {
			t.Errorf("got %+v and %v, want %q", c.Broken, err, want)
		}
		if w := trial.Must(audit.Watch(t.Context(), db)); (w.Broken == nil) != (want == "") {
			t.Errorf("what is remembered: %+v, want %q", w, want)
		}
		told = append(told, c)
	}
	check("")
	unguarded(t, db, `update audit_line set account = 8 where id = 2`)
	now = now.Add(time.Hour)
	check("") // the rest is for the night
	now = now.Add(23 * time.Hour)
	check(audit.Altered)
	check(audit.Altered)
	unguarded(t, db, `update audit_line set account = 7 where id = 2`)
	check("")
	write(t, db, audit.Line{At: now, Action: "test.new"})
	trial.Must(b.Seal(t.Context()))
	unguarded(t, db, `update audit_line set account = 8 where id = 5`)
	check(audit.Altered)
	if told[0].End.Seq != 4 || told[0].Hash() == "" || told[0].Key == "" {
		t.Errorf("what leaves the database: %+v, want seal 4, its hash and the key", told[0])
	}
}

func TestAnExportedRecordIsVerifiedWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	db := rounds(t, 3)
	exec(t, db, `update audit_line set detail = null, salt = null where id = 1`)
	knows := trial.Must(audit.Verify(t.Context(), db, audit.Expected{}))
	var all, begin, rest bytes.Buffer
	trial.Must(audit.Export(t.Context(), db, 0, &all))
	if r, err := audit.VerifyFile(bytes.NewReader(all.Bytes()), audit.Expected{Key: knows.Key, Anchor: &knows.End}); err != nil || r.Lines != 6 || r.Erased != 1 || !bytes.Equal(r.End.Hash, knows.End.Hash) {
		t.Fatalf("got %+v and %v, want 6 lines up to the anchor\n%s", r, err, all.String())
	}
	trial.Must(audit.Export(t.Context(), db, 4, &rest))
	if r, err := audit.VerifyFile(bytes.NewReader(rest.Bytes()), audit.Expected{}); err != nil || r.Lines != 2 || r.Continued != 4 {
		t.Errorf("the rest alone: got %+v and %v, want 2 lines behind seal 4", r, err)
	}
	for l := range strings.Lines(all.String()) {
		if strings.Contains(l, `{"seq":5`) {
			break
		}
		begin.WriteString(l)
	}
	if r, err := audit.VerifyFile(strings.NewReader(begin.String()+rest.String()), audit.Expected{}); err != nil || r.Lines != 6 {
		t.Errorf("both parts: got %+v and %v, want 6 lines", r, err)
	}
	for want, change := range map[audit.Kind]func(string) string{
		audit.Altered:  func(s string) string { return strings.Replace(s, `"account":7,"token":3`, `"account":8,"token":3`, 1) },
		audit.Detailed: func(s string) string { return strings.Replace(s, `\"4\"`, `\"5\"`, 1) },
		audit.Gap: func(s string) string {
			ls := strings.SplitAfter(s, "\n")
			return strings.Join(append(ls[:3:3], ls[4:]...), "")
		},
		audit.Cut:      func(s string) string { ls := strings.SplitAfter(s, "\n"); return strings.Join(ls[:5], "") },
		audit.OtherKey: func(s string) string { return strings.Replace(s, `"key":"`, `"key":"AAAA`, 1) },
		audit.Rewritten: func(string) string {
			return begin.String() + strings.Replace(rest.String(), `"hash":"`, `"hash":"00`, 1)
		},
	} {
		if _, err := audit.VerifyFile(strings.NewReader(change(all.String())), audit.Expected{Key: knows.Key, Anchor: &knows.End}); kindOf(err) != want && want != audit.OtherKey {
			t.Errorf("%s: got %v", want, err)
		} else if err == nil {
			t.Errorf("%s: got no error", want)
		}
	}
	forger := trial.Must(audit.VerifyFile(bytes.NewReader(all.Bytes()), audit.Expected{}))
	if _, err := audit.VerifyFile(bytes.NewReader(all.Bytes()), audit.Expected{Key: bytes.Repeat([]byte{1}, len(forger.Key))}); kindOf(err) != audit.OtherKey {
		t.Errorf("another key: got %v, want %s", err, audit.OtherKey)
	}
	for _, text := range []string{"", "{}", "hello\n", `{"seq":1}` + "\n"} {
		if _, err := audit.VerifyFile(strings.NewReader(text), audit.Expected{}); !errors.Is(err, audit.ErrUnreadable) {
			t.Errorf("%q: got %v, want %v", text, err, audit.ErrUnreadable)
		}
	}
}
