package compromise_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net/netip"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/ca"
	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/compromise"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// rig is a university in which ada and bob hold certificates of mailboxes, and tina
// and theo look after an organisation each.
type rig struct {
	*campus.Mint
	*campus.Campus
	keys                                   *compromise.Book
	local                                  *ca.Local
	asked                                  withdrawals
	contact, officer, ada, bob, tina, theo person.Actor
	institute, faculty                     org.OrganisationID
}

type withdrawals []cert.Withdrawal

func (w *withdrawals) Withdraw(_ context.Context, _ pgx.Tx, _ time.Time, one cert.Withdrawal) error {
	*w = append(*w, one)
	return nil
}

var home = netip.MustParseAddr("192.0.2.7")

func newRig(t testing.TB) *rig { return rigOn(t, campus.New(t)) }

func rigOn(t testing.TB, c *campus.Campus) *rig {
	t.Helper()
	r := &rig{Campus: c, local: c.Local(), keys: c.Books.Keys}
	office := campus.WithEmail("Amt", "amt@people.example")
	office.Groups = []string{"ra"}
	r.officer = c.SignInOfficer(office)
	for name, a := range map[string]*person.Actor{"Netz": &r.contact, "Ada": &r.ada, "Bob": &r.bob, "Tina": &r.tina, "Theo": &r.theo} {
		*a = c.SignIn(campus.WithEmail(name, name+"@people.example"))
	}
	c.Domain("uni.example", c.Group(org.GroupInput{Name: "uni.example"}, r.contact), org.ByDomain)
	r.institute, r.faculty = c.Organisation("Institut", r.tina), c.Organisation("Fakultät", r.theo)
	r.Mint = c.Mint(r.local, r.contact, "uni.example")
	c.Books.Cert.Withdrawer, c.Books.Cert.Officers = &r.asked, "ra"
	return r
}

func newKey() *ecdsa.PrivateKey { return trial.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

func digest(key crypto.Signer) compromise.Digest {
	return trial.Must(pki.NewKey(key.Public())).Fingerprint
}

// mailbox is a certificate of a mailbox for the key, not recorded yet.
func (r *rig) mailbox(t testing.TB, key crypto.Signer, holder person.Actor, address string) cert.Issuance {
	t.Helper()
	i := cert.Issuance{
		Reference: "M-" + rand.Text()[:8], Authority: ca.Mail, Account: holder.Account, Holder: holder.Name, Row: r.AddRow(t, address),
	}
	i.Certificate = trial.Must(campus.Signed(t.Context(), r.local, pki.Request{
		Intent: r.Intent(), Profile: pki.MailMailbox, Key: trial.Must(pki.NewKey(key.Public())), Emails: []string{address},
		Serial: pki.NewSerial(), NotBefore: pki.NotBefore(r.Now()),
	}))
	return i
}

// server is likewise one of servers.
func (r *rig) server(t testing.TB, key crypto.Signer, o org.OrganisationID, name string) cert.Issuance {
	t.Helper()
	i := cert.Issuance{Reference: "S-" + rand.Text()[:8], Authority: ca.TLS, Organisation: o, Order: r.Intent(), Product: "single"}
	i.Certificate = trial.Must(campus.Signed(t.Context(), r.local, pki.Request{
		Intent: i.Order, Profile: pki.TLSServer, Key: trial.Must(pki.NewKey(key.Public())), DNS: []string{name}, Days: 90,
		Serial: pki.NewSerial(), NotBefore: pki.NotBefore(r.Now()),
	}))
	return i
}

// outside is i from an authority outside.
func outside(i cert.Issuance) cert.Issuance {
	i.Authority = "elsewhere"
	return i
}

func (r *rig) record(t testing.TB, i cert.Issuance) cert.ID {
	t.Helper()
	return r.Keep(t, i)
}

// stands is how a certificate stands: "valid", "revoking", or the number of the reason
// for which it is revoked.
func (r *rig) stands(t testing.TB, id cert.ID) (s string) {
	t.Helper()
	trial.Must(0, r.Campus.DB.QueryRow(t.Context(), `select case when revoked is not null then reason::text when revoking is not null then 'revoking' else 'valid' end
		from certificate where id = $1`, id).Scan(&s))
	return s
}

func (r *rig) letters(kind string) int {
	return r.Scalar(`select count(*) from letter where kind = $1`, kind)
}

// proof is a request of the key with that common name, and more in its Subject.
func proof(key crypto.Signer, commonName string, more ...pkix.AttributeTypeAndValue) []byte {
	s := pkix.Name{CommonName: commonName, ExtraNames: more}
	der := trial.Must(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: s}, key))
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}

// spki is the public key in PEM.
func spki(key crypto.Signer) string {
	der := trial.Must(x509.MarshalPKIXPublicKey(key.Public()))
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
