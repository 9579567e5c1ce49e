package pgtest

import (
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Proxy stands between the code under test and its database and fails as
// networks do. It is closed when the test ends.
type Proxy struct {
	URL string // of the database, through the proxy

	network, server string // where the database is
	listener        net.Listener
	dark, refusing  atomic.Bool
	mu              sync.Mutex
	pairs           map[*pair]bool
}

// pair is a connection of the code and the proxy's own to the server, nil in
// the dark.
type pair struct {
	in, out net.Conn
	silent  atomic.Bool
}

// NewProxy stands in front of the database at the address that URL returned.
func NewProxy(t testing.TB, address string) *Proxy {
	t.Helper()
	c, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = l.Addr().String()
	q := u.Query()
	for name := range q {
		if strings.HasPrefix(name, "host") || name == "port" {
			q.Del(name)
		}
	}
	q.Set("sslmode", "disable")
	u.RawQuery = q.Encode()
	p := &Proxy{URL: u.String(), listener: l, pairs: map[*pair]bool{}}
	p.network, p.server = pgconn.NetworkAddress(c.Host, c.Port)
	go p.accept()
	t.Cleanup(func() {
		l.Close()
		p.Cut()
	})
	return p
}

// Swallow makes all connections of now silent for ever: what is sent through
// them is taken and thrown away, and nobody is told. New ones work. So does a
// firewall that lost its table. It returns how many there were.
func (p *Proxy) Swallow() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.pairs {
		c.silent.Store(true)
	}
	return len(p.pairs)
}

// Dark makes all connections of now and those to come silent for ever, until
// Light: connections made then work.
func (p *Proxy) Dark() {
	p.dark.Store(true)
	p.Swallow()
}

// Light ends Dark, Refuse for connections to come.
func (p *Proxy) Light() {
	p.dark.Store(false)
	p.refusing.Store(false)
}

// Refuse ends all connections, and those to come at once, until Light: the
// server is down.
func (p *Proxy) Refuse() {
	p.refusing.Store(true)
	p.Cut()
}

// Cut ends all connections of now.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.pairs {
		c.close()
	}
}

func (c *pair) close() {
	c.in.Close()
	if c.out != nil {
		c.out.Close()
	}
}

func (p *Proxy) accept() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.serve(in)
	}
}

func (p *Proxy) serve(in net.Conn) {
	c := &pair{in: in}
	if p.refusing.Load() {
		in.Close()
		return
	}
	if p.dark.Load() {
		c.silent.Store(true)
	} else if out, err := net.Dial(p.network, p.server); err == nil {
		c.out = out
	} else {
		in.Close()
		return
	}
	p.mu.Lock()
	p.pairs[c] = true
	p.mu.Unlock()
	if c.out != nil {
		go c.pass(c.out, c.in)
	}
	c.pass(c.in, c.out)
	p.mu.Lock()
	delete(p.pairs, c)
	p.mu.Unlock()
}

// pass carries bytes until one side ends. A silent pair ends neither.
func (c *pair) pass(from, to net.Conn) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			if from == c.in || !c.silent.Load() {
				c.close()
			}
			return
		}
		if c.silent.Load() {
			continue
		}
		if _, err := to.Write(b[:n]); err != nil {
			c.close()
			return
		}
	}
}
