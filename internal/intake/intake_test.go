package intake

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"petschaft/internal/trial"
)

// told answers with what reading the body came to.
func told(t Terms) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := Admit(r, t); err != nil {
			fmt.Fprint(w, "not let in: ", err)
			return
		}
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%d bytes: %v", n, err)
	}
}

// serve is a server of h behind b.
func serve(t *testing.T, b *Budget, h http.Handler) (address string) {
	t.Helper()
	s := httptest.NewServer(b.Closed(h))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// sender is one connection.
type sender struct {
	t *testing.T
	net.Conn
}

// send begins a POST with some headers, and so much of a body.
func send(t *testing.T, address, headers, body string) sender {
	t.Helper()
	c := trial.Must(net.Dial("tcp", address))
	t.Cleanup(func() { c.Close() })
	trial.Must(fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n%s", headers, body))
	return sender{t, c}
}

// hears is the answer, without the rest of the body being sent.
func (s sender) hears() (words string, closes bool) {
	s.t.Helper()
	trial.Must(0, s.SetReadDeadline(time.Now().Add(20*time.Second))) // a guard: the old way it never came
	res, err := http.ReadResponse(bufio.NewReader(s), nil)
	if err != nil {
		s.t.Fatalf("no answer: %v", err)
	}
	defer res.Body.Close()
	return string(trial.Must(io.ReadAll(res.Body))), res.Close
}

var small = Terms{Most: 100, Within: time.Minute}

func TestNoBodyIsReadBeforeItIsLetIn(t *testing.T) {
	t.Parallel()
	address := serve(t, New(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := r.Body.Read(make([]byte, 1))
		fmt.Fprint(w, errors.Is(err, errClosed), r.ParseForm() != nil)
	}))
	for _, kind := range []string{"", "Content-Type: application/x-www-form-urlencoded\r\n"} {
		if got, closes := send(t, address, kind+"Content-Length: 3", "a=b").hears(); got != "true true" && got != "true false" || closes {
			t.Errorf("got %q, closed: %t; want it refused, and a connection that goes on", got, closes)
		}
	}
}

func TestABodyIsBoundedByItsTerms(t *testing.T) {
	t.Parallel()
	address := serve(t, New(), told(small))
	for what, c := range map[string]struct {
		headers, body, want string
		closes              bool
	}{
		"as much as there may be":    {"Content-Length: 100", strings.Repeat("x", 100), "100 bytes: <nil>", false},
		"one byte more":              {"Content-Length: 101", "", "not let in: too large: problem.large", true},
		"far more":                   {"Content-Length: 4194304", "", "not let in: too large: problem.large", true},
		"more, and sent":             {"Content-Length: 101", strings.Repeat("x", 101), "not let in: too large: problem.large", false},
		"without a length":           {"Transfer-Encoding: chunked", "64\r\n" + strings.Repeat("x", 100) + "\r\n0\r\n\r\n", "100 bytes: <nil>", false},
		"too much without a length":  {"Transfer-Encoding: chunked", "65\r\n" + strings.Repeat("x", 101) + "\r\n", "100 bytes: too large: problem.large", true},
		"who asks before they send":  {"Expect: 100-continue\r\nContent-Length: 101", "", "not let in: too large: problem.large", true},
		"nothing":                    {"Content-Length: 0", "", "0 bytes: <nil>", false},
		"an end that does not come":  {"Transfer-Encoding: chunked", "zz\r\n", "0 bytes: invalid byte in chunk length", true},
		"far too much, and all sent": {"Transfer-Encoding: chunked", "100000\r\n" + strings.Repeat("x", 1<<20) + "\r\n0\r\n\r\n", "100 bytes: too large: problem.large", true},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			if got, closes := send(t, address, c.headers, c.body).hears(); got != c.want || closes != c.closes {
				t.Errorf("got %q, closed: %t; want %q, %t", got, closes, c.want, c.closes)
			}
		})
	}
}

func TestABodyThatDoesNotComeIsDroppedAndItsShareIsFree(t *testing.T) {
	t.Parallel()
	b := &Budget{all: 100, strangers: 100}
	address := serve(t, b, told(Terms{Most: 100, Within: time.Millisecond, Stranger: true}))
	for range 3 { // each takes all there is
		got, closes := send(t, address, "Content-Length: 100", "x").hears()
		if !strings.HasPrefix(got, "1 bytes: unavailable: intake.slow") || !closes {
			t.Fatalf("got %q, closed: %t; want it dropped", got, closes)
		}
		trial.Until(t, "the share is free", func() bool { return b.Used() == 0 })
	}
}

// TestStrangersLeaveTheRest: whoever holds bodies without being signed in keeps
// nobody out who is.
func TestStrangersLeaveTheRest(t *testing.T) {
	t.Parallel()
	b := &Budget{all: 300, strangers: 200}
	stranger := serve(t, b, told(Terms{Most: 100, Within: time.Minute, Stranger: true}))
	known := serve(t, b, told(small))
	for range 2 {
		send(t, stranger, "Content-Length: 100", "x")
	}
	trial.Until(t, "two are under way", func() bool { return b.Used() == 200 })
	if got, _ := send(t, stranger, "Content-Length: 1", "x").hears(); got != "not let in: unavailable: intake.full" {
		t.Errorf("one more of them: got %q", got)
	}
	if got, _ := send(t, known, "Content-Length: 100", strings.Repeat("x", 100)).hears(); got != "100 bytes: <nil>" {
		t.Errorf("who is known: got %q", got)
	}
	send(t, known, "Transfer-Encoding: chunked", "1\r\nx\r\n")
	trial.Until(t, "all is under way", func() bool { return b.Used() == 300 })
	if got, _ := send(t, known, "Content-Length: 1", "x").hears(); got != "not let in: unavailable: intake.full" {
		t.Errorf("where nothing is left: got %q", got)
	}
}

// Whoever holds bodies of pages keeps no question about revocation waiting, and the
// other way round.
func TestQuestionsAboutRevocationHaveAPartOfTheirOwn(t *testing.T) {
	t.Parallel()
	b := &Budget{all: 100, strangers: 100, questions: 100}
	page := serve(t, b, told(Terms{Most: 100, Within: time.Minute, Stranger: true}))
	question := serve(t, b, told(Terms{Most: 100, Within: time.Minute, Question: true}))
	send(t, page, "Content-Length: 100", "x")
	trial.Until(t, "all of the pages is under way", func() bool { return b.Used() == 100 })
	if got, _ := send(t, question, "Content-Length: 100", strings.Repeat("x", 100)).hears(); got != "100 bytes: <nil>" {
		t.Errorf("a question: got %q", got)
	}
	send(t, question, "Content-Length: 100", "x")
	trial.Until(t, "all of the questions is under way", func() bool { return b.Used() == 200 })
	if got, _ := send(t, question, "Content-Length: 1", "x").hears(); got != "not let in: unavailable: intake.full" {
		t.Errorf("one more question: got %q", got)
	}
}

func TestWhatIsReadAsItComesTakesLittle(t *testing.T) {
	t.Parallel()
	b := &Budget{all: 10, strangers: 10}
	address := serve(t, b, told(Terms{Most: 1000, Held: 10, Within: time.Minute}))
	if got, _ := send(t, address, "Content-Length: 1000", strings.Repeat("x", 1000)).hears(); got != "1000 bytes: <nil>" {
		t.Errorf("got %q", got)
	}
}

func TestEveryShareIsGivenBack(t *testing.T) {
	t.Parallel()
	b := New()
	h := b.Closed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := Admit(r, Terms{Most: 1 << 20, Within: time.Minute, Stranger: r.Header.Get("X") != ""}); err != nil {
			http.Error(w, "", http.StatusServiceUnavailable)
			return
		}
		if err := Admit(r, Terms{Most: 1 << 20}); err != nil {
			t.Errorf("a second time: got %v", err)
		}
		if used := b.Used(); used > all {
			t.Errorf("%d bytes are under way, want at most %d", used, all)
		}
		if r.Header.Get("X") == "panic" {
			panic(http.ErrAbortHandler)
		}
	}))
	var at sync.WaitGroup
	for i := range 50 {
		at.Go(func() {
			defer func() { _ = recover() }()
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", 1<<20)))
			r.Header.Set("X", [...]string{"", "stranger", "panic"}[i%3])
			h.ServeHTTP(httptest.NewRecorder(), r)
		})
	}
	at.Wait()
	if b.used != 0 || b.strange != 0 {
		t.Errorf("%d and %d bytes are still taken", b.used, b.strange)
	}
}
