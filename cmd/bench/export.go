package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"
)

// bareCopy is the floor of an export: the same columns of the same rows, in no
// order, as Postgres writes them by itself.
const bareCopy = `copy (
	select r.name, r.primary_address, r.aliases, r.kind, r.applicant, r.comment, r.status,
		coalesce(a.label, ''), nullif(r.certificate_end, 'infinity')
	from address_row r join email_domain d on d.id = r.domain left join link l on l.row_id = r.id left join account a on a.id = l.account
	where d.name = 'export.example') to stdout (format csv)`

// exports measures the file of all rows, as a browser gets it, against COPY.
func exports(ctx context.Context, c commands) ([]figure, error) {
	const n = 100_000
	r, err := newRig(ctx, c, "smtp://127.0.0.1:25?tls=none")
	if err != nil {
		return nil, err
	}
	defer r.close()
	d, err := r.domain(ctx, "export.example")
	if err != nil {
		return nil, err
	}
	if err := r.fill(ctx, d, "export.example", n); err != nil {
		return nil, err
	}
	if _, err := r.DB.Exec(ctx, "vacuum analyze"); err != nil {
		return nil, err
	}
	var bare, ours [rounds]time.Duration
	for i := range rounds {
		if bare[i], err = timed(3, func() error { return r.copyOut(ctx) }); err != nil {
			return nil, err
		}
		if ours[i], err = timed(3, func() error { return r.download("/email-domains/export.example/export.csv", n) }); err != nil {
			return nil, err
		}
	}
	floor, took := median(bare[:]), median(ours[:])
	return []figure{{
		name:     "export of 100,000 rows",
		measured: fmt.Sprintf("COPY %v, export %v = %.2f ×", floor.Round(time.Millisecond), took.Round(time.Millisecond), float64(took)/float64(floor)),
		bound:    "≤ 3 × COPY",
		ok:       took <= 3*floor,
	}}, nil
}

func (r *rig) copyOut(ctx context.Context) error {
	conn, err := r.DB.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	_, err = conn.Conn().PgConn().CopyTo(ctx, io.Discard, bareCopy)
	return err
}

// download reads a file of n rows and a header, keeping nothing.
func (r *rig) download(path string, n int) error {
	req := httptest.NewRequest(http.MethodGet, path, nil)
	req.Host = r.host()
	for _, c := range r.cookies {
		req.AddCookie(c)
	}
	out := &lines{header: http.Header{}}
	r.Handler.ServeHTTP(out, req)
	if out.status != http.StatusOK || out.n != n+1 {
		return fmt.Errorf("%s: status %d with %d lines, want %d", path, out.status, out.n, n+1)
	}
	return nil
}

// lines is an answer of which only the lines are counted.
type lines struct {
	header http.Header
	status int
	n      int
}

func (l *lines) Header() http.Header { return l.header }

func (l *lines) WriteHeader(status int) { l.status = status }

func (l *lines) Write(b []byte) (int, error) {
	if l.status == 0 {
		l.status = http.StatusOK
	}
	for _, c := range b {
		if c == '\n' {
			l.n++
		}
	}
	return len(b), nil
}
