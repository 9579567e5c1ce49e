package mailbox

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/postgres"
)

// State is where a challenge stands; the package comment draws it.
type State string

const (
	Queued      State = "queued"
	Deferred    State = "deferred"
	Sent        State = "sent"
	Failed      State = "failed"
	Affirmed    State = "confirmed"
	Declined    State = "declined"
	Replaced    State = "replaced"
	Invalidated State = "invalidated"
	Expired     State = "expired"
)

// Pending tells whether the challenge can still be answered or delivered.
func (s State) Pending() bool { return s == Queued || s == Deferred || s == Sent }

// Challenge is one mail of a round, as the contacts of its domain see it.
type Challenge struct {
	ID           int64
	Round        int64
	Recipient    org.Address
	Covers       []string
	State        State
	Queued       time.Time
	Sent         *time.Time
	Expires      *time.Time
	Ended        *time.Time
	AnsweredBy   *string
	ConflictWith *string // a second account that tried to confirm in this round
	Attempts     int
	Answer       string // the mail server's
	Unsent       bool   // failed only for want of time: nothing is known against the address
}

// Round is the challenges of one sending.
type Round struct {
	ID         int64
	Started    time.Time
	StartedBy  string
	Outcome    string
	Ended      *time.Time
	Challenges []Challenge
}

const challengeColumns = `c.id, c.round, c.recipient, c.covers, c.state, c.queued, c.sent, c.expires, c.ended, c.attempts, c.answer, c.unsent,
	(select a.label from account a where a.id = c.account) as answered_by,
	(select a.label from account a where a.id = c.conflict) as conflict_with`

func one(ctx context.Context, tx pgx.Tx, row ID, id int64) (Challenge, error) {
	rows, err := tx.Query(ctx, `select `+challengeColumns+` from challenge c where c.id = $1 and c.row_id = $2`, id, row)
	if err != nil {
		return Challenge{}, fmt.Errorf("read challenge %d: %w", id, err)
	}
	c, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Challenge])
	return c, postgres.Fault(err)
}

// Rounds returns the newest rounds of a row that the caller has loaded, newest
// first, at most limit.
func (b *Book) Rounds(ctx context.Context, r Row, limit int) ([]Round, error) {
	return rounds(ctx, b.DB, r.ID, math.MaxInt64, limit)
}

// roundOf is the round id of a row.
func roundOf(ctx context.Context, q postgres.Querier, row ID, id int64) (Round, error) {
	found, err := rounds(ctx, q, row, id, 1)
	if err != nil {
		return Round{}, err
	}
	if len(found) == 0 || found[0].ID != id {
		return Round{}, fault.New(fault.Missing, "fault.missing")
	}
	return found[0], nil
}

// rounds are those of a row up to the number newest, newest first.
func rounds(ctx context.Context, q postgres.Querier, row ID, newest int64, limit int) ([]Round, error) {
	rows, err := q.Query(ctx, `
		select n.id, n.started, n.outcome, n.ended, a.label as started_by
		from challenge_round n join account a on a.id = n.started_by
		where n.row_id = @row and n.id <= @newest order by n.id desc limit @limit`, pgx.NamedArgs{"row": row, "newest": newest, "limit": limit})
	if err != nil {
		return nil, fmt.Errorf("list rounds: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[Round])
	if err != nil || len(found) == 0 {
		return nil, err
	}
	rows, err = q.Query(ctx, `select `+challengeColumns+` from challenge c where c.row_id = @row and c.round between @oldest and @newest order by c.id`,
		pgx.NamedArgs{"row": row, "oldest": found[len(found)-1].ID, "newest": newest})
	if err != nil {
		return nil, fmt.Errorf("list challenges: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Challenge])
	if err != nil {
		return nil, fmt.Errorf("list challenges: %w", err)
	}
	at := make(map[int64]int, len(found))
	for i, n := range found {
		at[n.ID] = i
	}
	for _, c := range all {
		n := &found[at[c.Round]]
		n.Challenges = append(n.Challenges, c)
	}
	return found, nil
}
