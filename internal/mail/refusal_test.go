package mail

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var refusals = map[string]struct {
	refuse    func(*server)
	want      Refusal
	verdict   Verdict
	wantConns int // sessions after a second mail
}{
	"an unknown mailbox is final": {
		func(s *server) { s.rcpt = no(550, "5.1.1 <kim@UNI.example>: user unknown") },
		Refusal{AtRecipient, 550, "5.1.1", "5.1.1 …: user unknown"},
		Dead, 1,
	},
	"greylisting is not": {
		func(s *server) { s.rcpt = no(450, "4.2.0 try kim@uni.example\nlater") },
		Refusal{AtRecipient, 450, "4.2.0", "4.2.0 try … later"},
		Later, 1,
	},
	"a refused text is not the address's fault": {
		func(s *server) { s.data = func() error { return no(554, "5.7.1 spam")("") } },
		Refusal{AtContent, 554, "5.7.1", "5.7.1 spam"},
		Later, 1,
	},
	"a full disk is not": {
		func(s *server) { s.data = func() error { return no(452, "4.3.1 full")("") } },
		Refusal{AtContent, 452, "4.3.1", "4.3.1 full"},
		Later, 1,
	},
	"a refused sender shuts the door": {
		func(s *server) { s.mail = no(550, "5.7.1 who are you") },
		Refusal{AtSender, 550, "5.7.1", "5.7.1 who are you"},
		Shut, 1,
	},
	"a server that shuts down is left": {
		func(s *server) { s.rcpt = no(421, "4.3.2 going down") },
		Refusal{AtRecipient, 421, "4.3.2", "4.3.2 going down"},
		Later, 2,
	},
	"what the client is called, said at the recipient": {
		func(s *server) {
			s.rcpt = no(504, "5.5.2 <vm>: Helo command rejected: need fully-qualified hostname")
		},
		Refusal{AtRecipient, 504, "5.5.2", "5.5.2 <vm>: Helo command rejected: need fully-qualified hostname"},
		Later, 1,
	},
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, noTLS, c.refuse)
			s := newSender(t, Config{URL: srv.URL + "?tls=none"})
			_, err := s.Send(t.Context(), letterTo("Kim@uni.example"))
			if d := cmp.Diff(&c.want, refusal(t, err)); d != "" {
				t.Errorf("refusal (-want +got):\n%s", d)
			}
			if got := refusal(t, err).Verdict(); got != c.verdict {
				t.Errorf("got the verdict %s, want %s", got, c.verdict)
			}
			if strings.Contains(strings.ToLower(err.Error()), "kim") || strings.Contains(err.Error(), c.want.Answer) {
				t.Errorf("got error %q, want no address and no server words in what is logged", err)
			}
			_, _ = s.Send(t.Context(), letterTo("Kim@uni.example"))
			if got := srv.sessions(); got != c.wantConns {
				t.Errorf("got %d connections for two mails, want %d", got, c.wantConns)
			}
		})
	}
}

func TestARefusedMailLeavesTheConnectionFitForTheNext(t *testing.T) {
	t.Parallel()
	srv := serve(t, noTLS, func(s *server) {
		s.rcpt = func(to string) error {
			if strings.HasPrefix(to, "gone") {
				return no(550, "gone")(to)
			}
			return nil
		}
	})
	s := newSender(t, Config{URL: srv.URL + "?tls=none", Connections: 1})
	for _, to := range []string{"gone@uni.example", "kim@uni.example", "gone@uni.example", "kim@uni.example"} {
		if _, err := s.Send(t.Context(), letterTo(to)); (err != nil) != strings.HasPrefix(to, "gone") {
			t.Errorf("%s: got error %v", to, err)
		}
	}
	if got := len(srv.got()); got != 2 {
		t.Errorf("got %d mails, want 2", got)
	}
	if got := srv.sessions(); got != 1 {
		t.Errorf("got %d connections, want 1 kept one", got)
	}
}

var smuggled = map[string]func(*Letter){
	"line break in the subject":            func(l *Letter) { l.Subject = "a\r\nBcc: eve@evil.example" },
	"bare line feed in the subject":        func(l *Letter) { l.Subject = "ä\nBcc: eve@evil.example" },
	"NUL in the subject":                   func(l *Letter) { l.Subject = "a\x00" },
	"encoded line break in the subject":    func(l *Letter) { l.Subject = "=?utf-8?q?a=0D=0ABcc:_eve@evil.example?=" },
	"unicode line break in the subject":    func(l *Letter) { l.Subject = "a\u2028b" },
	"broken letters in the subject":        func(l *Letter) { l.Subject = "a\xff" },
	"line break in the recipient":          func(l *Letter) { l.To = "kim@uni.example\r\nRCPT TO:<eve@evil.example>" },
	"two recipients":                       func(l *Letter) { l.To = "kim@uni.example, eve@evil.example" },
	"a display name at the recipient":      func(l *Letter) { l.To = "Kim <kim@uni.example>" },
	"angle brackets around the recipient":  func(l *Letter) { l.To = "<kim@uni.example>" },
	"a quoted recipient":                   func(l *Letter) { l.To = `"kim muster"@uni.example` },
	"a recipient with a comment":           func(l *Letter) { l.To = "kim@uni.example (x)" },
	"a recipient beyond ASCII":             func(l *Letter) { l.To = "kím@uni.example" },
	"an encoded word as recipient":         func(l *Letter) { l.To = "=?utf-8?q?=0D=0A?=@uni.example" },
	"no recipient":                         func(l *Letter) { l.To = "" },
	"line break in the message id":         func(l *Letter) { l.MessageID = "<a@b>\r\nBcc: eve@evil.example" },
	"a message id without angle brackets":  func(l *Letter) { l.MessageID = "a@b.example" },
	"a recipient that is a machine number": func(l *Letter) { l.To = "kim@[127.0.0.1]" },
}

func TestNoHeaderCanBeSmuggledIn(t *testing.T) {
	t.Parallel()
	srv := serve(t, noTLS)
	s := newSender(t, Config{URL: srv.URL + "?tls=none"})
	fine := letterTo("kim@uni.example")
	for name, change := range smuggled {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := fine
			change(&l)
			_, err := s.Send(t.Context(), l)
			if r := refusal(t, err); r.Verdict() != Dead || r.Code != 0 {
				t.Errorf("got %+v, want a final refusal before any server was asked", r)
			}
		})
	}
	t.Cleanup(func() {
		if got := srv.sessions(); got != 0 {
			t.Errorf("got %d connections, want none", got)
		}
	})
}
