package mailbox_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"petschaft/internal/campus"
	"petschaft/internal/mailbox"
	"petschaft/internal/pgtest"
	"petschaft/internal/trial"
	"petschaft/migrations"
)

// stands fails the test unless the row is so, in itself, in the counts and in the
// filter.
func (r *rig) stands(t *testing.T, when string, id mailbox.ID, want mailbox.Status) {
	t.Helper()
	if got := r.ReadRow(t, id).Status; got != want {
		t.Errorf("%s: got status %q, want %q", when, got, want)
	}
	if n := trial.Must(r.Tally(t.Context(), r.uniID)); n.Of[want] != 1 || n.Sum() != 1 {
		t.Errorf("%s: got the counts %v, want one %s", when, n.Of, want)
	}
	if got := r.Selected(t, r.contact, mailbox.View{Status: want}); len(got) != 1 {
		t.Errorf("%s: the filter finds %v, want the row", when, got)
	}
	r.CountsAreTrue(t)
}

func TestADeclinedRowStaysSoWhileItsAddressIsAsked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.LinkRow(t, r.ada, "ada", "one@uni.example")
	r.stands(t, "linked", id, mailbox.Confirmed)
	r.ok(t, r.Decline(t.Context(), r.bob, r.ChallengeRow(t, id)["one@uni.example"]))
	r.stands(t, "declined although there is a link", id, mailbox.RowDeclined)
	r.EditRow(t, id, func(in *mailbox.Input) { in.Aliases = []string{"ONE@uni.example", "two@uni.example"} })
	r.stands(t, "another alias", id, mailbox.RowDeclined)
	r.SwitchOff(t, id)
	r.stands(t, "at rest", id, mailbox.Inactive)
	r.ok(t, r.Activate(t.Context(), r.contact, r.uni, id))
	r.stands(t, "in use again", id, mailbox.RowDeclined)
	r.EditRow(t, id, func(in *mailbox.Input) { in.Aliases = []string{"two@uni.example"} })
	r.stands(t, "without the alias that was declined", id, mailbox.None)
	r.ok(t, r.Decline(t.Context(), r.bob, r.ChallengeRow(t, id)["ada@uni.example"]))
	r.stands(t, "declined once more", id, mailbox.RowDeclined)
	r.ConfirmRow(t, r.ada, id)
	r.stands(t, "asked again and confirmed", id, mailbox.Confirmed)
}

func TestAConflictIsAStateUntilItIsSettled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada", "one@uni.example")
	digests := r.ChallengeRow(t, id)
	trial.Must(r.Confirm(t.Context(), r.ada, digests["ada@uni.example"]))
	r.stands(t, "one confirmed", id, mailbox.Open)
	_, err := r.Confirm(t.Context(), r.bob, digests["one@uni.example"])
	campus.Wants(t, err, "mailbox.link.other_account")
	r.stands(t, "a second account", id, mailbox.RowConflict)
	r.clock.Advance(14 * 24 * time.Hour)
	r.ok(t, r.Tick(t.Context()))
	r.stands(t, "nobody settled it in time", id, mailbox.RowConflict)
	digests = r.ChallengeRow(t, id)
	r.stands(t, "asked again", id, mailbox.Open)
	trial.Must(r.Confirm(t.Context(), r.ada, digests["ada@uni.example"]))
	_, err = r.Confirm(t.Context(), r.bob, digests["one@uni.example"])
	campus.Wants(t, err, "mailbox.link.other_account")
	trial.Must(r.Confirm(t.Context(), r.ada, digests["one@uni.example"]))
	r.stands(t, "the first account confirmed all", id, mailbox.Confirmed)
}

func TestARowExpiresWithItsFirstAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada", "ada@labor.example") // 14 days, and one
	digests := r.ChallengeRow(t, id)
	trial.Must(r.Confirm(t.Context(), r.ada, digests["ada@uni.example"]))
	r.clock.Advance(24*time.Hour - time.Microsecond)
	r.ok(t, r.Tick(t.Context()))
	r.stands(t, "just before", id, mailbox.Open)
	r.clock.Advance(time.Microsecond)
	r.ok(t, r.Tick(t.Context()))
	r.stands(t, "when one address is over", id, mailbox.RowExpired)
	if n := trial.Must(r.Rounds(t.Context(), r.ReadRow(t, id), 1))[0]; n.Outcome != "expired" || n.Challenges[0].State != mailbox.Affirmed {
		t.Errorf("got the round %q with a first challenge %q, want it expired, and who answered kept", n.Outcome, n.Challenges[0].State)
	}

	digests = r.ChallengeRow(t, id)
	r.clock.Advance(24 * time.Hour)
	r.ok(t, r.Tick(t.Context()))
	_, err := r.Confirm(t.Context(), r.ada, digests["ada@uni.example"]) // its own 14 days are not over
	campus.Wants(t, err, "mailbox.link.expired")
	r.SwitchOff(t, id)
	r.ok(t, r.Activate(t.Context(), r.contact, r.uni, id))
	r.stands(t, "in use again", id, mailbox.RowExpired)
	r.EditRow(t, id, func(in *mailbox.Input) { in.Aliases = nil })
	r.stands(t, "the primary address did not answer either", id, mailbox.RowExpired)
	r.ConfirmRow(t, r.ada, id)
	r.ChallengeRow(t, id)
	r.clock.Advance(14 * 24 * time.Hour)
	r.ok(t, r.Tick(t.Context()))
	r.stands(t, "a link outlives a round that nobody answered", id, mailbox.Confirmed)
}

func TestWhatIsWithdrawnWasNeverAsked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada")
	r.stands(t, "new", id, mailbox.None)
	r.ChallengeRow(t, id)
	r.EditRow(t, id, func(in *mailbox.Input) { in.Aliases = []string{"one@uni.example"} })
	r.stands(t, "an edit withdrew the challenge", id, mailbox.None)
	r.ChallengeRow(t, id)
	r.SwitchOff(t, id)
	r.ok(t, r.Activate(t.Context(), r.contact, r.uni, id))
	r.stands(t, "rest withdrew it", id, mailbox.None)
}

func TestAChallengeOfARoundThatExpiredIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada", "ada@labor.example")
	r.ChallengeRow(t, id)
	n := trial.Must(r.Rounds(t.Context(), r.ReadRow(t, id), 1))[0]
	r.ok(t, r.MarkUndeliverable(t.Context(), r.contact, r.uni, id, n.Challenges[0].ID))
	r.clock.Advance(24 * time.Hour)
	r.ok(t, r.Tick(t.Context()))
	r.stands(t, "one came back, one expired", id, mailbox.Undeliverable)
	campus.Wants(t, r.RetryChallenge(t.Context(), r.officer, n.Challenges[0].ID), "mailbox.retry.over")
}

// TestTheVersionBeforeKeepsBothColumnsTrue: it writes status and knows five
// values.
func TestTheVersionBeforeKeepsBothColumnsTrue(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada")
	both := func(when, want string) {
		t.Helper()
		var got string
		r.ok(t, r.db.QueryRow(t.Context(), `select status || ' ' || state from address_row where id = $1`, id).Scan(&got))
		if got != want {
			t.Errorf("%s: got %q, want %q", when, got, want)
		}
		r.CountsAreTrue(t)
	}
	digest := r.ChallengeRow(t, id)["ada@uni.example"]
	both("asked", "open open")
	r.ok(t, r.Decline(t.Context(), r.bob, digest))
	both("declined", "none declined")
	r.ChallengeRow(t, id)
	both("asked again", "open open")
	r.clock.Advance(14 * 24 * time.Hour)
	r.ok(t, r.Tick(t.Context()))
	both("expired", "none expired")

	old := func(sql string) { t.Helper(); trial.Must(r.db.Exec(t.Context(), sql)) }
	r.ChallengeRow(t, id)
	old(`update challenge set state = 'declined', account = asked_by, ended = now() where state in ('queued', 'sent')`)
	old(`update challenge_round set outcome = 'declined', ended = now() where outcome = 'open'`)
	old(`update address_row set status = 'none'`)
	both("declined by the version before", "none declined")
	old(`update address_row set active = false, status = 'inactive'`)
	both("put to rest by it", "inactive inactive")
	old(`update address_row set active = true, status = 'none'`)
	both("taken into use by it", "none declined")
}

// TestRowsOfTheVersionBeforeGetTheirState: the step of the schema reads from the
// rounds what was lost in the status.
func TestRowsOfTheVersionBeforeGetTheirState(t *testing.T) {
	t.Parallel()
	db := pgtest.Open(t, pgtest.URL(t))
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := db.Exec(t.Context(), sql, args...); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	exec(`drop schema public cascade; create schema public`)
	db.Reset()
	std := stdlib.OpenDBFromPool(db.Pool)
	defer std.Close()
	steps, err := goose.NewProvider(goose.DialectPostgres, std, migrations.Files, goose.WithLogger(goose.NopLogger()))
	if err != nil {
		t.Fatal(err)
	}
	trial.Must(steps.UpTo(t.Context(), 30))
	exec(`insert into account (issuer, subject, username, name, given_name, family_name, email, email_verified, created, signed_in, refreshed)
		values ('i', 's', 'd', 'D', '', '', '', false, now(), now(), now())`)
	exec(`insert into contact_group (name, created) values ('Netz', now())`)
	exec(`insert into email_domain (name, contact_group, validation, created) select 'uni.example', id, 'mailbox', now() from contact_group`)
	var want []string
	for i, c := range []struct{ status, outcome, challenges, want string }{
		{"none", "", "", "none"},
		{"none", "declined", "declined invalidated", "declined"},
		{"none", "expired", "expired expired", "expired"},
		{"open", "open", "expired sent", "expired"},
		{"undeliverable", "open", "failed expired sent", "undeliverable"},
		{"open", "open", "confirmed sent", "open"},
		{"inactive", "declined", "declined", "inactive"},
	} {
		local := fmt.Sprintf("r%d", i)
		exec(`insert into address_row (domain, created, changed, name, primary_address, aliases, kind, active, status)
			select id, now(), now(), $1, $1 || '@uni.example', array['a' || $1 || '@uni.example'], 'personal', $2 <> 'inactive', $2 from email_domain`, local, c.status)
		if c.outcome != "" {
			exec(`insert into challenge_round (row_id, started, started_by, outcome, ended)
				select max(r.id), now(), max(a.id), $1, case when $1 <> 'open' then now() end from address_row r, account a`, c.outcome)
		}
		for j, state := range strings.Fields(c.challenges) {
			exec(`insert into challenge (round, row_id, recipient, covers, asked_by, state, queued, ended, account)
				select n.id, n.row_id, repeat('a', $2) || $3 || '@uni.example', '{}', n.started_by, $1, now(), case when $1 <> 'sent' then now() end,
					case when $1 in ('declined', 'confirmed') then n.started_by end
				from challenge_round n order by n.id desc limit 1`, state, j, local)
		}
		want = append(want, c.want)
	}
	trial.Must(steps.Up(t.Context()))
	var got, counts string
	err = db.QueryRow(t.Context(), `select string_agg(state, ' ' order by id),
		(select string_agg(state || n, ' ' order by state) from address_row_tally) from address_row`).Scan(&got, &counts)
	if err != nil || got != strings.Join(want, " ") || counts != "declined1 expired2 inactive1 none1 open1 undeliverable1" {
		t.Errorf("got %q and the counts %q (%v), want %q", got, counts, err, want)
	}
	var over string
	err = db.QueryRow(t.Context(), `select string_agg(n.outcome || ' ' || c.state, ', ' order by c.id) from challenge_round n join challenge c on c.round = n.id
		join address_row r on r.id = n.row_id where r.name = 'r3'`).Scan(&over)
	if err != nil || over != "expired expired, expired expired" {
		t.Errorf("a round that waited for what was over: got %q (%v), want it expired", over, err)
	}
}
