package mail

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/queue"
)

// JobTimeout is enough for one mail to be sent, and leaves time to note what
// became of it before the job is lost. Where the server is so slow that a letter
// waits as long for a connection, it is tried again later.
const JobTimeout = 55 * time.Second

// recordFor bounds the noting, which comes after the job's own end, too.
const recordFor = 10 * time.Second

// Noting is the context in which the outcome of an attempt is written down: it
// ends neither with the job nor with the process that is being stopped, for what
// was sent must not be sent again.
func Noting(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), recordFor)
}

// Jobs registers what the outbox does later and returns what runs by itself:
// once a day old words are forgotten, and every letter that is to be sent has
// its job.
func (o *Outbox) Jobs(w *river.Workers) []queue.Task {
	river.AddWorker(w, &courier{outbox: o})
	river.AddWorker(w, &forgetter{outbox: o})
	return []queue.Task{
		queue.Every(24*time.Hour, forgetting{}),
		queue.Due[delivery](`select jsonb_build_object('letter', id) from letter where state in ('queued', 'deferred')`),
	}
}

// delivery is the job to send one letter.
type delivery struct {
	Letter ID `json:"letter"`
}

func (delivery) Kind() string { return "mail_deliver" }

func (delivery) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queue.Mail, MaxAttempts: Attempts}
}

type courier struct {
	river.WorkerDefaults[delivery]
	outbox *Outbox
}

func (c *courier) Timeout(*river.Job[delivery]) time.Duration { return JobTimeout }

func (c *courier) NextRetry(j *river.Job[delivery]) time.Time {
	return c.outbox.Now().Add(Backoff(j.Attempt))
}

func (c *courier) Work(ctx context.Context, j *river.Job[delivery]) error {
	return c.outbox.deliver(ctx, j.Args.Letter)
}

// waiting is a letter at the moment of an attempt.
type waiting struct {
	ID       ID
	Kind     string
	Words    []byte
	Attempts int
	Since    time.Time
}

// deliver makes one attempt at the letter. It returns an error while another
// attempt is due; a letter that is sent or failed needs none, so a second run
// of the job does nothing. While the queue is held the letter waits as it is.
func (o *Outbox) deliver(ctx context.Context, id ID) error {
	pass, err := o.Enter(ctx)
	if err != nil {
		return o.wait(ctx, id, err)
	}
	w, err := o.take(ctx, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return o.Leave(ctx, pass)
	}
	if err != nil {
		return fmt.Errorf("take letter %d: %w", id, err)
	}
	l, err := reread(w.Kind, w.Words)
	said := ""
	if err != nil {
		err = Unwritable(err)
	} else {
		said, err = o.Sender.Send(ctx, l)
	}
	f, noted := o.Heard(ctx, Attempt{Pass: pass, To: l.To, Until: w.Since.Add(Patience - Backoff(w.Attempts)), Letter: id}, said, err)
	noted = errors.Join(noted, o.record(ctx, id, &f))
	if f.State == "deferred" {
		noted = errors.Join(fmt.Errorf("letter %d: %w", id, err), noted)
	}
	return noted // nil: it is sent, or the letter tells why another run would not help
}

// wait is what a job does that may not talk now: it comes again without a count,
// as long as the letter is not too old.
func (o *Outbox) wait(ctx context.Context, id ID, err error) error {
	held, ok := errors.AsType[*HeldError](err)
	if !ok {
		return err
	}
	now := o.Now()
	tag, err := o.DB.Exec(ctx, `update letter set state = 'failed', unsent = true, done = @now
		where id = @id and state in ('queued', 'deferred') and since <= @old`,
		pgx.NamedArgs{"id": id, "now": now, "old": now.Add(-Patience)})
	if err != nil {
		return fmt.Errorf("end letter %d: %w", id, err)
	}
	if tag.RowsAffected() == 1 {
		o.Gone(Attempt{Letter: id}, WhyUnsent, "")
		return nil
	}
	return held.Snooze()
}

// take counts the attempt before it is made.
func (o *Outbox) take(ctx context.Context, id ID) (waiting, error) {
	rows, err := o.DB.Query(ctx, `
		update letter set attempts = attempts + 1
		where id = $1 and state in ('queued', 'deferred')
		returning id, kind, words, attempts, since`, id)
	if err != nil {
		return waiting{}, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[waiting])
}

// record keeps the outcome even when the process is being stopped. A verdict is
// kept in turn with what begins a hold: one that was taken back between hearing
// and keeping it counts no more, and f says so.
func (o *Outbox) record(ctx context.Context, id ID, f *Fate) error {
	ctx, done := Noting(ctx)
	defer done()
	err := o.DB.Tx(ctx, func(tx pgx.Tx) error {
		if f.State == "failed" && !f.Unsent {
			took, err := o.tookBack(ctx, tx, id)
			if err != nil {
				return err
			}
			if took {
				f.State = "deferred"
			}
		}
		_, err := tx.Exec(ctx, `
			update letter set state = @state, answer = @answer, unsent = @unsent,
			    done = case when @state in ('sent', 'failed') then @now::timestamptz end
			where id = @id and state in ('queued', 'deferred')`,
			pgx.NamedArgs{"id": id, "state": f.State, "answer": f.Answer, "unsent": f.Unsent, "now": o.Now()})
		return err
	})
	if err != nil {
		return fmt.Errorf("record letter %d as %s: %w", id, f.State, err)
	}
	return nil
}
