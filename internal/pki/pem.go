package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"regexp"

	"petschaft/internal/fault"
)

// PEM is one file of certificates in the given order, without any text between
// them (RFC 7468).
func PEM(certificates ...[]byte) []byte {
	var all bytes.Buffer
	for _, der := range certificates {
		all.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	return all.Bytes()
}

// ErrPrivateKey is that a private key stands where a request is wanted: it is
// never shown again.
var ErrPrivateKey = fault.New(fault.Invalid, "pki.csr.private_key")

// HoldsPrivateKey tells whether ReadCSR would refuse data with ErrPrivateKey.
func HoldsPrivateKey(data []byte) bool {
	_, err := unwrap(data)
	return errors.Is(err, ErrPrivateKey)
}

// unwrap is the DER of the one request in data. A private key among it is
// looked for first, in every shape people paste.
func unwrap(data []byte) ([]byte, error) {
	text := plain(data)
	if holdsPrivateKey(text) || isPrivateKey(data) { // said first: nobody may show such a file again
		return nil, ErrPrivateKey
	}
	if len(data) > mostOfCSR {
		return nil, fault.New(fault.Invalid, "pki.csr.too_large")
	}
	begin := []byte("-----BEGIN ")
	switch n := bytes.Count(text, begin); {
	case len(text) == 0:
		return nil, fault.New(fault.Invalid, "pki.csr.empty")
	case n > 1:
		return nil, fault.New(fault.Invalid, "pki.csr.two_blocks")
	case n == 1:
		return unwrapPEM(text)
	}
	if der, ok := bare(text); ok {
		if isPrivateKey(der) {
			return nil, ErrPrivateKey
		}
		return nil, fault.New(fault.Invalid, "pki.csr.no_frame")
	}
	return unwrapDER(data)
}

// plain is data as ASCII text whose lines begin and end with what can be seen:
// editors add byte order marks, UTF-16 and spaces.
func plain(data []byte) []byte {
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		data = bytes.TrimPrefix(data, []byte(mark))
	}
	data = bytes.ReplaceAll(data, []byte{0}, nil)
	lines := bytes.Split(bytes.ReplaceAll(data, []byte("\r"), []byte("\n")), []byte("\n"))
	for i, line := range lines {
		lines[i] = bytes.TrimSpace(line)
	}
	return bytes.TrimSpace(bytes.Join(lines, []byte("\n")))
}

func unwrapPEM(text []byte) ([]byte, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		block = looseBlock(text)
	}
	if block == nil {
		return nil, fault.New(fault.Invalid, "pki.csr.cut_off")
	}
	switch block.Type {
	case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST":
	case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
		return nil, fault.New(fault.Invalid, "pki.csr.certificate")
	default:
		return nil, fault.New(fault.Invalid, "pki.csr.not_request")
	}
	if isPrivateKey(block.Bytes) {
		return nil, ErrPrivateKey
	}
	return unwrapDER(block.Bytes)
}

var (
	wholeFrame = regexp.MustCompile(`(?s)-----BEGIN ([A-Z0-9 ]+)-----(.*)-----END ([A-Z0-9 ]+)-----`)
	// lineBreak is a lost or a written-out one: fields of one line and YAML make
	// blanks of them, JSON and shells "\n".
	lineBreak = regexp.MustCompile(`\s+|\\+[nrt]`)
)

// looseBlock is a PEM block whose frame is there and whose line breaks are not,
// nil where there is none.
func looseBlock(text []byte) *pem.Block {
	m := wholeFrame.FindSubmatch(text)
	if m == nil || !bytes.Equal(m[1], m[3]) {
		return nil
	}
	der, err := base64.StdEncoding.DecodeString(string(lineBreak.ReplaceAll(m[2], nil)))
	if err != nil {
		return nil
	}
	return &pem.Block{Type: string(m[1]), Bytes: der}
}

// unwrapDER looks at the frame of what should be a request.
func unwrapDER(der []byte) ([]byte, error) {
	length, ok := sequenceLength(der)
	switch {
	case !ok:
		return nil, fault.New(fault.Invalid, "pki.csr.not_request")
	case length > len(der):
		return nil, fault.New(fault.Invalid, "pki.csr.cut_off")
	}
	if _, err := x509.ParseCertificate(der); err == nil {
		return nil, fault.New(fault.Invalid, "pki.csr.certificate")
	}
	return der, nil
}

// sequenceLength is how many bytes the SEQUENCE at the beginning of der says it
// has, head included.
func sequenceLength(der []byte) (int, bool) {
	if len(der) < 2 || der[0] != 0x30 {
		return 0, false
	}
	if der[1] < 0x80 {
		return 2 + int(der[1]), true
	}
	size := int(der[1] & 0x7f)
	if size == 0 || size > 3 || len(der) < 2+size {
		return 0, false
	}
	length := 0
	for _, b := range der[2 : 2+size] {
		length = length<<8 | int(b)
	}
	return 2 + size + length, true
}

// bare decodes base64 whose BEGIN and END lines were not copied.
func bare(text []byte) ([]byte, bool) {
	if !bytes.HasPrefix(text, []byte("M")) { // how base64 of a SEQUENCE begins
		return nil, false
	}
	der, err := base64.StdEncoding.DecodeString(string(bytes.ReplaceAll(text, []byte("\n"), nil)))
	return der, err == nil
}

func holdsPrivateKey(text []byte) bool {
	upper := bytes.ToUpper(text)
	has := func(mark string) bool { return bytes.Contains(upper, []byte(mark)) }
	return has("PRIVATE KEY") || // PEM, OpenSSH
		has("PRIVATE-LINES:") || // PuTTY
		has("<RSAKEYVALUE>") && has("<D>") || // .NET
		has(`"KTY"`) && has(`"D"`) // JSON Web Key
}

// isPrivateKey recognises DER of PKCS#8, also encrypted, PKCS#1, SEC 1 and
// PKCS#12.
func isPrivateKey(der []byte) bool {
	var version int
	var next asn1.RawValue
	if sequenceBegins(der, &version, &next) {
		is := func(tag int) bool { return next.Class == asn1.ClassUniversal && next.Tag == tag }
		switch version {
		case 0: // PKCS#1, PKCS#8
			return is(asn1.TagInteger) || is(asn1.TagSequence)
		case 1: // SEC 1, PKCS#8 with its public key
			return is(asn1.TagOctetString) || is(asn1.TagSequence)
		case 3: // PKCS#12
			return is(asn1.TagSequence)
		}
		return false
	}
	var encrypted struct {
		Algorithm struct {
			OID        asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Data []byte
	}
	rest, err := asn1.Unmarshal(der, &encrypted)
	return err == nil && len(rest) == 0
}

// sequenceBegins reads the first two values of a SEQUENCE, whatever follows.
func sequenceBegins(der []byte, first *int, second *asn1.RawValue) bool {
	var whole asn1.RawValue
	if _, err := asn1.Unmarshal(der, &whole); err != nil || whole.Tag != asn1.TagSequence || !whole.IsCompound {
		return false
	}
	rest, err := asn1.Unmarshal(whole.Bytes, first)
	if err != nil {
		return false
	}
	_, err = asn1.Unmarshal(rest, second)
	return err == nil
}
