package sink

import (
	"net"
	"sync"
)

// listener counts the connections it hands out and can break them.
type listener struct {
	net.Listener

	mu     sync.Mutex
	open   map[*conn]struct{}
	most   int
	broken bool
}

type conn struct {
	net.Conn
	l *listener
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	counted := &conn{Conn: c, l: l}
	if l.broken {
		// The server still gets it, so that the accept loop ends as usual.
		c.Close()
		return counted, nil
	}
	l.open[counted] = struct{}{}
	l.most = max(l.most, len(l.open))
	return counted, nil
}

func (c *conn) Close() error {
	c.l.mu.Lock()
	delete(c.l.open, c)
	c.l.mu.Unlock()
	return c.Conn.Close()
}

func (l *listener) counts() (open, most int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.open), l.most
}

// breakAll breaks what is open and what still comes.
func (l *listener) breakAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = true
	for c := range l.open {
		c.Conn.Close()
	}
}
