// Command bench measures the portal's speed as ratios against a floor that the
// same run measures: a bare query, a bare mail loop. Each figure is the median
// of five rounds in which floor and portal alternate. It runs on a durable
// Postgres (`make bench`) and says which bounds hold. It decides no bound: those
// are in docs/operations.md.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"petschaft/internal/postgres"
)

type commands struct {
	Database string   `env:"PETSCHAFT_TEST_DATABASE" required:"" help:"URL of a superuser's database; 'demo postgres --fsync' sets it."`
	Rows     int      `default:"1000000" help:"Rows of the large domain, certificates of the large organisation."`
	Mails    int      `default:"10000" help:"Challenge mails."`
	Only     []string `help:"Only these: start, mails, issue, lint, orders, servers, import, export, ocsp, crl, table, search, api, audit."`
}

func (c commands) wants(name string) bool { return len(c.Only) == 0 || slices.Contains(c.Only, name) }

func main() {
	var c commands
	line := kong.Parse(&c, kong.Name("bench"))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	line.FatalIfErrorf(c.run(postgres.Slow(ctx, 0))) // a million rows are filled in by one statement
}

func (c commands) run(ctx context.Context) error {
	var failed bool
	for _, b := range []struct {
		name string
		run  func(context.Context, commands) ([]figure, error)
	}{
		{"start", start},
		{"mails", mails},
		{"issue", issue},
		{"lint", lints},
		{"orders", orders},
		{"servers", servers},
		{"import", importing},
		{"export", exports},
		{"ocsp", status},
		{"crl", lists},
		{"table", table},
		{"api", apiSpeed},
		{"audit", record},
	} {
		if !c.wants(b.name) && (b.name != "table" || !c.wants("search")) {
			continue
		}
		figures, err := b.run(ctx, c)
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		for _, f := range figures {
			fmt.Println(f)
			failed = failed || !f.ok
		}
	}
	if failed {
		return fmt.Errorf("a bound does not hold")
	}
	return nil
}

// figure is one measured thing and whether its bound holds.
type figure struct {
	name, measured, bound string
	ok                    bool
}

func (f figure) String() string {
	verdict := "ok"
	if !f.ok {
		verdict = "TOO SLOW"
	}
	return fmt.Sprintf("%-58s %-46s %-18s %s", f.name, f.measured, f.bound, verdict)
}

const rounds = 5

func median(ds []time.Duration) time.Duration {
	ds = slices.Sorted(slices.Values(ds))
	return ds[len(ds)/2]
}

// timed is the median time of n runs of f.
func timed(n int, f func() error) (time.Duration, error) {
	ds := make([]time.Duration, n)
	for i := range ds {
		began := time.Now()
		if err := f(); err != nil {
			return 0, err
		}
		ds[i] = time.Since(began)
	}
	return median(ds), nil
}
