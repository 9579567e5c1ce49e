package sitetest

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"

	"petschaft/internal/earlier"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// elsewhere makes certificates as another authority has issued them before the
// portal: it fills the template.
type elsewhere struct {
	Ca  *x509.Certificate
	key *ecdsa.PrivateKey
	now time.Time
}

func (r *Rig) NewElsewhere() *elsewhere {
	r.T.Helper()
	e := &elsewhere{key: ECKey().(*ecdsa.PrivateKey), now: r.Clock.Now()}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Alte CA", Organization: []string{"Uni Beispiel"}},
		NotBefore: e.now.AddDate(-5, 0, 0), NotAfter: e.now.AddDate(5, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	e.Ca = trial.Must(x509.ParseCertificate(trial.Must(x509.CreateCertificate(rand.Reader, c, c, e.key.Public(), e.key))))
	return e
}

func (e *elsewhere) sign(days int, c *x509.Certificate) []byte {
	c.SerialNumber, c.NotBefore, c.NotAfter = new(big.Int).SetBytes(pki.NewSerial()), e.now.AddDate(0, -6, 0), e.now.AddDate(0, 0, days)
	return pki.PEM(trial.Must(x509.CreateCertificate(rand.Reader, c, e.Ca, ECKey().Public(), e.key)))
}

// Mail and server are certificates that end in so many days.
func (e *elsewhere) Mail(days int, addresses ...string) []byte {
	return e.sign(days, &x509.Certificate{
		Subject: pkix.Name{CommonName: addresses[0]}, EmailAddresses: addresses, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
	})
}

func (e *elsewhere) Server(days int, organisation string, names ...string) []byte {
	return e.sign(days, &x509.Certificate{
		Subject: pkix.Name{CommonName: names[0], Organization: []string{organisation}}, DNSNames: names, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
}

// ImportEarlier is an upload by rita with a server's certificate whose owner the portal
// finds out by itself.
func (r *Rig) ImportEarlier() earlier.ID {
	r.T.Helper()
	return trial.Must(r.Earlier.Upload(r.T.Context(), r.Actors["rita"], []earlier.File{{Name: "alt.pem", Content: r.NewElsewhere().Server(90, "Universität Probe", "alt.uni.example")}}, nil))
}
