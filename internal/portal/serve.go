package portal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"petschaft/internal/postgres"
)

// Patience is how long stopping takes at most. Requests and jobs that are under
// way may finish for grace; then they are cut off, and a little is left for what
// must be put in order.
const (
	Patience = 30 * time.Second
	grace    = 15 * time.Second
)

// Serve works and answers on l until ctx ends, then lets what is under way
// finish, for as long as grace; with Close it takes less than Patience, whatever
// hangs. What had to be cut off is no failure: the log says so. ready is called as soon as the first request would be answered.
func (p *Portal) Serve(ctx context.Context, l net.Listener, ready func()) error {
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	server := &http.Server{
		Handler:           p.Handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       60 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       120 * time.Second,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(p.log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return requests },
	}
	stop, err := p.serveMetrics()
	if err != nil {
		return err
	}
	defer stop()
	defer p.sweep(ctx)()
	if err := p.Work(ctx); err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	if ready != nil {
		ready()
	}
	go p.tryProvider(ctx)
	select {
	case err = <-failed:
		err = fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	jobs := make(chan error, 1)
	go func() { jobs <- p.Queue.Stop(last) }()
	if late := server.Shutdown(last); late != nil {
		cut()
		p.log.WarnContext(last, "requests were cut off by the stop", "error", late)
		err = errors.Join(err, server.Close())
	}
	if late := <-jobs; late != nil {
		p.log.WarnContext(last, "jobs were cut off by the stop, others take them up", "error", late)
	}
	return err
}

// sweepEvery is how often it is looked whether a minute of refusals is over.
const sweepEvery = 10 * time.Second

// sweep says what was refused too often for lines of its own, until the returned
// function is called, which says the rest.
func (p *Portal) sweep(ctx context.Context) (stop func()) {
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(sweepEvery)
		defer tick.Stop()
		for {
			select {
			case <-over:
				p.trace.Sweep(ctx, true)
				return
			case <-tick.C:
				p.trace.Sweep(ctx, false)
			}
		}
	}()
	return func() { close(over); <-done }
}

// Close gives back the connections. Serve has returned before.
func (p *Portal) Close() {
	if p.sender != nil {
		p.sender.Close()
	}
	p.DB.Close()
}

// How long a start waits for the database, how often it looks and how often it
// says so.
const (
	Awaited     = time.Minute
	awaitPause  = time.Second
	awaitSaying = 5 * time.Second
)

// Await calls open until it succeeds, while it fails because the database is
// away, for at most the time given. Any other failure ends it at once, and so
// does a database that is there and lets nobody in.
func Await(ctx context.Context, log *slog.Logger, most time.Duration, open func(context.Context) error) error {
	began, said := time.Now(), time.Time{}
	for {
		err := open(ctx)
		waited := time.Since(began)
		switch {
		case !postgres.Away(err) || postgres.Locked(err):
			return err
		case waited > most:
			return fmt.Errorf("the database did not come within %s: %w", most, err)
		}
		if time.Since(said) >= awaitSaying {
			said = time.Now()
			log.WarnContext(ctx, "waiting for the database", "waited_seconds", int(waited.Seconds()), "most_seconds", int(most.Seconds()), "error", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("stopped while waiting for the database: %w", err)
		case <-time.After(awaitPause):
		}
	}
}
