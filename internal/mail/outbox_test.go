package mail

import (
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/fault"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
	"petschaft/internal/queue"
)

// box is an outbox with a mail server behind it and a clock that a test sets.
type box struct {
	*Outbox
	*server
	db    *postgres.DB
	queue *queue.Queue
	clock atomic.Int64
}

func newBox(t *testing.T, tune ...func(*server)) *box {
	t.Helper()
	b := &box{server: serve(t, noTLS, tune...), db: pgtest.New(t)}
	q, err := queue.Open(b.db)
	if err != nil {
		t.Fatal(err)
	}
	b.queue = q
	b.Outbox = &Outbox{DB: b.db, Sender: newSender(t, Config{URL: b.URL + "?tls=none"}), Queue: q, Now: b.now}
	b.set(at)
	return b
}

func (b *box) now() time.Time { return time.Unix(b.clock.Load(), 0).UTC() }

func (b *box) set(now time.Time) { b.clock.Store(now.Unix()) }

var note = DeclinedWords{To: "nap@uni.example", Row: "Muster, Kim", Address: "kim@uni.example", By: "Toni Fremd", At: at, Link: link}

// post queues a letter and returns its id.
func (b *box) post(t *testing.T, w Words) (id ID) {
	t.Helper()
	err := b.db.Tx(t.Context(), func(tx pgx.Tx) error {
		if err := b.Post(t.Context(), tx, w); err != nil {
			return err
		}
		return tx.QueryRow(t.Context(), "select max(id) from letter").Scan(&id)
	})
	if err != nil {
		t.Fatalf("post: %v", err)
	}
	return id
}

type row struct {
	State, Answer string
	Attempts      int
	Done          *time.Time
	HasWords      bool
}

func (b *box) row(t *testing.T, id ID) row {
	t.Helper()
	rows, err := b.db.Query(t.Context(), "select state, answer, attempts, done, words is not null as has_words from letter where id = $1", id)
	if err != nil {
		t.Fatal(err)
	}
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[row])
	if err != nil {
		t.Fatalf("read letter %d: %v", id, err)
	}
	return r
}

func (b *box) want(t *testing.T, id ID, want row) {
	t.Helper()
	if d := cmp.Diff(want, b.row(t, id)); d != "" {
		t.Errorf("letter %d (-want +got):\n%s", id, d)
	}
}

func TestAPostedLetterIsSentByTheQueue(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	id := b.work(t, func() { <-b.served })
	m := b.got()
	if len(m) != 1 || m[0].To != note.To || !strings.Contains(m[0].Body, "Toni Fremd") {
		t.Errorf("got mails %+v, want the one posted", m)
	}
	if got := b.row(t, id); got.State != "sent" || got.Attempts != 1 || !strings.Contains(got.Answer, "OK") {
		t.Errorf("got letter %+v, want it sent at the first attempt with the server's answer", got)
	}
}

// work posts a letter, lets the queue work until done returns, and returns the
// letter's id.
func (b *box) work(t *testing.T, done func()) ID {
	t.Helper()
	workers := river.NewWorkers()
	err := b.queue.Start(t.Context(), queue.Work{Workers: workers, Periodic: b.Jobs(workers), Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	id := b.post(t, note)
	done()
	if err := b.queue.Stop(t.Context()); err != nil {
		t.Fatalf("stop: %v", err)
	}
	return id
}

func TestADeferredLetterComesAgainAfterTheBackoff(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 10)
	b := newBox(t, func(s *server) {
		s.rcpt = func(to string) error {
			asked <- struct{}{}
			return no(451, "4.3.0 later, "+to)(to)
		}
	})
	b.work(t, func() { <-asked })
	var state, errs string
	var next time.Time
	err := b.db.QueryRow(t.Context(), "select state, array_to_string(errors, ' '), scheduled_at from river_job where kind = 'mail_deliver'").Scan(&state, &errs, &next)
	if err != nil {
		t.Fatal(err)
	}
	if state != "retryable" || !next.Equal(at.Add(Backoff(1))) {
		t.Errorf("got job %s, next at %v, want it retryable at %v", state, next, at.Add(Backoff(1)))
	}
	if strings.Contains(errs, "nap@") || !strings.Contains(errs, "451") {
		t.Errorf("got job errors %s, want the code without the address", errs)
	}
}

func TestAJobHoldsOnlyTheLettersID(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.post(t, note)
	var args, line string
	if err := b.db.QueryRow(t.Context(), "select args::text, queue from river_job").Scan(&args, &line); err != nil {
		t.Fatal(err)
	}
	if args != `{"letter": 1}` || line != queue.Mail {
		t.Errorf("got job %s in queue %q, want only the id, in %q", args, line, queue.Mail)
	}
}

// TestAMailEndsBeforeItsJobIsLost, with the time to note what became of it: or
// another process would send it a second time.
func TestAMailEndsBeforeItsJobIsLost(t *testing.T) {
	t.Parallel()
	if JobTimeout >= queue.JobTimeout || JobTimeout+recordFor > queue.RescueAfter {
		t.Errorf("a mail may take %v and %v to note, want it ended before its job is lost after %v", JobTimeout, recordFor, queue.RescueAfter)
	}
}

func TestALetterThatWasSentIsNotSentAgain(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	id := b.post(t, note)
	for range 2 {
		if err := b.deliver(t.Context(), id); err != nil {
			t.Fatalf("deliver: %v", err)
		}
	}
	if got := len(b.got()); got != 1 {
		t.Errorf("got %d mails after two runs of the job, want 1", got)
	}
	if err := b.deliver(t.Context(), 4711); err != nil {
		t.Errorf("got error %v for a letter that is not there, want none: nothing is left to do", err)
	}
}

func TestATemporaryRefusalIsTriedFor48Hours(t *testing.T) {
	t.Parallel()
	b := newBox(t, func(s *server) { s.rcpt = no(451, "4.3.0 later, nap@uni.example") })
	id := b.post(t, note)
	now := at
	attempts := 0
	for {
		attempts++
		b.set(now)
		err := b.deliver(t.Context(), id)
		if err == nil {
			break
		}
		if strings.Contains(err.Error(), "nap@") || !strings.Contains(err.Error(), "451") {
			t.Fatalf("got job error %q, want the code without the address", err)
		}
		b.want(t, id, row{State: "deferred", Answer: "4.3.0 later, …", Attempts: attempts, HasWords: true})
		now = now.Add(Backoff(attempts))
		if attempts > Attempts {
			t.Fatal("the attempts do not end")
		}
	}
	b.want(t, id, row{State: "failed", Answer: "4.3.0 later, …", Attempts: attempts, Done: &now, HasWords: true})
	if tried := now.Sub(at); tried > Patience || tried < Patience-2*time.Hour {
		t.Errorf("got %v of trying, want about %v", tried, Patience)
	}
}

func TestAServerThatIsAwayDefersTheLetter(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	id := b.post(t, note)
	b.server.Server.Close()
	if err := b.deliver(t.Context(), id); err == nil {
		t.Error("got no error, want one, so that the job runs again")
	}
	b.want(t, id, row{State: "deferred", Attempts: 1, HasWords: true})
}

// newFickleBox is a box whose server knows no mailbox until moved is called.
func newFickleBox(t *testing.T) (b *box, moved func()) {
	t.Helper()
	var known atomic.Bool
	b = newBox(t, func(s *server) {
		s.rcpt = func(to string) error {
			if known.Load() {
				return nil
			}
			return no(550, "5.1.1 no such mailbox")(to)
		}
	})
	return b, func() { known.Store(true) }
}

func TestAFinalRefusalIsSeen(t *testing.T) {
	t.Parallel()
	b, _ := newFickleBox(t)
	id := b.post(t, note)
	if err := b.deliver(t.Context(), id); err != nil {
		t.Fatalf("got error %v, want none: another run would not help", err)
	}
	got, err := b.Failed(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	want := []Failed{{ID: id, Kind: "declined", Recipient: "nap@uni.example", Answer: "5.1.1 no such mailbox", Attempts: 1, Created: at, Done: at}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("failed letters (-want +got):\n%s", d)
	}
}

func TestAFailedLetterCanBeTriedAgain(t *testing.T) {
	t.Parallel()
	b, moved := newFickleBox(t)
	id := b.post(t, note)
	if err := b.deliver(t.Context(), id); err != nil {
		t.Fatalf("deliver: %v", err)
	}
	moved()
	b.set(at.Add(100 * time.Hour))
	for i, want := range []bool{true, false} { // the second click finds it waiting
		if did := b.retry(t, id); did != want {
			t.Errorf("retry %d: got %v, want %v", i, did, want)
		}
	}
	if err := b.deliver(t.Context(), id); err != nil {
		t.Fatalf("deliver: %v", err)
	}
	if got := b.row(t, id); got.State != "sent" {
		t.Errorf("got state %q after the retry, want sent", got.State)
	}
	if b.retry(t, id) {
		t.Error("a sent letter was queued again")
	}
	var jobs int
	if err := b.db.QueryRow(t.Context(), "select count(*) from river_job").Scan(&jobs); err != nil || jobs != 2 {
		t.Errorf("got %d jobs (%v), want one for the post and one for the retry", jobs, err)
	}
}

func (b *box) retry(t *testing.T, id ID) (did bool) {
	t.Helper()
	err := b.db.Tx(t.Context(), func(tx pgx.Tx) (err error) {
		did, err = b.Retry(t.Context(), tx, id)
		return err
	})
	if err != nil {
		t.Fatalf("retry: %v", err)
	}
	return did
}

func TestRetryOfNoLetterIsMissing(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	err := b.db.Tx(t.Context(), func(tx pgx.Tx) error {
		_, err := b.Retry(t.Context(), tx, 4711)
		return err
	})
	if !fault.Is(err, fault.Missing) {
		t.Errorf("got %v, want fault.Missing", err)
	}
}

func TestALetterNobodyCanWriteFailsAtOnce(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	bad := note
	bad.To = "nap@uni.example\r\nRCPT TO:<eve@evil.example>"
	linkless := note
	linkless.Link = ""
	for _, w := range []Words{bad, linkless} {
		id := b.post(t, w)
		if err := b.deliver(t.Context(), id); err != nil {
			t.Errorf("deliver: %v", err)
		}
		if got := b.row(t, id); got.State != "failed" || got.Answer == "" {
			t.Errorf("got letter %+v, want it failed with a reason", got)
		}
	}
}

func TestTheWordsOfSentLettersAreForgottenAfter30Days(t *testing.T) {
	t.Parallel()
	b := newBox(t, func(s *server) {
		s.rcpt = func(to string) error {
			if strings.HasPrefix(to, "gone") {
				return no(550, "gone")(to)
			}
			return nil
		}
	})
	lost := ConflictWords{To: "gone@uni.example", First: "Kim", By: "Toni", At: at, Link: link}
	old, failed := b.post(t, note), b.post(t, lost)
	for _, id := range []ID{old, failed} {
		if err := b.deliver(t.Context(), id); err != nil {
			t.Fatalf("deliver: %v", err)
		}
	}
	b.set(at.Add(31 * 24 * time.Hour))
	young := b.post(t, note)
	if err := b.deliver(t.Context(), young); err != nil {
		t.Fatalf("deliver: %v", err)
	}
	if err := b.forget(t.Context()); err != nil {
		t.Fatalf("forget: %v", err)
	}
	for id, want := range map[ID]bool{old: false, failed: true, young: true} {
		if got := b.row(t, id).HasWords; got != want {
			t.Errorf("letter %d: got words kept %v, want %v", id, got, want)
		}
	}
}
