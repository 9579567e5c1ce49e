package main

import (
	"net"
	"time"

	"petschaft/internal/ca/catest"
	"petschaft/internal/issuance"
)

// outsideName is what pages call the sample authority that is not the portal's.
const outsideName = "Muster Trust"

// It takes its time: what it is asked for comes at the first look after a minute, and
// every third request when somebody there has looked at it. It revokes at the second look.
const (
	outsideWait = time.Minute
	thirdOne    = 3
	personWait  = 5 * time.Minute
)

// newOutside is that authority. It forgets everything when the demo ends.
func newOutside(personWait time.Duration) (*catest.Server, error) {
	s, err := catest.Found(outsideName)
	if err != nil {
		return nil, err
	}
	s.Later(outsideWait)
	s.SignsAfter(1)
	s.Choose(func(intent int64, nth int) catest.Mode {
		if intent%thirdOne != 0 {
			return catest.Pending
		}
		if nth == 1 {
			time.AfterFunc(personWait, func() { s.Approve(intent) })
		}
		return catest.Person
	})
	s.ChooseRevoke(func(_ int64, nth int) catest.Mode {
		if nth == 1 {
			return catest.Pending
		}
		return catest.Good
	})
	return s, nil
}

// outside starts it at a port that happens to be free: only the portal calls it.
func (w *world) outside() error {
	s, err := newOutside(personWait)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.URL = "http://" + l.Addr().String()
	w.serve(l, s.Handler())
	w.registry = issuance.Registry{outsideName: {Authority: s.Client(), Mail: true, Servers: true}}
	return nil
}
