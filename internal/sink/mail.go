package sink

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/encoding/htmlindex"
)

// maxDepth is deeper than any honest mail nests its parts.
const maxDepth = 8

// Mail is one message as it came and as a reader sees it. Its slices and its
// header are shared by all copies: read only.
type Mail struct {
	ID        int64    // counts up, also over a restart
	From      string   // of the envelope: where bounces go
	To        []string // of the envelope
	Subject   string   // decoded
	Text      string   // first text/plain part, decoded
	HTML      string   // first text/html part, decoded; "" without one
	Header    mail.Header
	Raw       []byte // as transferred, with CRLF
	Received  time.Time
	Encrypted bool  // came over TLS
	Problem   error // why it cannot be read as MIME; nil for a good mail
}

// For tells whether addr is among the recipients, without regard to case.
func (m Mail) For(addr string) bool {
	return slices.ContainsFunc(m.To, func(to string) bool { return strings.EqualFold(to, addr) })
}

var words = mime.WordDecoder{CharsetReader: charset}

func (m *Mail) parse(raw []byte) {
	m.Raw = raw
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		m.Problem, m.Text = err, string(raw)
		return
	}
	m.Header = msg.Header
	subject, err := words.DecodeHeader(msg.Header.Get("Subject"))
	if err != nil {
		subject = msg.Header.Get("Subject")
	}
	m.Subject = subject
	m.Problem = errors.Join(err, m.part(textproto.MIMEHeader(msg.Header), msg.Body, 0))
}

// part reads one part and those in it.
func (m *Mail) part(h textproto.MIMEHeader, body io.Reader, depth int) error {
	kind, params, err := contentType(h)
	if err != nil {
		return err
	}
	if strings.HasPrefix(kind, "multipart/") {
		return m.parts(multipart.NewReader(body, params["boundary"]), depth+1)
	}
	into := &m.Text
	if kind == "text/html" {
		into = &m.HTML
	}
	if *into != "" || kind != "text/plain" && kind != "text/html" || attached(h) {
		return nil
	}
	*into, err = decode(h.Get("Content-Transfer-Encoding"), params["charset"], body)
	if err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	return nil
}

func (m *Mail) parts(r *multipart.Reader, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("more than %d parts in one another", maxDepth)
	}
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("multipart: %w", err)
		}
		if err := m.part(p.Header, p, depth); err != nil {
			return err
		}
	}
}

// contentType knows the default of RFC 2045, 5.2.
func contentType(h textproto.MIMEHeader) (kind string, params map[string]string, err error) {
	v := h.Get("Content-Type")
	if v == "" {
		return "text/plain", nil, nil
	}
	kind, params, err = mime.ParseMediaType(v)
	if err != nil {
		return "", nil, fmt.Errorf("content type %q: %w", v, err)
	}
	return kind, params, nil
}

func attached(h textproto.MIMEHeader) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Disposition"))
	return err == nil && kind == "attachment"
}

func decode(encoding, set string, r io.Reader) (string, error) {
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	case "", "7bit", "8bit", "binary":
	default:
		return "", fmt.Errorf("unknown transfer encoding %q", encoding)
	}
	r, err := charset(set, r)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return strings.ReplaceAll(string(text), "\r\n", "\n"), err
}

func charset(name string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(name) {
	case "", "utf-8", "us-ascii":
		return r, nil
	}
	enc, err := htmlindex.Get(name)
	if err != nil {
		return nil, fmt.Errorf("charset %q: %w", name, err)
	}
	return enc.NewDecoder().Reader(r), nil
}
