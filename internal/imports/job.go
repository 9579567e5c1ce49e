package imports

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/queue"
)

// How long imports wait, and for what.
const (
	mostTries        = 5                  // attempts at what was ordered, a killed process being one
	rescueAfter      = 10 * time.Second   // until work that nobody seems to do is queued again
	attemptTimeout   = 15 * time.Minute   // of one attempt
	statementTimeout = 5 * time.Minute    // of one of its statements
	uploadLife       = time.Hour          // for an upload to end
	decisionLife     = 7 * 24 * time.Hour // for somebody to apply a plan
)

type workArgs struct {
	Import ID `json:"import"`
}

func (workArgs) Kind() string { return "mailbox_import" }

// InsertOpts: the tick queues again what failed, and soon.
func (workArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{MaxAttempts: 1} }

// MayTake tells the queue not to take it for lost meanwhile.
func (workArgs) MayTake() time.Duration { return attemptTimeout }

type tickArgs struct{}

func (tickArgs) Kind() string { return "mailbox_import_tick" }

// Jobs registers the room's work and returns what runs by itself: every ten
// seconds imports are looked after.
func (b *Book) Jobs(w *river.Workers) []queue.Task {
	river.AddWorker(w, &importer{book: b})
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[tickArgs]) error { return b.Tick(ctx) }))
	return []queue.Task{queue.Every(10*time.Second, tickArgs{})}
}

type importer struct {
	river.WorkerDefaults[workArgs]
	book *Book
}

func (w *importer) Timeout(j *river.Job[workArgs]) time.Duration { return j.Args.MayTake() }

func (w *importer) Work(ctx context.Context, j *river.Job[workArgs]) error {
	return w.book.Work(ctx, j.Args.Import)
}

// Work does what was ordered of an import, unless another process is at it.
// Passing trouble of the database is no attempt at it.
func (b *Book) Work(ctx context.Context, id ID) error {
	ctx = postgres.Slow(ctx, statementTimeout)
	var err error
	counted := false
	for range 3 { // somebody took an address between the look and the writing: look again
		err = b.DB.Tx(ctx, func(tx pgx.Tx) error { return b.carryOut(ctx, tx, id, &counted) })
		if !postgres.Broken(err) {
			break
		}
	}
	switch {
	case errors.Is(err, errTries):
		return b.giveUp(ctx, id, "mailbox.import.trouble_failed")
	case errors.Is(err, errRight):
		return b.giveUp(ctx, id, "mailbox.import.trouble_rights")
	case fault.Is(err, fault.TooLarge):
		return b.giveUp(ctx, id, "mailbox.import.trouble_size")
	case counted && postgres.Passing(err) && !postgres.Doubtful(err):
		return errors.Join(err, b.uncount(ctx, id))
	}
	return err
}

var (
	errTries = errors.New("it was tried too often")
	errRight = errors.New("no contact of the domain any more")
)

// workLock is not the lock of the row, which shows how far the work is.
const workLock = `pg_try_advisory_xact_lock(hashtextextended('mailbox.import', @id))`

// carryOut is the work, in one transaction. It counts the attempt once.
func (b *Book) carryOut(ctx context.Context, tx pgx.Tx, id ID, counted *bool) error {
	var mine bool
	if err := tx.QueryRow(ctx, `select `+workLock, pgx.NamedArgs{"id": id}).Scan(&mine); err != nil || !mine {
		return err
	}
	now := b.Now()
	im, by, err := b.ordered(ctx, tx, now, id)
	if err != nil || !im.State.Working() {
		return err
	}
	if !*counted {
		if err := b.attempt(ctx, id); err != nil {
			return err
		}
		*counted = true
	}
	switch im.State {
	case Planning:
		return b.plan(ctx, tx, now, by, im, nil)
	case Applying:
		return b.apply(ctx, tx, now, by, im)
	}
	return b.undo(ctx, tx, now, by, im)
}

// attempt counts one, outside of the transaction, so that a process that dies
// counts too.
func (b *Book) attempt(ctx context.Context, id ID) error {
	soon, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var tries int
	if err := b.DB.QueryRow(soon, `update import set tries = tries + 1 where id = $1 returning tries`, id).Scan(&tries); err != nil {
		return fmt.Errorf("count attempt at import %d: %w", id, err)
	}
	if tries > mostTries {
		return errTries
	}
	return nil
}

// uncount takes the attempt back.
func (b *Book) uncount(ctx context.Context, id ID) error {
	soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if _, err := b.DB.Exec(soon, `update import set tries = tries - 1 where id = $1 and tries > 0`, id); err != nil {
		return fmt.Errorf("take back attempt at import %d: %w", id, err)
	}
	return nil
}

// ordered loads an import in the name of whoever ordered the work on it.
func (b *Book) ordered(ctx context.Context, tx pgx.Tx, now time.Time, id ID) (im Import, by person.Actor, err error) {
	var who person.Behalf
	var domain string
	err = tx.QueryRow(ctx, `select coalesce(m.ordered_by, m.account), m.ordered_token, m.ordered_from, d.name
		from import m join email_domain d on d.id = m.domain where m.id = $1`, id).Scan(&who.Account, &who.Token, &who.From, &domain)
	if err != nil {
		return im, by, fmt.Errorf("read order of import %d: %w", id, err)
	}
	by, err = b.Mailbox.Org.People.Acting(ctx, tx, now, who)
	if fault.Is(err, fault.Denied) {
		return im, by, errRight
	}
	if err != nil {
		return im, by, fmt.Errorf("read who ordered import %d: %w", id, err)
	}
	im, err = loadImport(ctx, tx, by, domain, id)
	if fault.Is(err, fault.Missing) || err == nil && im.State.Working() && !im.Contact {
		return im, by, errRight
	}
	return im, by, err
}

// giveUp puts an import back to where it was before the order, with the reason.
func (b *Book) giveUp(ctx context.Context, id ID, trouble string) error {
	_, err := b.DB.Exec(ctx, `update import set trouble = @trouble, since = @now, tries = 0, done = 0,
			state = case state when 'planning' then 'uploaded' when 'applying' then 'planned' else 'applied' end
		where id = @id and state in ('planning', 'applying', 'undoing') and `+workLock, pgx.NamedArgs{"id": id, "trouble": trouble, "now": b.Now()})
	if err != nil {
		return fmt.Errorf("give up import %d: %w", id, err)
	}
	return nil
}

// Tick queues work again that nobody seems to do (its process was
// killed), and forgets what nobody decided about.
func (b *Book) Tick(ctx context.Context) error {
	now := b.Now()
	_, err := b.DB.Exec(ctx, `delete from import where state = 'uploading' and since <= $1`, now.Add(-uploadLife))
	if err != nil {
		return fmt.Errorf("forget broken uploads: %w", err)
	}
	waiting, err := b.importsSince(ctx, `('planning', 'applying', 'undoing')`, now.Add(-rescueAfter))
	if err != nil {
		return err
	}
	jobs := make([]river.JobArgs, len(waiting))
	for i, id := range waiting {
		jobs[i] = workArgs{Import: id}
	}
	if err := b.DB.Tx(ctx, func(tx pgx.Tx) error { return b.Queue.Insert(ctx, tx, jobs...) }); err != nil {
		return err
	}
	old, err := b.importsSince(ctx, `('uploaded', 'planned')`, now.Add(-decisionLife))
	if err != nil {
		return err
	}
	for _, id := range old {
		if err := b.DB.Tx(ctx, func(tx pgx.Tx) error { return b.expire(ctx, tx, now, id) }); err != nil {
			return err
		}
	}
	return nil
}

func (b *Book) importsSince(ctx context.Context, states string, before time.Time) ([]ID, error) {
	rows, err := b.DB.Query(ctx, `select id from import where state in `+states+` and since <= $1 order by since limit 100`, before)
	if err != nil {
		return nil, fmt.Errorf("look for imports: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[ID])
}

// expire discards an import that nobody decided about.
func (b *Book) expire(ctx context.Context, tx pgx.Tx, now time.Time, id ID) error {
	var domain struct {
		id   int64
		file string
	}
	err := tx.QueryRow(ctx, `select domain, file_name from import where id = $1 and state in ('uploaded', 'planned') and since <= $2 for update`, id, now.Add(-decisionLife)).
		Scan(&domain.id, &domain.file)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("forget import %d: %w", id, err)
	}
	if err := b.forget(ctx, tx, now, id); err != nil {
		return err
	}
	return b.note(ctx, tx, now, audit.Who{}, "mailbox.import_discarded", audit.Detail{"file": domain.file, "import": id},
		id.Thing(), audit.Thing{Kind: "email_domain", ID: domain.id})
}

func (b *Book) note(ctx context.Context, tx pgx.Tx, now time.Time, who audit.Who, action string, d audit.Detail, about ...audit.Thing) error {
	return audit.Write(ctx, tx, audit.Line{Who: who, At: now, Action: action, Detail: d, About: about})
}
