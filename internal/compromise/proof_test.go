package compromise_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/compromise"
	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

var nobody person.Actor

func TestWhoeverHoldsTheKeyProvesItOnceWithinTheHour(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key, other := newKey(), newKey()
	id := r.record(t, r.mailbox(t, key, r.ada, "ada@uni.example"))
	ask := func() string {
		return trial.Must(r.keys.Challenge(t.Context(), nobody, home, compromise.Sought{Certificate: spki(key)})).Value
	}
	value := ask()
	if n := r.Scalar(`select count(*) from key_challenge where position($1 in encode(hash, 'escape')) > 0`, value); n != 0 {
		t.Error("the value itself is kept")
	}
	email := pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: "ada@uni.example"}
	for what, request := range map[string][]byte{
		"an ordinary one":    proof(key, "www.uni.example"),
		"more in it":         proof(key, compromise.ProofSubject+value, email),
		"the value alone":    proof(key, value),
		"blanks around":      proof(key, " "+compromise.ProofSubject+value),
		"another value":      proof(key, compromise.ProofSubject+value+"A"),
		"none":               proof(key, compromise.ProofSubject),
		"another key's":      proof(other, compromise.ProofSubject+value),
		"no request at all":  []byte("x"),
		"the value in small": proof(key, compromise.ProofSubject+strings.ToLower(value)),
	} {
		if _, _, err := r.keys.Prove(t.Context(), nobody, home, request); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: got %v, want invalid", what, err)
		}
	}
	if got := r.stands(t, id); got != "valid" {
		t.Fatalf("it is %s before any proof", got)
	}
	r.Clock.Advance(time.Hour + time.Second)
	_, _, err := r.keys.Prove(t.Context(), nobody, home, proof(key, compromise.ProofSubject+value))
	campus.Wants(t, err, "compromise.proof.value")
	value = ask()
	f, k, err := r.keys.Prove(t.Context(), nobody, home, proof(key, compromise.ProofSubject+value))
	if err != nil || f.Revoked != 1 || k != digest(key) || r.stands(t, id) != "1" {
		t.Fatalf("got %+v, %v; it is %s", f, err, r.stands(t, id))
	}
	_, _, err = r.keys.Prove(t.Context(), nobody, home, proof(key, compromise.ProofSubject+value))
	campus.Wants(t, err, "compromise.proof.value")
	if n := r.Scalar(`select count(*) from audit_line where action = 'compromise.revoked' and account is null and origin = '192.0.2.7'`); n != 1 {
		t.Errorf("%d audit lines say from where, want one", n)
	}
	if n := r.letters("key_blocked"); n != 1 {
		t.Errorf("officers got %d letters, want one", n)
	}
}

func TestFiftyProofsAtOnceAreOne(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := newKey()
	r.record(t, r.mailbox(t, key, r.ada, "ada@uni.example"))
	request := proof(key, compromise.ProofSubject+trial.Must(r.keys.Challenge(t.Context(), nobody, home, compromise.Sought{Certificate: spki(key)})).Value)
	var all sync.WaitGroup
	var good atomic.Int32
	for range 50 {
		all.Go(func() {
			if _, _, err := r.keys.Prove(t.Context(), nobody, home, request); err == nil {
				good.Add(1)
			} else if !fault.Is(err, fault.Invalid) {
				t.Errorf("got %v", err)
			}
		})
	}
	all.Wait()
	if good.Load() != 1 {
		t.Errorf("%d of 50 were taken, want one", good.Load())
	}
}

func TestValuesAndReportsAreBrakedPerAddressAndForgotten(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key, report := spki(newKey()), r.reporter(t)
	ask := func(from string) error {
		_, err := r.keys.Challenge(t.Context(), nobody, netip.MustParseAddr(from), compromise.Sought{Certificate: key})
		return err
	}
	for range 10 {
		ok(t, ask("2001:db8::1"))
	}
	held := ask("2001:db8::2") // of the same line
	campus.Wants(t, held, "compromise.brake")
	if until := r.Clock.Now().Add(time.Hour); held != nil && !fault.Of(held).RetryAt.Equal(until) {
		t.Errorf("held until %s, want %s", fault.Of(held).RetryAt, until)
	}
	ok(t, ask("2001:db8:0:1::1"))
	for range 10 {
		ok(t, report(home))
	}
	campus.Wants(t, report(home), "compromise.brake")
	if n := r.Scalar(`select count(*) from key_challenge where origin is not null`) + r.Scalar(`select count(*) from key_report where origin is not null`); n != 0 {
		t.Errorf("%d tables can say from where their rows came", n)
	}
	r.Clock.Advance(time.Hour)
	ok(t, ask("2001:db8::1"))
	r.Clock.Advance(3 * time.Hour)
	ok(t, r.keys.Forget(t.Context()))
	if n := r.Scalar(`select count(*) from key_challenge`); n != 0 {
		t.Errorf("%d values are kept", n)
	}
}

func TestAllTogetherAreBrakedAndWhoIsHeldDoesNotCount(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	report := r.reporter(t)
	said := func(err error) string {
		if err == nil {
			return ""
		}
		return err.Error()
	}
	trial.Expect(t, trial.Race(210, said, func(n int) error { return report(netip.AddrFrom4([4]byte{192, 0, 2, byte(n / 7)})) }),
		map[string]int{"": 200, compromise.ErrBrakedAll.Error(): 10})
	if written, counted := r.Scalar(`select count(*) from key_report`), r.Scalar(`select sum(n) from brake where kind = 'compromise.report' and who <> 'all'`); written != 200 || counted != 200 {
		t.Errorf("%d reports stand there and %d are counted, want 200", written, counted)
	}
	if err := report(home); !fault.Of(err).RetryAt.Equal(r.Clock.Now().Add(time.Hour)) {
		t.Errorf("got %v, want until an hour after the first", err)
	}
	ok(t, r.reports(t, r.ada)(home)) // who is signed in has nothing to do with it
	r.Clock.Advance(time.Hour)
	ok(t, report(home))
}

func TestWhoTriesTooOftenIsHeldBeforeAnythingIsLookedFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 20 {
		_, err := r.keys.Report(t.Context(), nobody, home, compromise.Telling{})
		campus.Wants(t, err, "field.required")
		_, err = r.keys.Challenge(t.Context(), nobody, home, compromise.Sought{Certificate: "abc"})
		campus.Wants(t, err, "compromise.key.digest")
		_, _, err = r.keys.Prove(t.Context(), nobody, home, []byte("x"))
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("got %v", err)
		}
	}
	_, report := r.keys.Report(t.Context(), nobody, home, compromise.Telling{})
	_, value := r.keys.Challenge(t.Context(), nobody, home, compromise.Sought{})
	_, _, proof := r.keys.Prove(t.Context(), nobody, home, nil)
	for _, err := range []error{report, value, proof} {
		campus.Wants(t, err, "compromise.brake")
	}
	_, err := r.keys.Report(t.Context(), r.ada, home, compromise.Telling{})
	campus.Wants(t, err, "field.required")
}

func TestAKeyThatNobodyHereHasIsBlockedWithoutALetter(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := newKey()
	c := trial.Must(r.keys.Challenge(t.Context(), nobody, home, compromise.Sought{Certificate: spki(key)}))
	_, _, err := r.keys.Prove(t.Context(), nobody, home, proof(key, compromise.ProofSubject+c.Value))
	ok(t, err)
	if blocked, letters := r.Scalar(`select count(*) from blocked_key`), r.letters("key_blocked"); blocked != 1 || letters != 0 {
		t.Errorf("%d keys are blocked and %d letters say so, want one and none", blocked, letters)
	}
	trial.Must(r.Campus.DB.Exec(t.Context(), `update brake set n = 100 where kind = 'compromise.unknown'`))
	_, err = r.keys.Challenge(t.Context(), nobody, home, compromise.Sought{Certificate: spki(newKey())})
	campus.Wants(t, err, "compromise.brake_all")
}

// reporter reports one certificate again and again.
func (r *rig) reporter(t testing.TB) func(from netip.Addr) error { return r.reports(t, nobody) }

// reports is reporter as somebody.
func (r *rig) reports(t testing.TB, by person.Actor) func(from netip.Addr) error {
	t.Helper()
	i := r.server(t, newKey(), r.institute, "www.uni.example")
	r.record(t, i)
	in := compromise.Telling{Sought: compromise.Sought{Serial: hex.EncodeToString(i.Certificate.Serial)}, Reason: pki.KeyCompromise, Words: "Lag im Netz."}
	return func(from netip.Addr) error {
		_, err := r.keys.Report(t.Context(), by, from, in)
		return err
	}
}

// TestAKeyTooWeakToBeCertifiedIsProvenLikeAnyOther: certificates from before the portal
// have such keys, and those are the ones that fall into other hands.
func TestAKeyTooWeakToBeCertifiedIsProvenLikeAnyOther(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	small := trial.Must(rsa.GenerateKey(rand.Reader, 1024))
	var low *rsa.PrivateKey
	for phi := new(big.Int); ; {
		p, q := trial.Must(rand.Prime(rand.Reader, 1024)), trial.Must(rand.Prime(rand.Reader, 1024))
		phi.Mul(new(big.Int).Sub(p, big.NewInt(1)), new(big.Int).Sub(q, big.NewInt(1)))
		if d := new(big.Int).ModInverse(big.NewInt(3), phi); d != nil {
			low = &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 3}, D: d, Primes: []*big.Int{p, q}}
			break
		}
	}
	for name, key := range map[string]crypto.Signer{
		"RSA 1024":   small,
		"exponent 3": low,
		"P-224":      trial.Must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader)),
		"Ed25519":    ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)),
	} {
		if _, err := pki.ReadCSR(proof(key, "www.uni.example")); err == nil {
			t.Errorf("%s: may be certified, so it shows nothing here", name)
		}
		by := r.ada
		value := trial.Must(r.keys.Challenge(t.Context(), by, home, compromise.Sought{Certificate: spki(key)})).Value
		request := proof(key, compromise.ProofSubject+value)
		block, _ := pem.Decode(request)
		broken := bytes.Clone(block.Bytes)
		broken[len(broken)-1] ^= 1
		if _, _, err := r.keys.Prove(t.Context(), by, home, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: broken})); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: with another signature got %v, want invalid", name, err)
		}
		_, k, err := r.keys.Prove(t.Context(), by, home, request)
		want := sha256.Sum256(trial.Must(x509.MarshalPKIXPublicKey(key.Public())))
		if err != nil || k != want {
			t.Errorf("%s: got key %s, %v", name, k, err)
		}
		if read := trial.Must(compromise.ReadKey(string(request))); read != want {
			t.Errorf("%s: an officer who pastes the request gets %s", name, read)
		}
	}
	if n := r.Scalar(`select count(*) from blocked_key`); n != 4 {
		t.Errorf("%d keys are blocked, want 4", n)
	}
}
