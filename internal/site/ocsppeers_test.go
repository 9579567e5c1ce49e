package site_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"petschaft/internal/lane"
	"petschaft/internal/pki"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// peers is a directory with ada's certificate and those above it.
func (a asked) peers() string {
	a.r.T.Helper()
	dir, chain := a.r.T.TempDir(), a.r.CA.Chain("mail")
	for name, data := range map[string][]byte{"leaf": pki.PEM(a.c.Raw), "mail": pki.PEM(chain[0]), "root": pki.PEM(chain[1])} {
		trial.Must(0, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	return dir
}

// TestPeerNSSBelievesAnswers: it takes a certificate for revoked whose answer was
// produced before its thisUpdate, so the clock stands within a minute.
func TestPeerNSSBelievesAnswers(t *testing.T) {
	t.Parallel()
	lane.Peer(t, "certutil", "vfychain")
	r := sitetest.NewOn(t, trial.Machine())
	if r.Clock.Now().Second() == 0 {
		r.Clock.Advance(time.Second)
	}
	a := newAsked(r)
	dir := a.peers()
	sitetest.Says(t, dir, "certutil", "-N", "-d", "sql:.", "--empty-password")
	sitetest.Says(t, dir, "certutil", "-A", "-d", "sql:.", "-n", "root", "-t", "CT,C,C", "-a", "-i", "root")
	judge := []string{"-d", "sql:.", "-pp", "-u", "4", "-g", "leaf", "-m", "ocsp", "-s", "failIfNoInfo", "-a", "leaf", "mail"}
	if out, err := sitetest.Run(t, dir, "vfychain", judge...); err != nil || !strings.Contains(out, "Chain is good!") {
		t.Errorf("of a good certificate vfychain says\n%s\nwant it good", out)
	}
	a.revoke()
	r.Clock.Advance(30 * time.Second) // answers are kept as long in memory
	if out, err := sitetest.Run(t, dir, "vfychain", judge...); err == nil || !strings.Contains(out, "-8180") {
		t.Errorf("of a revoked certificate vfychain says\n%s\nwant it revoked (-8180)", out)
	}
}

// TestWhoeverNamesOrSignsAQuestionIsAnswered (RFC 6960, 4.1.1).
func TestWhoeverNamesOrSignsAQuestionIsAnswered(t *testing.T) {
	t.Parallel()
	a := newAsked(sitetest.New(t))
	dir := a.peers()
	sitetest.Says(t, dir, "openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-subj", "/CN=Frager", "-keyout", "key", "-out", "who")
	now := strconv.FormatInt(a.r.Clock.Now().Unix(), 10)
	check := []string{
		"ocsp", "-issuer", "mail", "-cert", "leaf", "-CAfile", "root", "-verify_other", "mail", "-attime", now, "-validity_period", "9999999999", "-no_nonce",
		"-signer", "who", "-signkey", "key", "-sign_other", "mail", "-reqout", "question", "-url", a.r.At("/pki/ocsp/mail"),
	}
	if out := sitetest.Says(t, dir, "openssl", check...); !strings.Contains(out, "Response verify OK") || !strings.Contains(out, "leaf: good") {
		t.Errorf("openssl ocsp -signer says\n%s\nwant good, verified", out)
	}
	if question := trial.Must(os.ReadFile(filepath.Join(dir, "question"))); len(question) < 2<<10 {
		t.Errorf("the signed question has %d bytes, want one that shows that long ones are read", len(question))
	}
	unknown := trial.Must(os.ReadFile("../pki/testdata/70-ocsp-unsigned-requestorName-directoryName.der"))
	_, err := ocsp.ParseResponse([]byte(a.post(unknown, "application/ocsp-request").Content), nil)
	if err != (ocsp.ResponseError{Status: ocsp.Unauthorized}) {
		t.Errorf("a named question about somebody else's certificate: got %v, want that it is not answered for here", err)
	}
}
