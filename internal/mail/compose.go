package mail

import (
	"bytes"
	"crypto/rand"
	"fmt"
	netmail "net/mail"
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
	return body.Bytes(), nil
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
	m.FromMailAddress(s.from)
	m.ReplyToMailAddress(&netmail.Address{Address: s.config.Bounce})
	m.ToMailAddress(&netmail.Address{Address: l.To})
	m.Subject(l.Subject)
	m.SetDate()
	m.SetMessageIDWithValue(id)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834, 5
	m.SetGenHeader("X-Auto-Response-Suppress", "All")  // Exchange's own word for it
	m.SetBodyString(gomail.TypeTextPlain, l.Text)
	m.AddAlternativeString(gomail.TypeTextHTML, l.HTML)
	return m, nil
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
