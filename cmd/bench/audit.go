package main

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
)

// record verifies a record of as many lines as --rows says, against reading the
// same columns of the same lines in the same order, and looks for lines in it.
func record(ctx context.Context, c commands) ([]figure, error) {
	r, err := newRig(ctx, c, "smtp://127.0.0.1:25?tls=none")
	if err != nil {
		return nil, err
	}
	defer r.close()
	if err := r.fillRecord(ctx, c.Rows); err != nil {
		return nil, err
	}
	var reads, verifies []time.Duration
	for i := range rounds {
		began := time.Now()
		if err := r.readRecord(ctx); err != nil {
			return nil, err
		}
		reads = append(reads, time.Since(began))
		began = time.Now()
		if _, err := audit.Verify(ctx, r.DB, audit.Expected{}); err != nil {
			return nil, err
		}
		verifies = append(verifies, time.Since(began))
		fmt.Printf("round %d: reading %v, verifying %v\n", i+1, us(reads[i]), us(verifies[i]))
	}
	ratio := float64(median(verifies)) / float64(median(reads))
	figures := []figure{{fmt.Sprintf("verifying %d audit lines", c.Rows), fmt.Sprintf("%.1f × reading them (%v)", ratio, us(median(verifies))), "≤ 2 ×", ratio <= 2}}
	for _, s := range []struct {
		name string
		f    audit.Filter
	}{
		{"nothing", audit.Filter{}},
		{"an action", audit.Filter{Prefix: "bench.rare"}},
		{"a person", audit.Filter{Accounts: []int64{77}}},
		{"a thing", audit.Filter{About: audit.Thing{Kind: "row", ID: 77}}},
		{"a day", audit.Filter{From: recordBegins.Add(time.Hour), Until: recordBegins.Add(2 * time.Hour)}},
		{"a text", audit.Filter{Words: []string{"person77@uni"}}},
	} {
		began := time.Now()
		for range 10 {
			if _, err := audit.Search(ctx, r.DB, s.f, 0, 51); err != nil {
				return nil, err
			}
		}
		took := time.Since(began) / 10
		figures = append(figures, figure{"a page of it, by " + s.name, us(took), "≤ 100 ms", took <= 100*time.Millisecond})
	}
	return figures, nil
}

var recordBegins = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (r *rig) fillRecord(ctx context.Context, n int) error {
	const batch = 5000
	for begin := 0; begin < n; begin += batch {
		lines := make([]audit.Line, min(batch, n-begin))
		for i := range lines {
			k := int64(begin + i)
			lines[i] = audit.Line{
				Who: audit.Who{Account: k%5000 + 1, From: netip.MustParseAddr("192.0.2.7")}, At: recordBegins.Add(time.Duration(k) * time.Second), Action: "bench.done",
				Detail: audit.Detail{"name": fmt.Sprintf("Person %d", k), "primary": fmt.Sprintf("person%d@uni.example", k)},
				About:  []audit.Thing{{Kind: "row", ID: k}, {Kind: "email_domain", ID: k % 50}},
			}
			if k%10_000 == 0 {
				lines[i].Action = "bench.rare"
			}
		}
		if err := r.DB.Tx(ctx, func(tx pgx.Tx) error { return audit.Copy(ctx, tx, lines) }); err != nil {
			return err
		}
	}
	if err := r.seal(ctx); err != nil {
		return err
	}
	_, err := r.DB.Exec(ctx, `analyze audit_line, audit_about, audit_seal`)
	return err
}

// readRecord reads what verify looks at, and does nothing with it.
func (r *rig) readRecord(ctx context.Context) error {
	rows, err := r.DB.Query(ctx, `select s.seq, s.hash, s.signature, l.id, l.at, l.account, l.token, l.origin, l.action, l.digest,
			array(select a.kind || ':' || a.id from audit_about a where a.line = l.id order by a.kind collate "C", a.id), l.detail::text, l.salt
		from audit_seal s join audit_line l on l.id = s.line order by s.seq`)
	if err != nil {
		return err
	}
	var seq, id int64
	var hash, signature, digest, salt []byte
	var at time.Time
	var account, token *int64
	var origin *netip.Addr
	var action string
	var about []string
	var detail *string
	_, err = pgx.ForEachRow(rows, []any{&seq, &hash, &signature, &id, &at, &account, &token, &origin, &action, &digest, &about, &detail, &salt}, func() error { return nil })
	return err
}
