package ca_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"petschaft/internal/ca"
	"petschaft/internal/campus"
	"petschaft/internal/pgtest"
	"petschaft/internal/pki"
)

// responderOf is who signs for mail now.
func responderOf(t *testing.T, l *ca.Local, at time.Time) (*ocsp.Response, error) {
	t.Helper()
	a, err := l.SignStatus(ca.Mail, pki.Status{Serial: pki.NewSerial()}, at, at.Add(24*time.Hour))
	if err != nil {
		return nil, err
	}
	r, err := ocsp.ParseResponse(a.SHA256, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r, nil
}

func TestOpenSSLBelievesWhatIsAnswered(t *testing.T) {
	t.Parallel()
	l, _ := newLocal(t, options)
	if err := l.RenewResponders(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := campus.Signed(t.Context(), l, request(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	chain, dir := l.Chain(ca.Mail), t.TempDir()
	put := func(name string, data []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("leaf", pki.PEM(c.DER))
	put("mail", pki.PEM(chain[0]))
	put("root", pki.PEM(chain[1]))
	for _, s := range []struct {
		revoked *time.Time
		want    string
	}{{nil, "leaf: good"}, {&now, "leaf: revoked"}} {
		a, err := l.SignStatus(ca.Mail, pki.Status{Serial: c.Serial, Revoked: s.revoked, Reason: pki.KeyCompromise}, now, now.Add(24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		for hash, der := range map[string][]byte{"-sha1": a.SHA1, "-sha256": a.SHA256} {
			put("answer", der)
			cmd := exec.Command("openssl", "ocsp", "-respin", "answer", "-issuer", "mail", hash, "-cert", "leaf", "-CAfile", "root", "-verify_other", "mail",
				"-attime", fmt.Sprint(now.Add(time.Minute).Unix()), "-no_nonce", "-validity_period", "9999999999")
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "Response verify OK") || !strings.Contains(string(out), s.want) {
				t.Errorf("%s: openssl says %v\n%s\nwant %q, verified", hash, err, out, s.want)
			}
		}
	}
}

func TestAllProcessesAnswerWithOneResponder(t *testing.T) {
	t.Parallel()
	first, db := newLocal(t, options)
	url := db.Config().ConnString()
	if _, err := responderOf(t, first, now); !errors.Is(err, pki.ErrNoResponder) {
		t.Errorf("before there is one: got %v, want ErrNoResponder", err)
	}
	all := []*ca.Local{first, open(t, pgtest.Open(t, url)), open(t, pgtest.Open(t, url))}
	var wait sync.WaitGroup
	for _, l := range all {
		wait.Go(func() {
			if err := l.RenewResponders(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	all = append(all, open(t, pgtest.Open(t, url))) // started later, it has it at once
	var serials []string
	for _, l := range all {
		r, err := responderOf(t, l, now)
		if err != nil {
			t.Fatal(err)
		}
		serials = append(serials, pki.Colons(r.Certificate.SerialNumber.Bytes()))
	}
	if len(slices.Compact(serials)) != 1 {
		t.Errorf("got responders %v, want one", serials)
	}
	var n int
	if err := db.QueryRow(t.Context(), "select count(*) from ocsp_signer").Scan(&n); err != nil || n != 2 {
		t.Errorf("%d responders are kept (%v), want one for each authority that issues", n, err)
	}
	if _, err := first.SignStatus(ca.Root, pki.Status{Serial: []byte{1}}, now, now.Add(time.Hour)); !errors.Is(err, pki.ErrNoResponder) {
		t.Errorf("the root: got %v, want ErrNoResponder", err)
	}
}

func TestAResponderIsReplacedWhenHalfOfItsLifeIsOver(t *testing.T) {
	t.Parallel()
	_, db := newLocal(t, options)
	at := now
	l, err := ca.Open(t.Context(), db, sealer(t, db), func() time.Time { return at }, base)
	if err != nil {
		t.Fatal(err)
	}
	var last []byte
	for _, c := range []struct {
		days int
		same bool
	}{{0, false}, {1, true}, {14, true}, {16, false}, {60, false}, {61, true}} {
		at = now.AddDate(0, 0, c.days)
		if err := l.RenewResponders(t.Context()); err != nil {
			t.Fatal(err)
		}
		r, err := responderOf(t, l, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := bytes.Equal(r.Certificate.Raw, last); got != c.same {
			t.Errorf("after %d days: got the same responder %v, want %v", c.days, got, c.same)
		}
		last = r.Certificate.Raw
	}
	var n int
	if err := db.QueryRow(t.Context(), "select count(*) from ocsp_signer where authority = (select id from authority where name = 'mail')").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d responders are kept (%v), want those that are over forgotten", n, err)
	}
}

func TestTheKeyOfAResponderIsSealed(t *testing.T) {
	t.Parallel()
	l, db := newLocal(t, options)
	if err := l.RenewResponders(t.Context()); err != nil {
		t.Fatal(err)
	}
	// A sealed key is bound to its place: another's does not open there.
	if _, err := db.Exec(t.Context(), "update ocsp_signer s set key = o.key from ocsp_signer o where o.id <> s.id"); err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Open(t.Context(), db, sealer(t, db), clock, base); err == nil || !strings.Contains(err.Error(), "responder of") {
		t.Errorf("got %v, want that the key does not open", err)
	}
}
