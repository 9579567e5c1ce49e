package portal_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/ca"
	"petschaft/internal/pgtest"
	"petschaft/internal/portal"
	"petschaft/internal/postgres"
)

// content is a digest of every table's rows.
func content(t *testing.T, db *postgres.DB) map[string]string {
	t.Helper()
	rows, err := db.Query(t.Context(), `select table_name::text from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(names) == 0 {
		t.Fatalf("list tables: %v, %v", names, err)
	}
	all := map[string]string{}
	for _, name := range names {
		var digest string
		sql := fmt.Sprintf(`select md5(coalesce(string_agg(x::text, ' ' order by x::text), '')) from %s x`, pgx.Identifier{name}.Sanitize())
		if err := db.QueryRow(t.Context(), sql).Scan(&digest); err != nil {
			t.Fatal(err)
		}
		all[name] = digest
	}
	return all
}

func TestAPortalUnderAnotherSecretDoesNotStartAndChangesNothing(t *testing.T) {
	t.Parallel()
	at := pgtest.URL(t)
	db := pgtest.Open(t, at)
	sealer, err := db.Sealer(t.Context(), make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	if err := ca.Init(t.Context(), db, sealer, ca.Options{Organisation: "Uni Beispiel", Country: "DE", Now: time.Now()}); err != nil {
		t.Fatal(err)
	}
	before := content(t, db)
	other := make([]byte, 32)
	other[31] = 1
	p, err := portal.Open(t.Context(), portal.Config{
		DatabaseURL: at, BaseURL: "http://127.0.0.1:1", Listen: "127.0.0.1:0", OIDCIssuer: "http://localhost:1", OIDCClientID: "portal", OIDCGroupsClaim: "groups",
		RAGroup: "office", SMTPURL: "smtp://127.0.0.1:1?tls=none", MailFrom: "portal@uni.example", MailBounce: "bounce@uni.example",
		Secret: base64.StdEncoding.EncodeToString(other), RowGap: time.Minute, RowDay: 10, ActorHour: 500, AddressHour: 30, BulkMails: 60, HandoverDay: 10, LookUpHour: 20, SignInPerMinute: 600, TokenSleep: 30, APIPerMinute: 1200,
	}, slog.New(slog.NewTextHandler(t.Output(), nil)), time.Now)
	if err == nil {
		p.Close()
	}
	if !errors.Is(err, postgres.ErrWrongSecret) {
		t.Errorf("got %v, want %v", err, postgres.ErrWrongSecret)
	}
	if after := content(t, db); !maps.Equal(before, after) {
		t.Errorf("the database was changed: before %v, after %v", before, after)
	}
}
