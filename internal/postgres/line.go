package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// What a connection is granted. A database whose machine is gone sends nothing,
// and neither does a firewall that forgot the connection: without these bounds
// only the kernel's patience of some 15 minutes ends the wait, and that of a
// middlebox which goes on acknowledging never does.
const (
	connecting = 5 * time.Second  // to be greeted, where neither url nor environment says another time
	unheard    = 15 * time.Second // for sent bytes to be acknowledged, on Linux
	pinging    = 3 * time.Second  // to answer before it is used again
	goodbye    = 3 * time.Second  // to take leave; its place in the pool is not free before
	closing    = 3 * time.Second  // for a pool to end
)

// dialer asks an idle peer after ten seconds whether it is still there, and
// gives it up after fifteen more.
var dialer = net.Dialer{
	KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3},
	Control:         control,
}

// dial connects to a server that has to say something within greeting.
func dial(ctx context.Context, network, address string, greeting time.Duration) (net.Conn, error) {
	d := dialer
	d.Timeout = greeting
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l := &line{Conn: c}
	l.mute = time.AfterFunc(greeting, func() {
		l.silent.Store(true)
		c.Close()
	})
	return l, nil
}

// line is a connection to the server. pgx waits up to 15 seconds for the answer
// to a request to cancel and as long for the farewell of a connection that was
// given up; a peer that is silent would keep a place in the pool that long.
type line struct {
	net.Conn
	mute   *time.Timer
	silent atomic.Bool
}

func (l *line) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	l.mute.Stop()
	return n, l.lost(err)
}

func (l *line) Write(b []byte) (int, error) {
	n, err := l.Conn.Write(b)
	return n, l.lost(err)
}

func (l *line) Close() error {
	l.mute.Stop()
	return l.Conn.Close()
}

// SetDeadline grants at most goodbye: pgx sets one that lies ahead only when it
// gives the connection up.
func (l *line) SetDeadline(t time.Time) error {
	if most := time.Now().Add(goodbye); t.After(most) {
		t = most
	}
	return l.Conn.SetDeadline(t)
}

// lost marks what went wrong between here and the server, unless a deadline of
// ours did.
func (l *line) lost(err error) error {
	var timed net.Error
	switch {
	case err == nil:
		return nil
	case l.silent.Load():
		return &lostError{errors.New("it does not answer")}
	case errors.As(err, &timed) && timed.Timeout():
		return err
	}
	return &lostError{err}
}

// lostError is a connection to the server that broke.
type lostError struct{ cause error }

func (e *lostError) Error() string { return fmt.Sprintf("database connection lost: %v", e.cause) }

func (e *lostError) Unwrap() error { return e.cause }
