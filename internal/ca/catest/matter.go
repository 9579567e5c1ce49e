package catest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net/http"
	"time"

	"petschaft/internal/pki"
)

// matter is what was asked for once, under a reference of the authority's own.
type matter struct {
	reference string
	asked     question
	mode      Mode // in which it began
	looks     int
	der       []byte
	no        bool
}

// outcome is what a call comes to: a certificate, or the status of a no or a
// later. about is what a later is about.
type outcome struct {
	der    []byte
	status int
	about  *matter
}

// find is the matter that the caller means: by the authority's own reference, by
// the caller's, or by the number.
func (s *Server) find(q question) *matter {
	if q.Own != "" {
		return s.byOwn[q.Own]
	}
	if m := s.byReference[q.Reference]; m != nil {
		return m
	}
	return s.byIntent[q.Intent]
}

func (s *Server) begin(q question, mode Mode) *matter {
	m := &matter{reference: fmt.Sprintf("T-%d", len(s.byOwn)+1), asked: q, mode: mode}
	s.byOwn[m.reference], s.byIntent[q.Intent] = m, m
	if q.Reference != "" {
		s.byReference[q.Reference] = m
	}
	return m
}

// ask finds what was asked for before, or begins it.
func (s *Server) ask(mode Mode, q question) outcome {
	m := s.find(q)
	if m != nil && mode != Forgetful {
		return s.look(m, mode)
	}
	r, err := q.request()
	if err == nil {
		err = r.Check()
	}
	if err != nil {
		return outcome{status: http.StatusUnprocessableEntity}
	}
	return s.look(s.begin(q, mode), mode)
}

// collect signs nothing that was not asked for.
func (s *Server) collect(mode Mode, q question) outcome {
	m := s.find(q)
	if m == nil {
		return outcome{status: http.StatusNotFound}
	}
	m.looks++
	return s.look(m, mode)
}

// look is how the matter stands; what waits no longer is signed as mode says.
func (s *Server) look(m *matter, mode Mode) outcome {
	if m.der != nil {
		return outcome{der: m.der, status: http.StatusOK, about: m}
	}
	approved, judged := s.verdicts[m.asked.Intent]
	enough := s.looks > 0 && m.looks >= s.looks && m.mode != Person
	m.no = m.no || judged && !approved || m.mode == Rejecting && m.looks > 0
	switch {
	case m.no:
		return outcome{status: http.StatusUnprocessableEntity}
	case m.mode.waits() && !approved && !enough:
		return outcome{status: http.StatusAccepted, about: m}
	}
	der, err := s.sign(m.asked, mode)
	if err != nil {
		return outcome{status: http.StatusUnprocessableEntity}
	}
	m.der = der
	s.signed[m.asked.Intent] = append(s.signed[m.asked.Intent], der)
	return outcome{der: der, status: http.StatusOK, about: m}
}

// sign makes the certificate that an authority in mode makes.
func (s *Server) sign(q question, mode Mode) ([]byte, error) {
	r, err := q.request()
	if err != nil {
		return nil, err
	}
	if err := mistake(&r, mode); err != nil {
		return nil, err
	}
	p, _ := r.Profile.Profile()
	issuer, ok := s.issuers[p.Authority]
	if !ok {
		return nil, fmt.Errorf("there is no authority %q", p.Authority)
	}
	c, err := issuer.Sign(r, r.NotBefore)
	if err != nil {
		return nil, err
	}
	return spoil(issuer, c.DER, mode)
}

// mistake turns r into what the authority understood.
func mistake(r *pki.Request, mode Mode) error {
	switch mode {
	case Forgetful:
		r.Serial = pki.NewSerial()
	case LateSerial:
		r.Serial, r.NotBefore = pki.NewSerial(), r.NotBefore.Add(time.Hour)
	case OtherName:
		if len(r.DNS) > 0 {
			r.DNS = []string{"www.foreign.example"}
		} else {
			r.Emails = []string{"eve@foreign.example"}
		}
	case OtherKey:
		own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return err
		}
		r.CSR = nil
		r.Key, err = pki.NewKey(own.Public())
		return err
	}
	return nil
}

// spoil is a certificate with what no authority of ours would sign.
func spoil(issuer pki.Issuer, der []byte, mode Mode) ([]byte, error) {
	if mode != WrongPurpose && mode != TooLong && mode != ExtraName {
		return der, nil
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	switch mode {
	case WrongPurpose:
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	case TooLong:
		c.NotAfter = c.NotBefore.AddDate(3, 0, 0)
	case ExtraName:
		var name pkix.RDNSequence
		if _, err := asn1.Unmarshal(c.RawSubject, &name); err != nil {
			return nil, err
		}
		name = append(name, pkix.RelativeDistinguishedNameSET{{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "Eve Adams"}})
		if c.RawSubject, err = asn1.Marshal(name); err != nil {
			return nil, err
		}
	}
	return x509.CreateCertificate(nil, c, issuer.Certificate, c.PublicKey, issuer.Signer)
}
