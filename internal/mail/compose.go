package mail

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"mime/quotedprintable"
	"regexp"
	"strings"

	gomail "github.com/wneessen/go-mail"
)

// compose writes the whole mail to memory, so that a letter nobody can compose
// is found before the server is asked to take it.
func (s *Sender) compose(l Letter) ([]byte, error) {
	m, err := s.message(l)
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	if _, err := m.WriteTo(&body); err != nil {
		return nil, fmt.Errorf("the mail cannot be composed: %w", err)
	}
	return bytes.Replace(body.Bytes(), []byte("\r\nMessage-ID:\r\n "), []byte("\r\nMessage-ID: "), 1), nil // see message
}

func (s *Sender) message(l Letter) (*gomail.Msg, error) {
	if err := checkAddress(l.To); err != nil {
		return nil, fmt.Errorf("the recipient %w", err)
	}
	if err := checkHeader(l.Subject); err != nil {
		return nil, fmt.Errorf("the subject %w", err)
	}
	id, err := s.messageID(l.MessageID)
	if err != nil {
		return nil, err
	}
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	for name, value := range map[gomail.Header]string{
		"From": sender(s.from), "Reply-To": "<" + s.config.Bounce + ">", "To": "<" + l.To + ">",
		"Subject": folded("Subject", l.Subject),
	} {
		m.SetGenHeaderPreformatted(name, value) // go-mail itself folds before a long first word, and the first line is empty
	}
	m.SetDate()
	m.SetMessageIDWithValue(id)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834, 5
	m.SetGenHeader("X-Auto-Response-Suppress", "All")  // Exchange's own word for it
	text, how := encoded(l.Text)
	m.SetBodyString(gomail.TypeTextPlain, text, how)
	html, how := encoded(l.HTML)
	m.AddAlternativeString(gomail.TypeTextHTML, html, how)
	return m, nil
}

var links = regexp.MustCompile(`https?://[^\s"<>]+`)

// encoded says how a part is written: quoted-printable, which people can read in
// the source, unless a soft line break would cut a link in two, for filters that
// read the source would follow half of it. Then it is base64, which wants the line
// ends of text to be CRLF (RFC 2045, 6.8).
func encoded(text string) (string, gomail.PartOption) {
	var quoted bytes.Buffer
	w := quotedprintable.NewWriter(&quoted)
	_, _ = w.Write([]byte(text)) // a buffer takes everything
	_ = w.Close()
	rest := quoted.String()
	for _, link := range links.FindAllString(text, -1) {
		_, after, whole := strings.Cut(rest, strings.ReplaceAll(link, "=", "=3D"))
		if !whole {
			return strings.ReplaceAll(text, "\n", "\r\n"), gomail.WithPartEncoding(gomail.EncodingB64)
		}
		rest = after
	}
	return text, gomail.WithPartEncoding(gomail.EncodingQP)
}

// messageID returns given without its brackets, or a new one: 130 random bits
// at the domain of the sender's address.
func (s *Sender) messageID(given string) (string, error) {
	if given == "" {
		return rand.Text() + s.from.Address[strings.LastIndexByte(s.from.Address, '@'):], nil
	}
	id, ok := strings.CutPrefix(given, "<")
	id, ok2 := strings.CutSuffix(id, ">")
	if !ok || !ok2 || checkAddress(id) != nil {
		return "", fmt.Errorf("the message id is not of the form <left@right>")
	}
	return id, nil
}
