package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/imports"
	"petschaft/internal/org"
)

// imported is how many rows a file of the benchmark has.
const imported = 100_000

// floorTables are what applying an import fills, from which table, and where the
// rows of one import are. Lines that wait for their seal do not wait for the
// floor: audit_about knows them, too.
var floorTables = []struct{ name, from, where string }{
	{"address_row", "address_row", "domain = %d"},
	{"address", "address", "row_id in (select id from address_row where domain = %d)"},
	{"audit_line", "audit_line", "id in (select line from audit_about where kind = 'email_domain' and id = %d)"},
	{"audit_about", "audit_about", "line in (select line from audit_about where kind = 'email_domain' and id = %d)"},
	{"audit_waiting", "audit_about", "kind = 'email_domain' and id = %d"},
}

// importing plans and applies files of 100,000 rows in the production binary, new
// ones and then changed ones, against a bare COPY of the same rows into tables
// with the same indexes, and reads the page of a large domain meanwhile.
func importing(ctx context.Context, c commands) ([]figure, error) {
	r, err := newRig(ctx, c, "smtp://127.0.0.1:25?tls=none")
	if err != nil {
		return nil, err
	}
	defer r.close()
	if err := r.makeFloor(ctx); err != nil {
		return nil, err
	}
	binary, remove, err := build(ctx)
	if err != nil {
		return nil, err
	}
	defer remove()
	server, err := r.serve(ctx, binary)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	figures, err := r.importRounds(ctx)
	if err != nil {
		return nil, err
	}
	peak, err := server.peak()
	if err != nil {
		return nil, err
	}
	figures = append(figures, figure{"peak memory of the process that did it", fmt.Sprintf("%d MB", peak>>10), "≤ 150 MB", peak <= 150<<10})
	page, err := r.pageMeanwhile(ctx, c)
	return append(figures, page), err
}

// makeFloor makes tables like those that an import fills, without triggers.
func (r *rig) makeFloor(ctx context.Context) error {
	for _, t := range floorTables {
		if _, err := r.DB.Exec(ctx, fmt.Sprintf("create table floor_%s (like %s including all)", t.name, t.name)); err != nil {
			return err
		}
	}
	return nil
}

// seal seals all audit lines at once: the server does it behind an import, and
// would be at work while the next thing is measured.
func (r *rig) seal(ctx context.Context) error {
	for {
		if n, err := r.Audit.Seal(ctx); err != nil || n == 0 {
			return err
		}
	}
}

func (r *rig) importRounds(ctx context.Context) ([]figure, error) {
	var floors, plans, applies, replans, changes []time.Duration
	for i := range rounds {
		name := fmt.Sprintf("import%d.example", i)
		d, err := r.domain(ctx, name)
		if err != nil {
			return nil, err
		}
		plan, apply, err := r.importInto(ctx, name, "a", imported)
		if err != nil {
			return nil, err
		}
		floor, err := r.copyFloor(ctx, d, imported)
		if err != nil {
			return nil, err
		}
		replan, change, err := r.importInto(ctx, name, "b", imported)
		if err != nil {
			return nil, err
		}
		fmt.Printf("round %d: floor %v, plan %v, apply %v; changed rows: plan %v, apply %v\n", i+1, us(floor), us(plan), us(apply), us(replan), us(change))
		floors, plans, applies = append(floors, floor), append(plans, plan), append(applies, apply)
		replans, changes = append(replans, replan), append(changes, change)
	}
	floor := median(floors)
	against := func(name string, ds []time.Duration, bound float64) figure {
		ratio := float64(median(ds)) / float64(floor)
		return figure{name, fmt.Sprintf("COPY %v, portal %v = %.2f ×", us(floor), us(median(ds)), ratio), fmt.Sprintf("≤ %.0f ×", bound), ratio <= bound}
	}
	return []figure{
		against("plan for 100,000 new rows", plans, 3), against("apply 100,000 new rows", applies, 4),
		against("plan for 100,000 changed rows", replans, 3), against("apply 100,000 changed rows", changes, 4),
	}, nil
}

// importFile is an export of a mail system with n rows: a third has an alias,
// half a date. Another version has other names and aliases.
func importFile(domain, version string, n int) string {
	var b strings.Builder
	b.WriteString("Last Name;First Name;Primary E-Mail;Alias E-Mail 1;Alias E-Mail 2;Mailbox Type;Applicant E-Mail;Comment\r\n")
	families := strings.Fields("Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf Yılmaz Çelik Nowak")
	givens := strings.Fields("Anna Lukas Maria Jonas Sophie Paul Emma Felix Julia Max Lea Tim Laura Jan Lisa Ben Mia Leon Sarah Finn Nina Emre Aylin")
	for i := range n {
		alias, comment := "", ""
		if i%3 == 0 {
			alias = fmt.Sprintf("%s%d@%s", version, i, domain)
		}
		if i%2 == 0 {
			comment = fmt.Sprintf("%02d.%02d.%d", 1+i%28, 1+i%12, 2026+i%5)
		}
		fmt.Fprintf(&b, "%s%s%d;%s;user%d@%s;%s;;personal;;%s\r\n", families[i%len(families)], version, i%997, givens[i%len(givens)], i, domain, alias, comment)
	}
	return b.String()
}

// importInto uploads a file of n rows and lets the server plan and apply it. It
// returns when what follows is over, too.
func (r *rig) importInto(ctx context.Context, domain, version string, n int) (plan, apply time.Duration, err error) {
	id, err := r.Imports.Upload(ctx, r.actor, domain, "bench.csv", strings.NewReader(importFile(domain, version, n)))
	if err != nil {
		return 0, 0, err
	}
	im, err := r.Imports.One(ctx, r.actor, domain, id)
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if err := r.Imports.Plan(ctx, r.actor, domain, id, imports.Reading{Format: im.Format(), Columns: im.Columns}); err != nil {
		return 0, 0, err
	}
	if err := r.reaches(ctx, id, imports.Planned); err != nil {
		return 0, 0, err
	}
	plan = time.Since(began)
	if im, err = r.Imports.One(ctx, r.actor, domain, id); err != nil {
		return 0, 0, err
	}
	if im.New+im.Changed != n {
		return 0, 0, fmt.Errorf("the plan has %d new, %d changed and %d faulty lines", im.New, im.Changed, im.Faulty)
	}
	began = time.Now()
	if _, err := r.Imports.Apply(ctx, r.actor, domain, id, im.Changed); err != nil {
		return 0, 0, err
	}
	if err := r.reaches(ctx, id, imports.Applied); err != nil {
		return 0, 0, err
	}
	apply = time.Since(began)
	return plan, apply, r.seal(ctx)
}

// reaches waits as long as somebody works on it: what failed for good comes to
// no other state by itself.
func (r *rig) reaches(ctx context.Context, id imports.ID, want imports.State) error {
	var state imports.State
	var tries int
	var trouble string
	for began := time.Now(); time.Since(began) < 5*time.Minute; time.Sleep(5 * time.Millisecond) {
		if err := r.DB.QueryRow(ctx, `select state, tries, trouble from import where id = $1`, id).Scan(&state, &tries, &trouble); err != nil || state == want {
			return err
		}
		if !state.Working() {
			return fmt.Errorf("import %d is not %s but %s again: %s", id, want, state, trouble)
		}
	}
	return fmt.Errorf("import %d is not %s but %s after five minutes and %d tries", id, want, state, tries)
}

// writable are the columns of a table that are not generated.
func (r *rig) writable(ctx context.Context, table string) (columns string, err error) {
	err = r.DB.QueryRow(ctx, `select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
		where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''`, table).Scan(&columns)
	return columns, err
}

// copyFloor copies what an import of n rows wrote into the tables without triggers.
func (r *rig) copyFloor(ctx context.Context, d org.ID, n int) (time.Duration, error) {
	conn, err := r.DB.Acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Release()
	pg := conn.Conn().PgConn()
	files, columns := make([]bytes.Buffer, len(floorTables)), make([]string, len(floorTables))
	for i, t := range floorTables {
		if columns[i], err = r.writable(ctx, "floor_"+t.name); err != nil {
			return 0, err
		}
		sql := fmt.Sprintf("copy (select %s from %s where %s) to stdout (format binary)", columns[i], t.from, fmt.Sprintf(t.where, d))
		if _, err := pg.CopyTo(ctx, &files[i], sql); err != nil {
			return 0, err
		}
	}
	began := time.Now()
	err = pgx.BeginFunc(ctx, conn, func(pgx.Tx) error {
		for i, t := range floorTables {
			tag, err := pg.CopyFrom(ctx, &files[i], fmt.Sprintf("copy floor_%s (%s) from stdin (format binary)", t.name, columns[i]))
			if err != nil {
				return err
			}
			if tag.RowsAffected() < int64(n) {
				return fmt.Errorf("the floor of %s has only %d rows", t.name, tag.RowsAffected())
			}
		}
		return nil
	})
	return time.Since(began), err
}

// pageMeanwhile reads the page of a large domain while nothing happens, and
// while a file is planned and applied in it.
func (r *rig) pageMeanwhile(ctx context.Context, c commands) (figure, error) {
	const name = "large.example"
	d, err := r.domain(ctx, name)
	if err != nil {
		return figure{}, err
	}
	if err := r.fill(ctx, d, name, c.Rows); err != nil {
		return figure{}, err
	}
	if _, err := r.DB.Exec(ctx, "vacuum analyze"); err != nil {
		return figure{}, err
	}
	read := func() error { _, err := r.get("/email-domains/" + name); return err }
	idle, err := timed(20*samples, read)
	if err != nil {
		return figure{}, err
	}
	over := make(chan error, 1)
	go func() {
		_, _, err := r.importInto(ctx, name, "a", imported)
		over <- err
	}()
	var busy []time.Duration
	for {
		select {
		case err := <-over:
			m := median(busy)
			return figure{
				name: "domain page while 100,000 rows are imported", measured: fmt.Sprintf("idle %v, meanwhile %v = %.2f × (%d times)", us(idle), us(m), float64(m)/float64(idle), len(busy)),
				bound: "≤ 2 ×", ok: m <= 2*idle,
			}, err
		default:
			t, err := timed(1, read)
			if err != nil {
				return figure{}, err
			}
			busy = append(busy, t)
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// build makes the production binary in a folder of its own.
func build(ctx context.Context) (binary string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "petschaft-bench-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { os.RemoveAll(dir) }
	binary = filepath.Join(dir, "petschaft")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "./cmd/petschaft")
	build.Env = append(slices.Clone(os.Environ()), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		remove()
		return "", nil, fmt.Errorf("build: %w: %s", err, out)
	}
	return binary, remove, nil
}
