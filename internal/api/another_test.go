package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"petschaft/internal/portal"
	"petschaft/web/locale/localetest"
)

// another is one more portal on the same database and returns where it listens;
// it calls itself as the first one does.
func (r *rig) another(change ...func(*pgxpool.Config)) string {
	r.t.Helper()
	p := must(portal.Open(r.t.Context(), r.cfg, slog.New(slog.NewTextHandler(r.t.Output(), nil)), r.clock.Now, change...))
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

// The environment of a test binary that is to be another process of the portal.
const (
	childPortal = "PETSCHAFT_CHILD_PORTAL" // its configuration
	childNow    = "PETSCHAFT_CHILD_NOW"
)

func TestMain(m *testing.M) {
	if os.Getenv(childPortal) == "" {
		os.Exit(m.Run())
	}
	if err := serveElsewhere(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serveElsewhere is that other process: it says where it listens and serves.
func serveElsewhere() error {
	var cfg portal.Config
	if err := json.Unmarshal([]byte(os.Getenv(childPortal)), &cfg); err != nil {
		return err
	}
	now, err := time.Parse(time.RFC3339Nano, os.Getenv(childNow))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // nobody is left over
	defer cancel()
	p, err := portal.Open(ctx, cfg, slog.New(slog.DiscardHandler), func() time.Time { return now })
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
func (r *rig) elsewhere() (at string, process *exec.Cmd) {
	r.t.Helper()
	c := exec.Command(must(os.Executable()))
	out := must(c.StdoutPipe())
	c.Stderr = r.t.Output()
	c.Env = append(os.Environ(), childPortal+"="+string(must(json.Marshal(r.cfg))), childNow+"="+r.clock.Now().Format(time.RFC3339Nano))
	must(0, c.Start())
	r.t.Cleanup(func() {
		c.Process.Kill() // it may be over
		c.Wait()
	})
	must(fmt.Fscanln(out, &at))
	return at, c
}
