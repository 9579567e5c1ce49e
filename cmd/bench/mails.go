package main

import (
	"context"
	"fmt"
	"html"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	gomail "github.com/wneessen/go-mail"

	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/sink"
)

func htmlUnescape(s string) string { return html.UnescapeString(s) }

const connections = 8

// mails sends challenge mails through the queue, one job each, against a bare
// loop of go-mail that composes the same mails over as many connections. The
// server answers DATA after ten milliseconds.
func mails(ctx context.Context, c commands) ([]figure, error) {
	server, err := sink.New(sink.Config{CountOnly: true, Delay: 10 * time.Millisecond})
	if err != nil {
		return nil, err
	}
	if err := server.Start("127.0.0.1:0"); err != nil {
		return nil, err
	}
	defer server.Close()
	r, err := newRig(ctx, c, fmt.Sprintf("smtp://%s?tls=none", server.Addr()))
	if err != nil {
		return nil, err
	}
	defer r.close()
	d, err := r.domain(ctx, "mail.example")
	if err != nil {
		return nil, err
	}
	n := c.Mails / rounds
	_, err = r.DB.Exec(ctx, `insert into address_row (domain, kind, name, primary_address, created, changed)
		select $1, 'personal', 'User ' || i, 'user' || i || '@mail.example', now(), now() from generate_series(1, $2::int) i`, d, c.Mails)
	if err != nil {
		return nil, err
	}
	ids, err := r.ids(ctx, d)
	if err != nil {
		return nil, err
	}
	var bare, queued []time.Duration
	for i := range rounds {
		b, err := bareLoop(ctx, fmt.Sprint(server.Addr()), n)
		if err != nil {
			return nil, err
		}
		q, err := r.challenges(ctx, server, ids[i*n:(i+1)*n])
		if err != nil {
			return nil, err
		}
		bare, queued = append(bare, b), append(queued, q)
	}
	b, q := rate(n, median(bare)), rate(n, median(queued))
	return []figure{{
		name:     fmt.Sprintf("%d challenge mails, one job a mail", rounds*n),
		measured: fmt.Sprintf("bare %.0f/s, portal %.0f/s = %.2f ×", b, q, q/b),
		bound:    "≥ 0.8 ×", ok: q >= 0.8*b,
	}}, nil
}

func rate(n int, d time.Duration) float64 { return float64(n) / d.Seconds() }

// bareLoop is the floor.
func bareLoop(ctx context.Context, address string, n int) (time.Duration, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return 0, err
	}
	p, err := strconv.Atoi(port)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	var wg sync.WaitGroup
	errs := make(chan error, connections)
	for range connections {
		wg.Go(func() { errs <- bareConnection(ctx, host, p, n/connections) })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

func bareConnection(ctx context.Context, host string, port, n int) error {
	c, err := gomail.NewClient(host, gomail.WithPort(port), gomail.WithTLSPolicy(gomail.NoTLS), gomail.WithoutNoop())
	if err != nil {
		return err
	}
	if err := c.DialWithContext(ctx); err != nil {
		return err
	}
	defer c.Close()
	for i := range n {
		l, err := mail.Challenge(mail.ChallengeWords{
			To: fmt.Sprintf("user%d@mail.example", i), Asks: "Bea Bench", Domain: "mail.example",
			Link: "http://127.0.0.1/c/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Until: began(i),
		})
		if err != nil {
			return err
		}
		m := gomail.NewMsg()
		if err := m.From("portal@bench.example"); err != nil {
			return err
		}
		if err := m.To(l.To); err != nil {
			return err
		}
		m.Subject(l.Subject)
		m.SetBodyString(gomail.TypeTextPlain, l.Text)
		m.AddAlternativeString(gomail.TypeTextHTML, l.HTML)
		if err := c.Send(m); err != nil {
			return err
		}
	}
	return nil
}

func began(i int) time.Time { return time.Date(2026, 12, 1, 0, i%60, 0, 0, time.UTC) }

// ids are personal rows without aliases: one mail each.
func (r *rig) ids(ctx context.Context, d org.ID) ([]mailbox.ID, error) {
	rows, err := r.DB.Query(ctx, `select id from address_row where domain = $1 order by id`, d)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[mailbox.ID])
}

// challenges starts a round for each row while nothing works the queue, then
// measures from the start of the work until the server has all mails.
func (r *rig) challenges(ctx context.Context, server *sink.Sink, ids []mailbox.ID) (time.Duration, error) {
	before := server.Count()
	work := make(chan mailbox.ID)
	errs := make(chan error, connections)
	for range connections {
		go func() {
			var failed error
			for id := range work {
				if _, err := r.Mailbox.Challenge(ctx, r.actor, "mail.example", id); err != nil {
					failed = err
				}
			}
			errs <- failed
		}()
	}
	for _, id := range ids {
		work <- id
	}
	close(work)
	for range connections {
		if err := <-errs; err != nil {
			return 0, err
		}
	}
	began := time.Now()
	if err := r.Work(ctx); err != nil {
		return 0, err
	}
	for server.Count() < before+len(ids) {
		if time.Since(began) > 2*time.Minute {
			return 0, fmt.Errorf("only %d of %d mails after two minutes", server.Count()-before, len(ids))
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
	took := time.Since(began)
	return took, r.Queue.Stop(ctx)
}
