package main

import (
	"encoding/base64"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

// record writes and seals lines, one by one, under the office's secret.
func (o *office) record(database string, lines int) {
	o.t.Helper()
	ctx := o.t.Context()
	db := trial.Must(postgres.Open(ctx, database))
	defer db.Close()
	sealer := trial.Must(db.Sealer(ctx, trial.Must(base64.StdEncoding.DecodeString(o.secret))))
	b := &audit.Book{DB: db, Sealer: sealer, Now: func() time.Time { return trial.Today() }, Log: slog.New(slog.DiscardHandler)}
	for range lines {
		trial.Must(0, db.Tx(ctx, func(tx pgx.Tx) error { return audit.Write(ctx, tx, audit.Line{At: trial.Today(), Action: "test.done"}) }))
		trial.Must(b.Seal(ctx))
	}
}

func TestTheRecordIsVerifiedFromACommandLine(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.sql("", "", o.paper("roles.sql"))
	t.Cleanup(func() { o.leave(o.owner) })
	owner := o.url(o.owner, o.owner)
	o.must(owner, "petschaft migrate")
	if out := o.must(owner, "petschaft audit verify"); out != "The record is whole: 0 sealed lines.\nNo seal is signed yet.\n" {
		t.Errorf("an empty record: %q", out)
	}
	o.record(owner, 3)
	out := o.must(owner, "petschaft audit verify")
	found := regexp.MustCompile(`^The record is whole: 3 sealed lines\.\nKey:    (\S{44})\nAnchor: (3:[0-9a-f]{64})\n$`).FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("verify says %q", out)
	}
	key, anchor := found[1], found[2]
	o.must(owner, "petschaft audit verify --key "+key+" --anchor "+anchor)
	o.must(owner, "petschaft audit export >all.jsonl; petschaft audit export --since 2 >end.jsonl")
	o.must("", "petschaft audit verify --file all.jsonl --key "+key+" --anchor "+anchor)
	o.must("", "petschaft audit verify --file - <all.jsonl")
	if out := o.must("", "petschaft audit verify --file end.jsonl"); !strings.Contains(out, "begins behind seal 2") {
		t.Errorf("the end of a file: %q", out)
	}
	for line, want := range map[string]struct {
		status int
		errs   string
	}{
		"petschaft audit verify --anchor 3":                                      {2, "--anchor: want the number"},
		"petschaft audit verify --key abc":                                       {2, "--key: want 32 bytes"},
		"petschaft audit verify --file none.jsonl":                               {2, "none.jsonl"},
		"echo hello | petschaft audit verify --file -":                           {2, "not an exported audit record"},
		"petschaft audit export --since 9":                                       {1, "there is no seal 9"},
		"petschaft audit verify --anchor 4" + anchor[1:]:                         {1, "seal 4 and what followed are missing"},
		"sed s/test.done/test.gone/ all.jsonl | petschaft audit verify --file -": {1, "line 1 does not fit seal 1"},
	} {
		if _, errs, status := o.says(owner, line); status != want.status || !strings.Contains(errs, want.errs) {
			t.Errorf("%s: got status %d and %q, want %d and %q", line, status, errs, want.status, want.errs)
		}
	}
	o.sql("", o.owner, "set session_replication_role = replica;\nupdate audit_line set account = 9 where id = 2")
	if out, errs, status := o.says(owner, "petschaft audit verify"); status != 1 || !strings.Contains(errs, "line 2 does not fit seal 2") || !strings.Contains(out, "whole for 1 sealed lines") {
		t.Errorf("a doctored line: got status %d, %q and %q", status, out, errs)
	}
}
