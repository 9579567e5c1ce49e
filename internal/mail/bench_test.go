package mail

import (
	"sync"
	"testing"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// The two benchmarks compose and send the same mails over eight connections to
// a server that thinks for ten milliseconds about each; compare their mails/s.

func BenchmarkSend(b *testing.B) {
	srv := slow(b)
	s := newSender(b, Config{URL: srv.URL + "?tls=none"})
	eight(b, func(int) func() error {
		return func() error {
			l, err := Challenge(personal)
			if err != nil {
				return err
			}
			_, err = s.Send(b.Context(), l)
			return err
		}
	})
}

func BenchmarkBareLoop(b *testing.B) {
	srv := slow(b)
	s := newSender(b, Config{URL: srv.URL + "?tls=none"})
	port := srv.Port
	eight(b, func(int) func() error {
		c, err := gomail.NewClient("127.0.0.1", gomail.WithPort(port), gomail.WithTLSPolicy(gomail.NoTLS))
		if err != nil {
			b.Fatal(err)
		}
		if err := c.DialWithContext(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = c.Close() })
		return func() error {
			l, err := Challenge(personal)
			if err != nil {
				return err
			}
			m, err := s.message(l)
			if err != nil {
				return err
			}
			return c.Send(m)
		}
	})
}

func slow(b *testing.B) *server {
	return serve(b, noTLS, func(s *server) {
		s.data = func() error {
			time.Sleep(10 * time.Millisecond) // the server's, not the test's
			return nil
		}
	})
}

// eight lets eight hands send b.N mails.
func eight(b *testing.B, hand func(i int) func() error) {
	mails := make(chan struct{}, b.N)
	for range b.N {
		mails <- struct{}{}
	}
	close(mails)
	var all sync.WaitGroup
	hands := make([]func() error, 8)
	for i := range hands {
		hands[i] = hand(i)
	}
	b.ResetTimer()
	for _, send := range hands {
		all.Go(func() {
			for range mails {
				if err := send(); err != nil {
					b.Errorf("send: %v", err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
}

func BenchmarkChallenge(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Challenge(personal); err != nil {
			b.Fatal(err)
		}
	}
}
