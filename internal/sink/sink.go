// Package sink is a real SMTP server that delivers nothing: it keeps what it
// gets, in memory and if told so in a directory, and shows it in a browser. It
// decides which recipients to refuse and how slowly to answer, because a test
// or a person trying the demo told it so. It never passes a mail on, and it is
// never part of the production binary.
package sink

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

const (
	defaultLimit = 2000
	maxMailBytes = 4 << 20
	closeWithin  = 5 * time.Second
)

// Config tells how to receive. The zero value takes everything from everybody
// without encryption and keeps the last 2,000 mails in memory.
type Config struct {
	Limit       int           // mails kept, the oldest go first; 0: 2,000
	Dir         string        // existing directory that keeps the mails between runs; "": memory only
	CountOnly   bool          // keep and parse nothing, only count (for the bench)
	Delay       time.Duration // time between the end of DATA and its answer
	Username    string        // not "": AUTH PLAIN is required
	Password    string
	TLS         *tls.Config // offers STARTTLS; AUTH then needs it
	ImplicitTLS bool        // TLS from the first byte instead of STARTTLS
	RequireTLS  bool        // refuse mail on an unencrypted connection
	Now         func() time.Time
	Location    *time.Location    // of the times in the reader; nil: the machine's
	Moved       *strings.Replacer // changes the words of mails of earlier runs, whose links lead elsewhere now; nil: nothing
}

// Sink is an SMTP server with a memory. All methods may be called at any time
// from any goroutine.
type Sink struct {
	cfg  Config
	done chan struct{} // closed by Close

	mu       sync.Mutex
	server   *smtp.Server
	listener *listener
	served   chan error
	mails    []Mail // oldest first
	last     int64  // newest id given
	count    int
	delay    time.Duration
	rules    map[string]*smtp.SMTPError
	news     chan struct{} // closed and replaced at each mail
}

// New makes a sink and reads the mails of an earlier run.
func New(cfg Config) (*Sink, error) {
	cfg.Limit = cmp.Or(cfg.Limit, defaultLimit)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Location == nil {
		cfg.Location = time.Local
	}
	if cfg.TLS == nil && (cfg.ImplicitTLS || cfg.RequireTLS) {
		return nil, errors.New("sink: TLS without a certificate")
	}
	s := &Sink{cfg: cfg, delay: cfg.Delay, done: make(chan struct{}), news: make(chan struct{}), rules: map[string]*smtp.SMTPError{}}
	if err := s.readDir(); err != nil {
		return nil, fmt.Errorf("sink: read earlier mails: %w", err)
	}
	return s, nil
}

// Start listens on addr ("127.0.0.1:0" picks a port) and serves until Close.
func (s *Sink) Start(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	return s.Serve(l)
}

// Serve is Start on a port that is open already. It closes l when it fails.
func (s *Sink) Serve(l net.Listener) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.server != nil {
		return errors.Join(errors.New("sink: started twice"), l.Close())
	}
	s.listener = &listener{Listener: l, open: map[*conn]struct{}{}}
	s.server = s.newServer()
	s.served = make(chan error, 1)
	var from net.Listener = s.listener
	if s.cfg.ImplicitTLS {
		from = tls.NewListener(from, s.cfg.TLS)
	}
	go func(server *smtp.Server, served chan<- error) { served <- server.Serve(from) }(s.server, s.served)
	return nil
}

// Addr is host and port of a started sink, else "".
func (s *Sink) Addr() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// Close breaks all connections, waits for their end and frees the port. What
// was received stays readable. Closing twice changes nothing.
func (s *Sink) Close() error {
	s.mu.Lock()
	server, l, served := s.server, s.listener, s.served
	closed := s.closed()
	if !closed {
		close(s.done)
	}
	s.mu.Unlock()
	if closed || server == nil {
		return nil
	}
	// First nobody comes any more, then everybody goes: go-smtp counts its
	// connections in the accept loop and must not be waited for while it runs.
	all := []error{l.Listener.Close()}
	l.breakAll()
	all = append(all, <-served)
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	all = append(all, server.Shutdown(ctx))
	return errors.Join(slices.DeleteFunc(all, func(err error) bool { return errors.Is(err, net.ErrClosed) })...)
}

func (s *Sink) closed() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// Reject makes the sink answer RCPT for addr (without regard to case; "*" is
// everybody without a rule of their own) with code and text from now on: 5xx
// refuses for good, 4xx for now, with the enhanced code x.1.1 unless text begins
// with another. Code 0 takes the rule away.
func (s *Sink) Reject(addr string, code int, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	addr = strings.ToLower(addr)
	if code == 0 {
		delete(s.rules, addr)
		return
	}
	e := &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: text}
	if coded.MatchString(text) {
		e.EnhancedCode = smtp.NoEnhancedCode
	}
	s.rules[addr] = e
}

var coded = regexp.MustCompile(`^[245]\.\d+\.\d+ `)

// SetDelay changes Config.Delay for the mails to come.
func (s *Sink) SetDelay(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = d
}

// Mails returns what is kept, oldest first.
func (s *Sink) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Count is how many mails were taken since New, kept or not.
func (s *Sink) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// Clear forgets the kept mails, on disk too. Count goes on.
func (s *Sink) Clear() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.mails
	s.mails = nil
	return s.unlink(old)
}

// Connections tells how many are open and how many were at the busiest time.
func (s *Sink) Connections() (open, most int) {
	s.mu.Lock()
	l := s.listener
	s.mu.Unlock()
	if l == nil {
		return 0, 0
	}
	return l.counts()
}

// WaitFor returns the oldest kept mail that matches, waiting for one to come.
// It fails when ctx ends, and says then how many mails it looked at.
func (s *Sink) WaitFor(ctx context.Context, match func(Mail) bool) (Mail, error) {
	var seen int64
	looked := 0
	for {
		s.mu.Lock()
		mails, news := slices.Clone(s.mails), s.news
		s.mu.Unlock()
		for _, m := range mails {
			if m.ID <= seen {
				continue
			}
			seen = m.ID
			looked++
			if match(m) {
				return m, nil
			}
		}
		select {
		case <-ctx.Done():
			return Mail{}, fmt.Errorf("sink: none of %d mails matched: %w", looked, ctx.Err())
		case <-news:
		}
	}
}

// take counts a mail and keeps it, on disk before it is acknowledged.
func (s *Sink) take(m Mail) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cfg.CountOnly {
		s.count++
		return nil
	}
	m.ID = s.last + 1
	if err := s.write(m); err != nil {
		return err
	}
	s.last = m.ID
	s.count++
	s.mails = append(s.mails, m)
	close(s.news)
	s.news = make(chan struct{})
	if over := len(s.mails) - s.cfg.Limit; over > 0 {
		old := s.mails[:over]
		s.mails = slices.Clone(s.mails[over:])
		// The mail is kept, so it is acknowledged; a file that would not go is
		// over the limit at the next start as well and goes then.
		_ = s.unlink(old)
	}
	return nil
}
