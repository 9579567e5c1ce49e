package portal_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"petschaft/internal/pgtest"
	"petschaft/internal/portal"
	"petschaft/internal/postgres"
)

func onDatabase(url string) portal.Config {
	c := good()
	c.DatabaseURL, c.BaseURL, c.OIDCIssuer, c.SMTPURL = url, "http://127.0.0.1:1", "http://localhost:1", "smtp://127.0.0.1:1?tls=none"
	return c
}

func TestAnOldSchemaIsRefusedInWords(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	db := pgtest.Open(t, url)
	if _, err := db.Exec(t.Context(), `delete from goose_db_version where version_id = (select max(version_id) from goose_db_version)`); err != nil {
		t.Fatal(err)
	}
	_, err := portal.Open(t.Context(), onDatabase(url), slog.New(slog.DiscardHandler), time.Now)
	if !errors.Is(err, postgres.ErrSchemaOld) {
		t.Errorf("got %v, want %v", err, postgres.ErrSchemaOld)
	}
}

// TestStoppingLetsAnAnswerFinish stops the portal while a request is under way.
func TestStoppingLetsAnAnswerFinish(t *testing.T) {
	t.Parallel()
	p, err := portal.Open(t.Context(), onDatabase(pgtest.URL(t)), slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	begun, goOn := make(chan struct{}), make(chan struct{})
	p.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-goOn
		io.WriteString(w, "whole")
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Serve(ctx, l, nil) }()
	answer := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + l.Addr().String())
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answer <- string(body)
	}()
	<-begun
	stop()
	select {
	case err := <-ended:
		t.Fatalf("ended with a request under way: %v", err)
	case <-time.After(50 * time.Millisecond): // it waits; a longer look would show no more
	}
	close(goOn)
	if got := <-answer; got != "whole" {
		t.Errorf("got answer %q, want it whole", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("stopping: %v", err)
	}
}
