package pki

// Format is a kind of file that a server's certificate is fetched as. Pages and
// programs call it by the same name, which never changes its meaning.
type Format struct {
	Name   string // "x509chain.pem"
	Ending string // of the file's name, behind what the certificate is called
	Kind   string // media type
	Above  bool   // it holds nothing without those above the certificate
	write  func(chain [][]byte) ([]byte, error)
}

// Formats are all of them: the certificate alone, with its issuers and root, with
// its issuers, the issuers and root alone, the certificate in DER, all in PKCS#7.
func Formats() []Format {
	const one, many = "application/x-pem-file", "application/pem-certificate-chain"
	return []Format{
		{"certificate.pem", ".pem", one, false, func(c [][]byte) ([]byte, error) { return PEM(c[0]), nil }},
		{"x509chain.pem", "-x509chain.pem", many, true, func(c [][]byte) ([]byte, error) { return PEM(c...), nil }},
		{"fullchain.pem", "-fullchain.pem", many, true, func(c [][]byte) ([]byte, error) { return PEM(rootless(c)...), nil }},
		{"issuers.pem", "-issuers.pem", many, true, func(c [][]byte) ([]byte, error) { return PEM(c[1:]...), nil }},
		{"certificate.cer", ".cer", "application/pkix-cert", false, func(c [][]byte) ([]byte, error) { return c[0], nil }},
		{"certificate.p7b", ".p7b", "application/x-pkcs7-certificates", false, func(c [][]byte) ([]byte, error) { return PKCS7(c...) }},
	}
}

// FormatCalled is the format of that name.
func FormatCalled(name string) (Format, bool) {
	for _, f := range Formats() {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

// File writes a chain: the certificate, its issuers, the root, as far as they are
// known.
func (f Format) File(chain [][]byte) ([]byte, error) { return f.write(chain) }
