package main

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// statement is what somebody sent to the database.
type statement struct {
	sql  string
	args []any
}

// unit is a statement by itself, or those of a transaction with its brackets.
type unit struct{ all []statement }

// statements records what goes to the database, in units.
type statements struct {
	mu   sync.Mutex
	open map[*pgx.Conn]*unit
	done []*unit
}

// TraceQueryStart is called for each statement.
func (s *statements) TraceQueryStart(ctx context.Context, c *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	begins := strings.HasPrefix(d.SQL, "begin")
	u := s.open[c]
	if u == nil {
		u = &unit{}
	}
	u.all = append(u.all, statement{d.SQL, d.Args})
	switch {
	case begins:
		s.open[c] = u
	case d.SQL == "commit", d.SQL == "rollback":
		delete(s.open, c)
		s.done = append(s.done, u)
	case s.open[c] == nil:
		s.done = append(s.done, u)
	}
	return ctx
}

// TraceQueryEnd is of no interest.
func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// replay sends units bare, by as many connections as there are clients.
func (r *rig) replay(ctx context.Context, units []*unit) (time.Duration, error) {
	conns := make([]*pgx.Conn, apiClients)
	for i := range conns {
		c, err := pgx.ConnectConfig(ctx, r.DB.Config().ConnConfig.Copy())
		if err != nil {
			return 0, err
		}
		defer c.Close(ctx)
		conns[i] = c
	}
	var next atomic.Int64
	var all sync.WaitGroup
	errs := make([]error, len(conns))
	began := time.Now()
	for i, c := range conns {
		all.Go(func() {
			for n := int(next.Add(1)) - 1; n < len(units) && errs[i] == nil; n = int(next.Add(1)) - 1 {
				errs[i] = units[n].send(ctx, c)
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	return took, nil
}

func (u *unit) send(ctx context.Context, c *pgx.Conn) error {
	for _, s := range u.all {
		if len(s.args) == 0 { // brackets of a transaction, perhaps several statements at once
			if _, err := c.Exec(ctx, s.sql); err != nil {
				return err
			}
			continue
		}
		rows, err := c.Query(ctx, s.sql, s.args...)
		if err != nil {
			return err
		}
		for rows.Next() {
			if _, err := rows.Values(); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return nil
}

func middle(fs []float64) float64 {
	fs = slices.Sorted(slices.Values(fs))
	return fs[len(fs)/2]
}
