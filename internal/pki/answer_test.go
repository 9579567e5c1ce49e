package pki_test

import (
	"bytes"
	"crypto/elliptic"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"petschaft/internal/fault"
	"petschaft/internal/pki"
)

func TestAnAnswerIsOneThing(t *testing.T) {
	t.Parallel()
	no := errors.New("no")
	for name, c := range map[string]struct {
		a    pki.Answer
		want pki.AnswerKind
	}{
		"nothing":                       {pki.Answer{Words: "?"}, pki.AnswerNothing},
		"a certificate":                 {pki.Answer{Certificate: &pki.Certificate{}}, pki.AnswerYes},
		"a no":                          {pki.Answer{No: no}, pki.AnswerNo},
		"later":                         {pki.Answer{Later: now}, pki.AnswerLater},
		"what was signed counts most":   {pki.Answer{Certificate: &pki.Certificate{}, No: no, Later: now}, pki.AnswerYes},
		"a no counts more than a later": {pki.Answer{No: no, Later: now}, pki.AnswerNo},
	} {
		if got := c.a.Kind(); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}

func TestWordsOfAnAuthorityCanBeShown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ said, want string }{
		"lines are folded":         {" no\r\n\tnot today ", "no not today"},
		"what cannot be shown":     {"a\x00b\u202ec\xff", "a\ufffdb\ufffdc\ufffd"},
		"2 kB stay":                {strings.Repeat("a", 2048), strings.Repeat("a", 2048)},
		"more are cut":             {strings.Repeat("a", 2049), strings.Repeat("a", 2045) + "…"},
		"no letter is cut through": {strings.Repeat("ü", 5000), strings.Repeat("ü", 1022) + "…"},
	} {
		if got := pki.WordsOf(c.said); got != c.want || len(got) > 2048 || !utf8.ValidString(got) {
			t.Errorf("%s: got %d bytes, %q, want %q", name, len(got), got, c.want)
		}
	}
}

func TestARequestCarriesTheCSROfItsKeyAndNoOther(t *testing.T) {
	t.Parallel()
	r := personal(t, rsaKey())
	asked := csr(t, rsaKey(), greedy)
	read, err := pki.ReadCSR(requestPEM(asked))
	if err != nil || !bytes.Equal(read.DER, asked) {
		t.Fatalf("got %x and %v, want the request as it was signed", read.DER, err)
	}
	if r.CSR = read.DER; r.Check() != nil {
		t.Errorf("got %v, want the CSR of its key taken", r.Check())
	}
	for name, der := range map[string][]byte{
		"another key's": csr(t, ecKey(t, elliptic.P256())), "garbage": []byte("garbage"), "a CSR and more": append(csr(t, rsaKey()), 0),
	} {
		r.CSR = der
		if err := r.Check(); fault.Of(err) == nil || fault.Of(err).ID != "pki.request.csr" {
			t.Errorf("%s: got %v, want it refused", name, err)
		}
	}
}
