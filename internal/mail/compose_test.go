package mail

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"
)

// composed is a challenge mail as it goes over the line, with the host of its
// link, and the mail that a reader sees in it.
func composed(t *testing.T, from, host, subject string) (raw string, m *netmail.Message) {
	t.Helper()
	l, err := Challenge(ChallengeWords{To: strings.Repeat("k", 60) + "@uni.example", Asks: "Robin Netz", Domain: "uni.example", Link: "https://" + host + "/challenge/" + strings.Repeat("Qx", 21) + "P"})
	if err != nil {
		t.Fatal(err)
	}
	if subject != "" {
		l.Subject = subject
	}
	s, err := NewSender(Config{URL: "smtp://127.0.0.1:1?tls=none", From: from, Bounce: "help@uni.example"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	b, err := s.compose(l)
	if err != nil {
		t.Fatal(err)
	}
	if m, err = netmail.ReadMessage(bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	return string(b), m
}

// TestNoHeaderBeginsWithAnEmptyLine: a reader would show a blank before the
// subject, and some lose an address.
func TestNoHeaderBeginsWithAnEmptyLine(t *testing.T) {
	t.Parallel()
	names := []string{"Portal", "Zertifikatsportal der Universität Beispielstadt-Süd, Rechenzentrum und Registrierungsstelle", strings.Repeat("Portal of the university ", 4)}
	subjects := []string{"", "Short", "Größe", strings.Repeat("a", 200), strings.Repeat("ü", 90), "🔑 Schlüssel " + strings.Repeat("Wörter und Worte ", 9) + "Ende"}
	const address = "portal@zertifikate.rechenzentrum.universitaet-beispielstadt.example"
	for _, name := range names {
		for _, subject := range subjects {
			raw, m := composed(t, (&netmail.Address{Name: strings.TrimSpace(name), Address: address}).String(), "portal.uni.example", subject)
			head, _, _ := strings.Cut(raw, "\r\n\r\n")
			for line := range strings.SplitSeq(head, "\r\n") {
				if header, value, _ := strings.Cut(line, ":"); strings.TrimSpace(value) == "" && !strings.HasPrefix(line, " ") {
					t.Errorf("%s begins with an empty line in:\n%s", header, head)
				}
				if len(line) > 78 && !strings.HasPrefix(line, "To: ") && !strings.HasPrefix(line, "Message-ID: ") { // these cannot be folded
					t.Errorf("got a line of %d characters: %s", len(line), line)
				}
			}
			got, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
			if subject != "" && (err != nil || got != subject) {
				t.Errorf("got the subject %q (%v), want %q", got, err, subject)
			}
			if from, err := m.Header.AddressList("From"); err != nil || from[0].Name != strings.TrimSpace(name) || from[0].Address != address {
				t.Errorf("got From %v (%v), want %q", from, err, name)
			}
		}
	}
}

// TestALinkIsWholeInTheSource: what reads the source of a mail, as filters do,
// finds each link on one line, or base64 that hides none of it.
func TestALinkIsWholeInTheSource(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"p.uni.de":                            "quoted-printable",
		"petschaft.rechenzentrum.uni.example": "base64",
	} {
		_, m := composed(t, "portal@uni.example", host, "")
		link := "https://" + host + "/challenge/" + strings.Repeat("Qx", 21) + "P"
		_, params, _ := mime.ParseMediaType(m.Header.Get("Content-Type"))
		r := multipart.NewReader(m.Body, params["boundary"])
		for _, kind := range []string{"text/plain", "text/html"} {
			p, err := r.NextRawPart()
			if err != nil {
				t.Fatal(err)
			}
			source, _ := io.ReadAll(p)
			encoding := p.Header.Get("Content-Transfer-Encoding")
			if kind == "text/plain" && encoding != want {
				t.Errorf("%s at %s: got %s, want %s", kind, host, encoding, want)
			}
			if encoding == "quoted-printable" && !strings.Contains(string(source), link) {
				t.Errorf("%s at %s: the link is cut in\n%s", kind, host, source)
			}
			checkText(t, encoding, source, link)
		}
	}
}

// checkText looks at a part as it is read: the link is in it, and lines end as
// they must.
func checkText(t *testing.T, encoding string, source []byte, link string) {
	t.Helper()
	var r io.Reader = quotedprintable.NewReader(bytes.NewReader(source))
	if encoding == "base64" {
		for lines := bufio.NewScanner(bytes.NewReader(source)); lines.Scan(); {
			if len(lines.Text()) > 76 {
				t.Errorf("got a line of %d characters in base64", len(lines.Text()))
			}
		}
		r = base64.NewDecoder(base64.StdEncoding, bytes.NewReader(source))
	}
	text, err := io.ReadAll(r)
	if err != nil || !strings.Contains(string(text), link) || !strings.Contains(string(text), "bestätigen") {
		t.Errorf("%s: got %v and\n%s\nwant the letter with %s", encoding, err, text, link)
	}
	if strings.Count(string(text), "\n") != strings.Count(string(text), "\r\n") {
		t.Errorf("%s: a line does not end with CRLF", encoding)
	}
}
