package postgres_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"petschaft/internal/pgtest"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

func TestADatabaseElsewhereMustProveItsName(t *testing.T) {
	t.Parallel()
	for address, refused := range map[string]bool{
		"postgres://db.example/x":                              true,
		"postgres://db.example/x?sslmode=disable":              true,
		"postgres://db.example/x?sslmode=require":              true,
		"postgres://db.example/x?sslmode=verify-ca":            true,
		"postgres://192.0.2.7/x?sslmode=prefer":                true,
		"host=db.example sslmode=allow":                        true,
		"postgres://127.0.0.1,db.example/x?sslmode=prefer":     true,
		"postgres:///x?host=/run/postgresql,db.example":        true,
		"postgres://db.example/x?sslmode=verify-full":          false,
		"postgres://a.example,b.example/x?sslmode=verify-full": false,
		"postgres://localhost/x":                               false,
		"postgres://127.0.0.1/x?sslmode=disable":               false,
		"postgres://[::1]/x":                                   false,
		"postgres:///x?host=/run/postgresql":                   false,
	} {
		_, is := errors.AsType[*postgres.ClearError](postgres.Verified(address))
		if is != refused {
			t.Errorf("%s: refused %t, want %t", address, is, refused)
		}
	}
}

// wrapped puts TLS before the server of the tests, with a certificate for name, and
// returns where it listens and the authority that signed it.
func wrapped(t *testing.T, server, name string) (port, authority string) {
	t.Helper()
	key := trial.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der := trial.Must(x509.CreateCertificate(rand.Reader, c, c, key.Public(), key))
	authority = filepath.Join(t.TempDir(), "ca.pem")
	trial.Must(0, os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	l := trial.Must(net.Listen("tcp", "127.0.0.1:0"))
	t.Cleanup(func() { l.Close() })
	setting := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			go pass(from, server, setting)
		}
	}()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port, authority
}

// pass answers the request for TLS (Postgres, 54.2.11) and passes on what comes in it.
func pass(from net.Conn, server string, setting *tls.Config) {
	defer from.Close()
	if _, err := io.ReadFull(from, make([]byte, 8)); err != nil {
		return
	}
	if _, err := from.Write([]byte("S")); err != nil {
		return
	}
	to, err := net.Dial("unix", server)
	if err != nil {
		return
	}
	defer to.Close()
	inside := tls.Server(from, setting)
	go func() {
		_, _ = io.Copy(to, inside)
		to.Close()
	}()
	_, _ = io.Copy(inside, to)
}

// TestOverANetworkTheServerProvesItsName asks a real Postgres behind TLS, under a
// name that leads to this machine.
func TestOverANetworkTheServerProvesItsName(t *testing.T) {
	t.Parallel()
	u := trial.Must(url.Parse(pgtest.URL(t)))
	port, authority := wrapped(t, filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432"), "db.example")
	open := func(way func(context.Context, string, ...func(*pgxpool.Config)) (*postgres.DB, error), host, mode string) error {
		at := *u
		at.Host, at.RawQuery = host+":"+port, url.Values{"sslmode": {mode}, "sslrootcert": {authority}}.Encode()
		db, err := way(t.Context(), at.String(), func(c *pgxpool.Config) {
			c.ConnConfig.LookupFunc = func(context.Context, string) ([]string, error) { return []string{"127.0.0.1"}, nil }
		})
		if err == nil {
			db.Close()
		}
		return err
	}
	if err := open(postgres.Open, "db.example", "verify-full"); err != nil {
		t.Errorf("verify-full: %v", err)
	}
	if err := open(postgres.Open, "other.example", "verify-full"); err == nil || !strings.Contains(err.Error(), "certificate is valid for db.example, not other.example") {
		t.Errorf("another name: got %v", err)
	}
	if err := open(postgres.Open, "db.example", "verify-ca"); err == nil || !strings.Contains(err.Error(), "DATABASE_URL leads to db.example without sslmode=verify-full") {
		t.Errorf("any name: got %v", err)
	}
	if err := open(postgres.OpenUnverified, "db.example", "require"); err != nil {
		t.Errorf("where the operator lifts it: %v", err)
	}
}
