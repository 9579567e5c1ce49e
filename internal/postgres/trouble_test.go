package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"petschaft/internal/fault"
	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
)

func code(c string) error { return fmt.Errorf("do it: %w", &pgconn.PgError{Code: c}) }

func TestWhatIsAVerdictAndWhatPasses(t *testing.T) {
	t.Parallel()
	type judged struct {
		err               error
		passing, doubtful bool
		told              fault.Kind
	}
	cases := []judged{
		{nil, false, false, fault.Internal},
		{fault.New(fault.Conflict, "x"), false, false, fault.Conflict},
		{fault.New(fault.TooMany, "x"), false, false, fault.TooMany},
		{fault.New(fault.Denied, "x").Because(context.DeadlineExceeded), false, false, fault.Denied},
		{fault.New(fault.Unavailable, "x"), true, false, fault.Unavailable},
		{&pgconn.PgError{Code: "23505", ConstraintName: "c"}, false, false, fault.Internal}, // said by who wrote, not by the rim
		{pgx.ErrNoRows, false, false, fault.Internal},
		{errors.New("nobody knows"), true, true, fault.Internal},
		{fmt.Errorf("ask: %w", context.DeadlineExceeded), true, false, fault.Unavailable},
		{fmt.Errorf("ask: %w", context.Canceled), true, false, fault.Unavailable},
		{pgconn.ErrConnClosed, true, false, fault.Unavailable},
	}
	for _, c := range strings.Fields("08006 08P01 53100 53200 53300 57P01 57P02 57P03 25006 25P03 40001 40P01 55P03") {
		cases = append(cases, judged{code(c), true, false, fault.Unavailable})
	}
	for _, c := range strings.Fields("55006 57000 58030 25001") {
		cases = append(cases, judged{code(c), true, false, fault.Internal})
	}
	cases = append(cases, judged{code("57014"), true, true, fault.Unavailable},
		judged{code("XX000"), true, true, fault.Internal}, judged{code("25P02"), true, true, fault.Internal})
	for _, c := range strings.Fields("22001 23502 42601 42501 22021") {
		cases = append(cases, judged{code(c), false, false, fault.Internal})
	}
	for _, c := range cases {
		if got := postgres.Passing(c.err); got != c.passing {
			t.Errorf("%v: got passing %v, want %v", c.err, got, c.passing)
		}
		if got := postgres.Doubtful(c.err); got != c.doubtful {
			t.Errorf("%v: got doubtful %v, want %v", c.err, got, c.doubtful)
		}
		if f := postgres.Told(c.err); c.err != nil && f.Kind != c.told {
			t.Errorf("%v: a request is answered as %v, want %v", c.err, f.Kind, c.told)
		}
	}
}

func TestALockedDoorIsNoOutage(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	_, err := postgres.Open(t.Context(), strings.Replace(address, "/t_", "/no_such_t_", 1))
	if !postgres.Locked(err) {
		t.Errorf("a database that does not exist: got %v, want it told apart from an outage", err)
	}
	stranger, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	stranger.User = url.User("nobody_of_this_name")
	if _, err := postgres.Open(t.Context(), stranger.String()); !postgres.Locked(err) {
		t.Errorf("a user that does not exist: got %v, want it told apart from an outage", err)
	}
	p := pgtest.NewProxy(t, address)
	p.Refuse()
	if _, err := postgres.Open(t.Context(), p.URL); postgres.Locked(err) || !postgres.Passing(err) {
		t.Errorf("a server that is down: got %v, want it passing", err)
	}
}

func TestAnOutageIsOneLineASecond(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	for range 1000 {
		db.Outage(t.Context(), log, code("57P01"))
	}
	if n := strings.Count(said.String(), "\n"); n < 1 || n > 2 || !strings.Contains(said.String(), "57P01") {
		t.Errorf("got %d lines about 1000 requests within an instant, want one with the cause: %s", n, said.String())
	}
}
