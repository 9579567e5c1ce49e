package earlier_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"petschaft/internal/ca"
	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/compromise"
	"petschaft/internal/earlier"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// elsewhere is an authority that the portal knows nothing of, with one above it.
type elsewhere struct {
	root, issuing *x509.Certificate
	key           *ecdsa.PrivateKey
	serial        int64
}

func newElsewhere(t testing.TB) *elsewhere {
	t.Helper()
	authority := func(name string, parent *x509.Certificate, by *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
		key := trial.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
		c := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: trial.Today().AddDate(-5, 0, 0), NotAfter: trial.Today().AddDate(20, 0, 0),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		}
		if parent == nil {
			parent, by = c, key
		}
		return trial.Must(x509.ParseCertificate(trial.Must(x509.CreateCertificate(rand.Reader, c, parent, key.Public(), by)))), key
	}
	root, key := authority("Old Root", nil, nil)
	issuing, below := authority("Old Issuing", root, key)
	return &elsewhere{root: root, issuing: issuing, key: below, serial: 0x7000}
}

// mail and server are certificates of it that end so long after begin.
func (e *elsewhere) mail(ends time.Duration, addresses ...string) *x509.Certificate {
	return e.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: addresses[0]}, EmailAddresses: addresses, NotAfter: trial.Today().Add(ends),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection, x509.ExtKeyUsageClientAuth},
	}, trial.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)).Public())
}

func (e *elsewhere) server(ends time.Duration, organisation string, names ...string) *x509.Certificate {
	return e.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: names[0], Organization: []string{organisation}}, DNSNames: names, NotAfter: trial.Today().Add(ends),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, trial.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)).Public())
}

func (e *elsewhere) sign(c *x509.Certificate, key any) *x509.Certificate {
	e.serial++
	c.SerialNumber, c.NotBefore = big.NewInt(e.serial), trial.Today().AddDate(0, -6, 0)
	return trial.Must(x509.ParseCertificate(trial.Must(x509.CreateCertificate(rand.Reader, c, e.issuing, key, e.key))))
}

func pemOf(all ...*x509.Certificate) (file []byte) {
	for _, c := range all {
		file = append(file, pki.PEM(c.Raw)...)
	}
	return file
}

func (r *rig) uploaded(t testing.TB, owners string, all ...*x509.Certificate) earlier.ID {
	t.Helper()
	id, err := r.Earlier.Upload(t.Context(), r.officer, []earlier.File{{Name: "alt.pem", Content: pemOf(all...)}}, []byte(owners))
	r.ok(t, err)
	return id
}

// planned are the lines of a plan as words: state, what is wrong or missing.
func (r *rig) planned(t testing.TB, id earlier.ID) (all []string) {
	t.Helper()
	_, lines, err := r.Earlier.Plan(t.Context(), r.officer, id)
	r.ok(t, err)
	for _, l := range lines {
		all = append(all, strings.TrimSpace(string(l.State)+" "+l.Fault))
	}
	return all
}

func references() func() string {
	n := 0
	return func() string { n++; return fmt.Sprintf("ALT-%s-%d", rand.Text()[:6], n) }
}

func (r *rig) applyImport(t testing.TB, id earlier.ID, want int) {
	t.Helper()
	n, err := r.Earlier.Apply(t.Context(), r.officer, id, references())
	r.ok(t, err)
	if n != want {
		t.Errorf("got %d taken over, want %d", n, want)
	}
}

// TestThePlanSaysWhatBecomesOfEachCertificate, and finds out whose it is: by the
// row's link, a verified address, a server name, the subject.
func TestThePlanSaysWhatBecomesOfEachCertificate(t *testing.T) {
	t.Parallel()
	r, e := newRig(t), newElsewhere(t)
	r.Earlier.Own = [][]byte{}
	for _, f := range r.local.Certificates() {
		r.Earlier.Own = append(r.Earlier.Own, f.DER)
	}
	r.AddRow(t, "ada@uni.example")
	r.AddRow(t, "niemand@uni.example")
	garden := r.campus.Organisation("Garten", r.ada)
	_, err := r.db.Exec(t.Context(), `insert into server_name (organisation, name, accepted) values ($1, 'garten.example', $2)`, garden, r.Now())
	r.ok(t, err)
	r.campus.Organisation("Museum", r.bob)
	weak := e.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "x"}, EmailAddresses: []string{"ada@uni.example"}, NotAfter: trial.Today().Add(day),
	}, trial.Must(rsa.GenerateKey(rand.Reader, 1024)).Public())
	signing := e.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "x"}, EmailAddresses: []string{"ada@uni.example"}, NotAfter: trial.Today().Add(day), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}, trial.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)).Public())
	own := trial.Must(x509.ParseCertificate(r.Strike(t, r.ada, r.AddRow(t, "bob@uni.example"), "bob@uni.example").Certificate.DER))
	twice := e.mail(day, "Ada@uni.example")
	id := r.uploaded(t, "",
		e.mail(200*day, "ada@uni.example"), e.mail(200*day, "fremd@anderswo.example"), e.mail(200*day, "niemand@uni.example"),
		e.server(-day, "Irgendwer", "www.garten.example", "*.garten.example"), e.server(90*day, "museum", "museum.example"),
		e.server(90*day, "Irgendwer", "www.garten.example", "www.museum.example"), weak, signing, own, twice, twice, e.issuing)
	want := []string{
		"unassigned cert.import.no_holder", "unassigned cert.import.no_row", "unassigned cert.import.no_holder", "new", "new",
		"unassigned cert.import.no_organisation", "faulty pki.given.weak_key", "faulty pki.given.purpose", "faulty cert.import.own",
		"unassigned cert.import.no_holder", "faulty cert.import.twice",
	}
	if got := r.planned(t, id); !slices.Equal(got, want) {
		t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	r.campus.SignIn(person.Claims{Subject: "Adler", Name: "Adler", FamilyName: "Adler", Email: "ADA@uni.example", EmailVerified: true}) // her address at the provider is this one now
	want[0], want[9] = "new", "new"
	if got := r.planned(t, id); !slices.Equal(got, want) {
		t.Errorf("after she signed in: got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	r.applyImport(t, id, 4)
	for _, i := range []int{0, 3, 4, 9} {
		want[i] = "applied"
	}
	want[10] = "faulty cert.import.twice"
	if got := r.planned(t, id); !slices.Equal(got[:10], want[:10]) || got[10] != "known" && got[10] != want[10] {
		t.Errorf("after applying: got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := r.planned(t, r.uploaded(t, "", twice)); !slices.Equal(got, []string{"known"}) {
		t.Errorf("uploaded again: got %v, want it known", got)
	}
}

// TestImportedCertificatesShowRemindAndAreMarkedRevoked, and never come into a
// list of the portal's.
func TestImportedCertificatesShowRemindAndAreMarkedRevoked(t *testing.T) {
	t.Parallel()
	r, e := newRig(t), newElsewhere(t)
	row := r.AddRow(t, "ada@uni.example")
	r.campus.Organisation("Garten", r.bob)
	newer := r.Issue(t, r.eve, row, "ada@uni.example") // by the portal, to somebody before her
	id := r.uploaded(t, "Adresse;Inhaber;Organisation\nada@uni.example;Adler@people.example;\n",
		e.mail(20*day, "ada@uni.example"), e.server(20*day, "Garten", "www.garten.example"), e.server(-day, "Garten", "alt.garten.example"), e.issuing, e.root)
	r.applyImport(t, id, 3)
	mine := trial.Must(r.Mine(t.Context(), r.ada, cert.Valid, 0, 10))
	if len(mine) != 1 || !mine[0].Earlier || len(mine[0].Chain) != 2 || mine[0].RowID != row {
		t.Fatalf("hers: got %+v, want the one, earlier, with the two authorities above it", mine)
	}
	page := trial.Must(r.Servers(t.Context(), r.bob, cert.ServerView{Which: cert.All}))
	if len(page.Certificates) != 2 {
		t.Fatalf("his: got %d servers', want two", len(page.Certificates))
	}
	ending := trial.Must(r.Servers(t.Context(), r.bob, cert.ServerView{Which: cert.Ending})).Certificates
	if len(ending) != 1 || !ending[0].Earlier {
		t.Fatalf("ending: got %+v, want the one that is not over", ending)
	}
	campus.Wants(t, cert.MayRenew(ending[0], r.Now()), "cert.renew.foreign")
	r.ok(t, r.Remind(t.Context()))
	if got := r.RemindersOf(t, ending[0].Reference); !slices.Equal(got, []string{"28d Bach@people.example"}) {
		t.Errorf("of the server's: got %v, want one reminder", got)
	}
	if got := r.RemindersOf(t, mine[0].Reference); len(got) != 0 {
		t.Errorf("of hers: got %v, want none, as the row has a newer one", got)
	}
	r.ok(t, r.Revoke(t.Context(), r.officer, newer, pki.Superseded))
	r.clock.Advance(7 * day)
	r.ok(t, r.Remind(t.Context()))
	if got := r.RemindersOf(t, mine[0].Reference); !slices.Equal(got, []string{"14d Adler@people.example"}) {
		t.Errorf("of hers, when the newer one was revoked: got %v, want one reminder", got)
	}
	lists := r.campus.Scalar(`select count(*) from river_job where kind = 'cert_list'`)
	r.ok(t, r.Revoke(t.Context(), r.ada, mine[0].ID, pki.KeyCompromise))
	r.ok(t, r.RevokeServer(t.Context(), r.bob, ending[0].Reference, pki.Superseded))
	if n := r.campus.Scalar(`select count(*) from river_job where kind = 'cert_list'`); n != lists {
		t.Errorf("marking revoked queued %d lists, want none", n-lists)
	}
	for _, authority := range []string{ca.Mail, ca.TLS} {
		r.ok(t, r.SignList(t.Context(), authority))
		l, _ := r.List(t, authority)
		for _, x := range l.RevokedCertificateEntries {
			if x.SerialNumber.Int64() > 0x7000 && x.SerialNumber.IsInt64() {
				t.Errorf("the list of %s names the foreign %s", authority, x.SerialNumber)
			}
		}
	}
	if n := r.campus.Scalar(`select count(*) from certificate where id = $1 and `+compromise.Of("certificate.key"), mine[0].ID); n != 1 {
		t.Error("the key of what was marked is not blocked for ever")
	}
	if n := r.campus.Scalar(`select count(*) from letter where (words->>'Elsewhere')::boolean`); n != 2 {
		t.Errorf("got %d letters that say that it is only marked here, want 2", n)
	}
}

// TestAnImportedCertificateKeepsNobodyFromApplying, but its row shows its end and
// its addresses are not free for others.
func TestAnImportedCertificateKeepsNobodyFromApplying(t *testing.T) {
	t.Parallel()
	r, e := newRig(t), newElsewhere(t)
	row := r.AddRow(t, "ada@uni.example")
	id := r.uploaded(t, "fingerprint,holder\n"+fingerprintOf(nil)+",x\n", e.mail(300*day, "ada@uni.example"))
	if got := r.planned(t, id); !slices.Equal(got, []string{"unassigned cert.import.no_holder", "faulty cert.import.no_certificate"}) {
		t.Fatalf("got %v, want the line of the owners' file that means nothing told", got)
	}
	campus.Wants(t, r.Earlier.Assign(t.Context(), r.officer, id, 1, earlier.Owner{Holder: "nobody"}), "cert.import.unknown_holder")
	campus.Wants(t, r.Earlier.Assign(t.Context(), r.officer, id, 1, earlier.Owner{Address: "other@uni.example", Holder: "Adler@people.example"}), "cert.import.no_row")
	campus.Wants(t, r.Earlier.Assign(t.Context(), r.officer, id, 7, earlier.Owner{}), "fault.missing")
	r.ok(t, r.Earlier.Assign(t.Context(), r.officer, id, 1, earlier.Owner{Holder: "adler@people.example"}))
	r.applyImport(t, id, 1)
	campus.Wants(t, r.Earlier.Assign(t.Context(), r.officer, id, 1, earlier.Owner{}), "fault.missing")
	if n := r.campus.Scalar(`select count(*) from address_row where id = $1 and certificate_end = $2`, row, trial.Today().Add(300*day)); n != 1 {
		t.Error("the row does not show when the certificate ends")
	}
	r.Issue(t, r.ada, row, "ada@uni.example")
	again := r.uploaded(t, "", e.mail(10*day, "ada@uni.example"))
	r.ok(t, r.Earlier.Assign(t.Context(), r.officer, again, 1, earlier.Owner{Holder: "Adler@people.example"}))
	r.applyImport(t, again, 1)
	if n := r.campus.Scalar(`select count(*) from address_row where id = $1 and certificate_end > $2`, row, trial.Today().Add(100*day)); n != 1 {
		t.Error("what was imported last hides the newest certificate of the row")
	}
	if n := r.campus.Scalar(`select count(*) from audit_line where action = 'cert.imported'`); n != 2 {
		t.Errorf("got %d audit lines, want one for each", n)
	}
}

func TestAnImportIsTakenOverOnce(t *testing.T) {
	t.Parallel()
	r, e := newRig(t), newElsewhere(t)
	r.campus.Organisation("Garten", r.bob)
	id := r.uploaded(t, "", e.server(90*day, "Garten", "a.example"), e.server(90*day, "Fremd", "b.example"))
	for said, n := range trial.Race(8, campus.Said, func(int) error {
		_, err := r.Earlier.Apply(t.Context(), r.officer, id, references())
		return err
	}) {
		if want := map[string]int{"": 1, "cert.import.none_new": 7}[said]; n != want {
			t.Errorf("%d said %q, want %d", n, said, want)
		}
	}
	r.ok(t, r.Earlier.Discard(t.Context(), r.officer, id))
	if got := r.planned(t, id); !slices.Equal(got, []string{"applied"}) {
		t.Errorf("thrown away: got %v, want what was taken over to stay", got)
	}
	other := r.uploaded(t, "", e.server(90*day, "Fremd", "c.example"))
	r.ok(t, r.Earlier.Discard(t.Context(), r.officer, other))
	_, _, err := r.Earlier.Plan(t.Context(), r.officer, other)
	campus.Wants(t, err, "fault.missing")
}

func TestOnlyOfficersImport(t *testing.T) {
	t.Parallel()
	r, e := newRig(t), newElsewhere(t)
	id := r.uploaded(t, "", e.server(90*day, "Fremd", "b.example"))
	_, err := r.Earlier.Upload(t.Context(), r.contact, []earlier.File{{Name: "x", Content: pemOf(e.root)}}, nil)
	campus.Wants(t, err, "fault.officers_only")
	_, _, err = r.Earlier.Plan(t.Context(), r.contact, id)
	campus.Wants(t, err, "fault.officers_only")
	_, err = r.Earlier.Imports(t.Context(), r.contact)
	campus.Wants(t, err, "fault.officers_only")
	_, err = r.Earlier.Apply(t.Context(), r.contact, id, references())
	campus.Wants(t, err, "fault.officers_only")
	campus.Wants(t, r.Earlier.Assign(t.Context(), r.contact, id, 1, earlier.Owner{}), "fault.officers_only")
	campus.Wants(t, r.Earlier.Discard(t.Context(), r.contact, id), "fault.officers_only")
}

func TestAnUploadThatIsNoneIsRefusedInWords(t *testing.T) {
	t.Parallel()
	r, e := newRig(t), newElsewhere(t)
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: trial.Must(x509.MarshalPKCS8PrivateKey(e.key))})
	one := e.mail(day, "ada@uni.example")
	for what, c := range map[string]struct {
		file   []byte
		owners string
		want   string
	}{
		"nothing":                 {nil, "", "pki.given.none"},
		"text":                    {[]byte("hallo"), "", "pki.given.none"},
		"a private key":           {append(pemOf(one), key...), "", "pki.given.private_key"},
		"a request":               {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: []byte{0x30, 0}}), "", "pki.given.other"},
		"half of one":             {pemOf(one)[:300], "", "pki.given.cut_off"},
		"authorities only":        {pemOf(e.root, e.issuing), "", "cert.import.nothing"},
		"owners without columns":  {pemOf(one), "Farbe;Form\nrot;rund\n", "cert.import.owners_columns"},
		"owners without anything": {pemOf(one), "\n", "cert.import.owners_columns"},
		"owners in a picture":     {pemOf(one), "\x89PNG\r\n", "sheet.foreign"},
		"owners in half a book":   {pemOf(one), "PK\x03\x04", "sheet.workbook_damaged"},
	} {
		_, err := r.Earlier.Upload(t.Context(), r.officer, []earlier.File{{Name: "x.pem", Content: c.file}}, []byte(c.owners))
		if got := campus.Said(err); got != c.want {
			t.Errorf("%s: got %q (%v), want %q", what, got, err, c.want)
		}
	}
	many := slices.Repeat(pemOf(one), earlier.MostCertificates+1)
	_, err := r.Earlier.Upload(t.Context(), r.officer, []earlier.File{{Content: many}}, nil)
	campus.Wants(t, err, "cert.import.too_many")
	_, err = r.Earlier.Upload(t.Context(), r.officer, []earlier.File{{Content: make([]byte, earlier.MostBytes+1)}}, nil)
	campus.Wants(t, err, "cert.import.too_large")
	if n := r.campus.Scalar(`select count(*) from certificate_import`); n != 0 {
		t.Errorf("got %d imports, want none", n)
	}
}

// TestOwnersAreFoundHoweverACertificateIsMeant: by fingerprint, by serial number
// in hexadecimal or decimal, by an address.
func TestOwnersAreFoundHoweverACertificateIsMeant(t *testing.T) {
	t.Parallel()
	r, e := newRig(t), newElsewhere(t)
	r.campus.Organisation("Gärten & Höfe", r.bob)
	a, b, c := e.server(90*day, "x", "a.example"), e.server(90*day, "x", "b.example"), e.server(90*day, "x", "c.example")
	owners := "Seriennummer;Fingerabdruck (SHA-256);Organisation\n" +
		";" + fingerprintOf(a.Raw) + ";gärten & höfe\n" +
		pki.Colons(b.SerialNumber.Bytes()) + ";;Gärten & Höfe\n" +
		c.SerialNumber.String() + ";;Unbekannt\n"
	want := []string{"new", "new", "unassigned cert.import.unknown_organisation"}
	for _, above := range []string{"", "Liste der Besitzer; Stand heute\n;;\n"} {
		if got := r.planned(t, r.uploaded(t, above+owners, a, b, c)); !slices.Equal(got, want) {
			t.Errorf("below %q: got %v, want %v", above, got, want)
		}
	}
}

func fingerprintOf(der []byte) string {
	if der == nil {
		return strings.Repeat("ab", 32)
	}
	sum := sha256.Sum256(der)
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}
