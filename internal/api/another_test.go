package api_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"petschaft/internal/portal"
	"petschaft/internal/trial"
	"petschaft/web/locale/localetest"
)

// another is one more portal on the same database and returns where it listens;
// it calls itself as the first one does.
func (r *rig) another(change ...func(*pgxpool.Config)) string {
	r.t.Helper()
	p := trial.Must(portal.Open(r.t.Context(), r.cfg, slog.New(slog.NewTextHandler(r.t.Output(), nil)), r.clock.Now, change...))
	r.t.Cleanup(p.Close)
	server := httptest.NewServer(localetest.Watch(r.t, p.Handler))
	r.t.Cleanup(server.Close)
	return server.URL
}

// cutter loses the answer to the commit of a transaction that does a deed: the
// database has it, and nobody hears so.
type cutter struct {
	pgx.QueryTracer
	armed atomic.Bool
}

// wire is a connection to the database.
type wire struct {
	net.Conn
	ends, lost atomic.Bool
}

func (c *cutter) pool(config *pgxpool.Config) {
	c.QueryTracer = config.ConnConfig.Tracer
	config.ConnConfig.Tracer = c
	dial := config.ConnConfig.DialFunc
	config.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		return &wire{Conn: conn}, err
	}
}

func (c *cutter) TraceQueryStart(ctx context.Context, conn *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	w := conn.PgConn().Conn().(*wire)
	switch {
	case strings.HasPrefix(q.SQL, "update deed") && c.armed.CompareAndSwap(true, false):
		w.ends.Store(true)
	case q.SQL == "commit" && w.ends.Load():
		w.lost.Store(true)
	}
	return ctx
}

func (c *cutter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if w.lost.Load() { // what was read is the answer
		w.Conn.Close()
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}

func TestMain(m *testing.M) { trial.Main(m, trial.NewPart("serve", serveElsewhere)) }

// serving is what another process of the portal is started with.
type serving struct {
	Config portal.Config
	Now    time.Time
}

// serveElsewhere is that other process: it says where it listens and serves.
func serveElsewhere(ctx context.Context, s serving) error {
	p, err := portal.Open(ctx, s.Config, slog.New(slog.DiscardHandler), func() time.Time { return s.Now })
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("http://" + l.Addr().String())
	go http.Serve(l, p.Handler)
	<-ctx.Done()
	return nil
}

// elsewhere starts another process of the portal, whose clock stands still.
func (r *rig) elsewhere() (at string, process *trial.Child) {
	r.t.Helper()
	c := trial.NewChild(r.t, "serve", serving{r.cfg, r.clock.Now()})
	return c.Says(), c
}
