package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// ports are the demo's four, open on loopback.
type ports struct{ portal, provider, reader, smtp net.Listener }

// occupy opens all four, or none; the error says what to type instead.
func (s settings) occupy() (p ports, err error) {
	for _, one := range []struct {
		port int
		at   *net.Listener
	}{{s.Portal, &p.portal}, {s.Provider, &p.provider}, {s.Reader, &p.reader}, {s.SMTP, &p.smtp}} {
		if *one.at, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(one.port))); err != nil {
			p.close()
			return ports{}, s.refused(one.port, err)
		}
	}
	return p, nil
}

// refused says why a port cannot be had, in words of what was typed.
func (s settings) refused(port int, err error) error {
	why := err.Error()
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		why = fmt.Sprintf("port %d is taken", port)
	case errors.Is(err, syscall.EACCES):
		why = fmt.Sprintf("you may not listen on port %d (only root may below 1024)", port)
	}
	if s.typed != "" {
		why = "PORT=" + s.typed + ": " + why
	}
	return fmt.Errorf("%s; the demo needs %d to %d, choose others, as in: make run PORT=%d", why, s.Portal, s.SMTP, 9000+100*((s.Portal/100+1)%10))
}

func (p ports) close() {
	for _, l := range []net.Listener{p.portal, p.provider, p.reader, p.smtp} {
		if l != nil {
			l.Close()
		}
	}
}
