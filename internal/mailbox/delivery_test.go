package mailbox_test

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/campus"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/pgtest"
	"petschaft/internal/sink"
	"petschaft/internal/trial"
	"petschaft/web/paths"
)

func newSink(t *testing.T, addr string) *sink.Sink {
	t.Helper()
	s, err := sink.New(sink.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(addr); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// mailRig sends through the mail server at addr.
func mailRig(t *testing.T, addr string) *rig {
	t.Helper()
	sender, err := mail.NewSender(mail.Config{URL: "smtp://" + addr + "?tls=none", From: "portal@uni.example", Bounce: "bounce@uni.example"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sender.Close)
	return openRig(t, pgtest.URL(t), sender)
}

func (r *rig) newest(t testing.TB, id mailbox.ID) mailbox.Challenge {
	t.Helper()
	rounds := trial.Must(r.Rounds(t.Context(), r.ReadRow(t, id), 1))
	return rounds[0].Challenges[0]
}

func (r *rig) reaches(t *testing.T, id mailbox.ID, s mailbox.State) mailbox.Challenge {
	t.Helper()
	trial.Until(t, "the challenge is "+string(s), func() bool { return r.newest(t, id).State == s })
	return r.newest(t, id)
}

// again runs the delivery job that waits for its next attempt at once.
func (r *rig) again(t *testing.T) {
	t.Helper()
	trial.Until(t, "the job waits for another attempt", func() bool { return len(trial.Must(r.Queue.Failures(t.Context(), 10))) > 0 })
	job := trial.Must(r.Queue.Failures(t.Context(), 10))[0]
	r.ok(t, r.db.Tx(t.Context(), func(tx pgx.Tx) error {
		_, err := r.Queue.Retry(t.Context(), tx, job.ID)
		return err
	}))
}

var tokenInMail = regexp.MustCompile(`https://portal\.example` + paths.Link + `([A-Za-z0-9_-]{43})`)

// token waits for the n-th mail to the address and returns its link's token.
func token(t *testing.T, s *sink.Sink, address string, n int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	m, err := s.WaitFor(ctx, func(m sink.Mail) bool {
		if m.For(address) {
			n--
		}
		return m.For(address) && n == 0
	})
	if err != nil {
		t.Fatal(err)
	}
	found := tokenInMail.FindStringSubmatch(m.Text)
	if found == nil {
		t.Fatalf("no link in the mail:\n%s", m.Text)
	}
	if strings.Contains(m.Subject, found[1]) || m.From != "bounce@uni.example" {
		t.Errorf("got subject %q from %q, want no token and the bounce mailbox", m.Subject, m.From)
	}
	return found[1]
}

func TestTheLinkInTheMailConfirms(t *testing.T) {
	t.Parallel()
	s := newSink(t, "127.0.0.1:0")
	r := mailRig(t, s.Addr())
	id := r.AddRow(t, "ada")
	r.work(t)
	trial.Must(r.Challenge(t.Context(), r.contact, r.uni, id))
	link := token(t, s, "ada@uni.example", 1)
	c := r.reaches(t, id, mailbox.Sent)
	if c.Sent == nil || c.Attempts != 1 || c.Answer == "" {
		t.Errorf("got sent %v after %d attempts, answer %q; want a time, 1 and what the server said", c.Sent, c.Attempts, c.Answer)
	}
	_, err := r.Confirm(t.Context(), r.ada, mailbox.Digest(link))
	r.ok(t, err)
	if got := r.ReadRow(t, id).Status; got != mailbox.Confirmed {
		t.Errorf("got status %q, want confirmed", got)
	}
	r.holdsNoSecret(t, link)
}

func TestAMailRefusedForGoodMakesTheRowUndeliverable(t *testing.T) {
	t.Parallel()
	s := newSink(t, "127.0.0.1:0")
	s.Reject("ada@uni.example", 550, "<ada@uni.example>: no such user Ada@uni.example")
	r := mailRig(t, s.Addr())
	id := r.AddRow(t, "ada", "one@uni.example")
	r.work(t)
	trial.Must(r.Challenge(t.Context(), r.contact, r.uni, id))
	c := r.reaches(t, id, mailbox.Failed)
	if !strings.Contains(c.Answer, "no such user") || strings.Contains(strings.ToLower(c.Answer), "ada@") {
		t.Errorf("got answer %q, want the server's words without the address", c.Answer)
	}
	if got := r.ReadRow(t, id).Status; got != mailbox.Undeliverable {
		t.Errorf("got status %q, want undeliverable", got)
	}
	trial.Until(t, "no delivery job is left to run", func() bool {
		return r.campus.Scalar(`select count(*) from river_job where kind = 'mailbox_deliver' and state <> 'completed'`) == 0
	})
	link := token(t, s, "one@uni.example", 1)
	r.ok(t, r.Decline(t.Context(), r.ada, mailbox.Digest(link)))
}

func TestAMailRefusedForNowIsSentLater(t *testing.T) {
	t.Parallel()
	s := newSink(t, "127.0.0.1:0")
	s.Reject("*", 451, "greylisted ada@uni.example")
	r := mailRig(t, s.Addr())
	id := r.AddRow(t, "ada")
	r.work(t)
	trial.Must(r.Challenge(t.Context(), r.contact, r.uni, id))
	c := r.reaches(t, id, mailbox.Deferred)
	if !strings.Contains(c.Answer, "greylisted") || strings.Contains(c.Answer, "ada@") || r.ReadRow(t, id).Status != mailbox.Open {
		t.Errorf("got answer %q and status %q, want the server's words without the address, and open", c.Answer, r.ReadRow(t, id).Status)
	}
	s.Reject("*", 0, "")
	r.again(t)
	link := token(t, s, "ada@uni.example", 1)
	if c = r.reaches(t, id, mailbox.Sent); c.Attempts != 2 {
		t.Errorf("got %d attempts, want 2", c.Attempts)
	}
	r.holdsNoSecret(t, link)
	_, err := r.Confirm(t.Context(), r.ada, mailbox.Digest(link))
	r.ok(t, err)
}

func TestAMailServerThatIsAwayDefersTheMail(t *testing.T) {
	t.Parallel()
	gone := newSink(t, "127.0.0.1:0")
	addr := gone.Addr()
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	r := mailRig(t, addr)
	id := r.AddRow(t, "ada")
	r.work(t)
	trial.Must(r.Challenge(t.Context(), r.contact, r.uni, id))
	if c := r.reaches(t, id, mailbox.Deferred); c.Answer != "" || c.Sent != nil {
		t.Errorf("got answer %q, sent %v; want none, for nobody answered", c.Answer, c.Sent)
	}
	s := newSink(t, addr)
	r.again(t)
	token(t, s, "ada@uni.example", 1)
	r.reaches(t, id, mailbox.Sent)
}

func TestAProcessKilledAfterSendingSendsAgainAndTheFirstLinkSaysSo(t *testing.T) {
	t.Parallel()
	s := newSink(t, "127.0.0.1:0")
	r := mailRig(t, s.Addr())
	id := r.AddRow(t, "ada")
	trial.Must(r.Challenge(t.Context(), r.contact, r.uni, id))
	first, _, err := mailbox.Attempt(t.Context(), r.Book, r.newest(t, id).ID)
	r.ok(t, err)
	l, err := mail.Challenge(mail.ChallengeWords{
		To: "ada@uni.example", Asks: "x", Domain: "uni.example", Link: r.Base + paths.Link + first, Until: r.Now(),
	})
	r.ok(t, err)
	_, err = r.Sender.Send(t.Context(), l)
	r.ok(t, err)
	r.work(t) // the next process finds the job
	second := token(t, s, "ada@uni.example", 2)
	r.reaches(t, id, mailbox.Sent)
	_, err = r.Confirm(t.Context(), r.ada, mailbox.Digest(first))
	campus.Wants(t, err, "mailbox.link.replaced")
	_, err = r.Confirm(t.Context(), r.ada, mailbox.Digest(second))
	r.ok(t, err)
}

func TestAPersonMayBeQuickerThanTheMailServersAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada")
	trial.Must(r.Challenge(t.Context(), r.contact, r.uni, id))
	link, done, err := mailbox.Attempt(t.Context(), r.Book, r.newest(t, id).ID)
	r.ok(t, err)
	_, err = r.Confirm(t.Context(), r.ada, mailbox.Digest(link))
	r.ok(t, err)
	r.ok(t, done("250 ok", nil))
	if c := r.newest(t, id); c.State != mailbox.Affirmed || c.Answer != "250 ok" {
		t.Errorf("got state %q, answer %q; want confirmed and the answer noted", c.State, c.Answer)
	}
}

func TestTheJobOfAnEndedChallengeSendsNothing(t *testing.T) {
	t.Parallel()
	s := newSink(t, "127.0.0.1:0")
	r := mailRig(t, s.Addr())
	id := r.AddRow(t, "ada")
	trial.Must(r.Challenge(t.Context(), r.contact, r.uni, id))
	r.SwitchOff(t, id)
	r.work(t)
	trial.Until(t, "the delivery job ended well", func() bool {
		return r.campus.Scalar(`select count(*) from river_job where kind = 'mailbox_deliver' and state = 'completed'`) == 1
	})
	if n := s.Count(); n != 0 {
		t.Errorf("got %d mails, want none: the challenge was invalidated", n)
	}
}

// holdsNoSecret scans what lies in the database after a delivery.
func (r *rig) holdsNoSecret(t *testing.T, token string) {
	t.Helper()
	for _, table := range []string{"river_job", "audit_line", "letter", "challenge", "challenge_token", "challenge_round", "link"} {
		var all string
		if err := r.db.QueryRow(t.Context(), `select coalesce(string_agg(x::text, ' '), '') from `+table+` x`).Scan(&all); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(all, token) {
			t.Errorf("table %s holds the token of a link, want only its digest: %s", table, all)
		}
		if table == "river_job" && strings.Contains(all, "@") {
			t.Errorf("a job or its error holds an address: %s", all)
		}
	}
	rows, err := r.db.Query(t.Context(), `select args from river_job where kind = 'mailbox_deliver'`)
	r.ok(t, err)
	jobs, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	r.ok(t, err)
	for _, args := range jobs {
		var ids map[string]int64
		if err := json.Unmarshal(args, &ids); err != nil || len(ids) != 1 || ids["challenge"] == 0 {
			t.Errorf("got arguments %s, want the challenge's number only", args)
		}
	}
}

// TestWhatAMailServerSaysInTheLastMomentIsNoted: the job's time is over, or its
// process is being stopped. A mail that was taken must not go out again.
func TestWhatAMailServerSaysInTheLastMomentIsNoted(t *testing.T) {
	t.Parallel()
	for want, said := range map[mailbox.State]error{
		mailbox.Sent:     nil,
		mailbox.Failed:   &mail.Refusal{Stage: mail.AtRecipient, Code: 550, Status: "5.1.1", Answer: "nobody"},
		mailbox.Deferred: &mail.Refusal{Stage: mail.AtRecipient, Code: 450, Answer: "later"},
	} {
		r := newRig(t)
		id := r.AddRow(t, "ada")
		trial.Must(r.Challenge(t.Context(), r.contact, r.uni, id))
		ctx, over := context.WithCancel(t.Context())
		_, done, err := mailbox.Attempt(ctx, r.Book, r.newest(t, id).ID)
		r.ok(t, err)
		over()
		if err := done("", said); want != mailbox.Deferred && err != nil {
			t.Errorf("%s: got %v, want no other attempt", want, err)
		}
		if got := r.newest(t, id).State; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
