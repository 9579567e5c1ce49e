package mailbox_test

import (
	"bytes"
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/postgres"
	"petschaft/internal/sink"
	"petschaft/internal/trial"
)

func TestMain(m *testing.M) {
	trial.Main(m, trial.NewPart("deliver", deliverElsewhere))
}

// delivery is the challenge that another process of the portal delivers.
type delivery struct {
	Database, Mail string // addresses
	Challenge      int64
}

func deliverElsewhere(ctx context.Context, d delivery) error {
	db, err := postgres.Open(ctx, d.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	sender, err := mail.NewSender(mail.Config{URL: d.Mail, From: "portal@uni.example", Bounce: "bounce@uni.example"})
	if err != nil {
		return err
	}
	defer sender.Close()
	b, err := campus.Open(db, trial.Today, sender)
	if err != nil {
		return err
	}
	return mailbox.Deliver(ctx, b.Mailbox, d.Challenge)
}

// TestAProcessKilledBetweenTheMailAndItsRecordSendsAgain kills a real process
// (SIGKILL) while the mail server, which has the mail, has not answered yet.
func TestAProcessKilledBetweenTheMailAndItsRecordSendsAgain(t *testing.T) {
	t.Parallel()
	s := newSink(t, "127.0.0.1:0")
	r, url := killRig(t, s)
	id := r.AddRow(t, "ada")
	trial.Must(r.Challenge(t.Context(), r.contact, r.uni, id))
	r.killDelivery(t, url, s, r.newest(t, id).ID)
	first := token(t, s, "ada@uni.example", 1)
	if c := r.newest(t, id); c.State != mailbox.Queued || c.Sent != nil || c.Attempts != 1 {
		t.Errorf("after the kill: got %s, sent %v, %d attempts; want it queued, for nobody knows of the mail", c.State, c.Sent, c.Attempts)
	}
	r.work(t) // the next process finds the job
	second := token(t, s, "ada@uni.example", 2)
	r.reaches(t, id, mailbox.Sent)
	if first == second {
		t.Fatal("got the same token twice, want a new one at each attempt")
	}
	_, err := r.Confirm(t.Context(), r.ada, mailbox.Digest(first))
	campus.Wants(t, err, "mailbox.link.replaced")
	_, err = r.Confirm(t.Context(), r.ada, mailbox.Digest(second))
	r.ok(t, err)
	if got := r.ReadRow(t, id).Status; got != mailbox.Confirmed {
		t.Errorf("got status %q, want confirmed", got)
	}
}

func killRig(t *testing.T, s *sink.Sink) (r *rig, url string) {
	t.Helper()
	r = mailRig(t, s.Addr())
	return r, r.campus.URL
}

func smtp(addr string) string { return "smtp://" + addr + "?tls=none" }

// killDelivery lets another process deliver the challenge and kills it as soon
// as the server has the mail.
func (r *rig) killDelivery(t *testing.T, url string, s *sink.Sink, challenge int64) {
	t.Helper()
	c := trial.NewChild(t, "deliver", delivery{url, smtp(mute(t, s.Addr())), challenge})
	ctx, cancel := context.WithTimeout(t.Context(), 45*time.Second)
	defer cancel()
	_, err := s.WaitFor(ctx, func(sink.Mail) bool { return true })
	if err != nil {
		t.Fatalf("no mail came: %v", err)
	}
	c.Kill()
}

// mute is the way to a mail server that takes a mail and never says so.
func mute(t *testing.T, to string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to)
			if err != nil {
				client.Close()
				return
			}
			var whole atomic.Bool
			go relay(server, client, func(sent []byte) bool {
				whole.Store(whole.Load() || bytes.HasSuffix(sent, []byte("\r\n.\r\n")))
				return true
			})
			go relay(client, server, func([]byte) bool { return !whole.Load() })
		}
	}()
	return l.Addr().String()
}

// relay passes on what passes says, which sees all that was read so far.
func relay(to, from net.Conn, passes func([]byte) bool) {
	defer to.Close()
	var all []byte
	b := make([]byte, 4096)
	for {
		n, err := from.Read(b)
		if all = append(all, b[:n]...); n > 0 && passes(all) {
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
