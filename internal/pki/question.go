package pki

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"
)

// Question asks for the status of one certificate (RFC 6960, 4.1).
type Question struct {
	Serial []byte // empty where no certificate has such a number
	SHA256 bool   // it names the authority by digests of this kind, else of SHA-1
	name   []byte
	key    []byte
}

// errQuestion says that a question cannot be read.
var errQuestion = errors.New("this is no question for the status of a certificate")

var (
	oidSHA1   = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
)

// ParseQuestion reads a DER question (OCSPRequest, RFC 6960, 4.1.1). Of several
// certificates the first counts (RFC 5019, 2.1.1 allows one). Who asks, a
// signature and extensions, such as a nonce, are passed over: the status is for
// everybody, and an answer is signed before it is asked for.
func ParseQuestion(der []byte) (Question, error) {
	in := cryptobyte.String(der)
	var whole, tbs, list, first, id cryptobyte.String
	explicit := func(n uint8) tag.Tag { return tag.Tag(n).Constructed().ContextSpecific() }
	read := in.ReadASN1(&whole, tag.SEQUENCE) && in.Empty() &&
		whole.ReadASN1(&tbs, tag.SEQUENCE) && whole.SkipOptionalASN1(explicit(0)) && whole.Empty() && // its signature
		tbs.SkipOptionalASN1(explicit(0)) && // its version
		tbs.SkipOptionalASN1(explicit(1)) && // who asks: a GeneralName of any kind
		tbs.ReadASN1(&list, tag.SEQUENCE) &&
		tbs.SkipOptionalASN1(explicit(2)) && tbs.Empty() &&
		list.ReadASN1(&first, tag.SEQUENCE) &&
		first.ReadASN1(&id, tag.SEQUENCE) && first.SkipOptionalASN1(explicit(0)) && first.Empty()
	if !read {
		return Question{}, errQuestion
	}
	return readCertID(id)
}

// readCertID reads which certificate is meant. Digests of an unknown kind name
// nobody that is known here.
func readCertID(id cryptobyte.String) (Question, error) {
	var algorithm, name, key, serial cryptobyte.String
	var digest asn1.ObjectIdentifier
	read := id.ReadASN1(&algorithm, tag.SEQUENCE) && algorithm.ReadASN1ObjectIdentifier(&digest) &&
		id.ReadASN1(&name, tag.OCTET_STRING) && id.ReadASN1(&key, tag.OCTET_STRING) &&
		id.ReadASN1(&serial, tag.INTEGER) && id.Empty() && !serial.Empty()
	if !read {
		return Question{}, errQuestion
	}
	q := Question{SHA256: digest.Equal(oidSHA256)}
	if q.SHA256 || digest.Equal(oidSHA1) {
		q.name, q.key = name, key
	}
	if negative := serial[0]&0x80 != 0; !negative {
		q.Serial = bytes.TrimLeft(serial, "\x00")
	}
	if len(q.Serial) > 20 { // no certificate has such a number (RFC 5280, 4.1.2.2)
		q.Serial = nil
	}
	return q, nil
}

// Addressee is how questions name an authority: by digests of its name and its key.
type Addressee struct{ sha1, sha256 [2][]byte }

// NewAddressee digests the certificate of an authority.
func NewAddressee(c *x509.Certificate) *Addressee {
	key, err := publicBits(c.RawSubjectPublicKeyInfo)
	if err != nil {
		key = nil // whoever parsed c has read it
	}
	digest := func(hash crypto.Hash) (all [2][]byte) {
		for i, of := range [][]byte{c.RawSubject, key} {
			h := hash.New()
			h.Write(of)
			all[i] = h.Sum(nil)
		}
		return all
	}
	return &Addressee{sha1: digest(crypto.SHA1), sha256: digest(crypto.SHA256)}
}

// Means tells whether q asks about a certificate of the authority.
func (a Addressee) Means(q Question) bool {
	names := a.sha1
	if q.SHA256 {
		names = a.sha256
	}
	return bytes.Equal(q.name, names[0]) && bytes.Equal(q.key, names[1])
}

// The answers to questions that cannot be answered (RFC 6960, 2.3; RFC 5019,
// 2.2.3).
var (
	Malformed    = ocsp.MalformedRequestErrorResponse
	TryLater     = ocsp.TryLaterErrorResponse
	Unauthorized = ocsp.UnauthorizedErrorResponse // of this certificate nothing is known here
)
