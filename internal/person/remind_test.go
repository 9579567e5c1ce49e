package person_test

import (
	"testing"
	"time"

	"petschaft/internal/mail"
	"petschaft/internal/person"
	"petschaft/internal/queue"
)

func TestTheEndOfATokenIsAnnouncedTwice(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for what, c := range map[string]struct {
		life  time.Duration
		after []time.Duration // when the job runs, from the making on
		want  []int           // letters so far
	}{
		"a year":              {365 * day, []time.Duration{350 * day, 351 * day, 351 * day, 361 * day, 362 * day, 364 * day, 366 * day}, []int{0, 1, 1, 1, 2, 2, 2}},
		"both nights missed":  {365 * day, []time.Duration{364 * day, 364 * day}, []int{1, 1}},
		"all nights missed":   {365 * day, []time.Duration{365 * day}, []int{0}},
		"ten days":            {10 * day, []time.Duration{0, 6 * day, 7 * day, 8 * day}, []int{0, 0, 1, 1}},
		"two days":            {2 * day, []time.Duration{0, day}, []int{0, 0}},
		"withdrawn meanwhile": {-365 * day, []time.Duration{351 * day}, []int{0}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			q, err := queue.Open(d.DB)
			if err != nil {
				t.Fatal(err)
			}
			d.Outbox, d.Base = &mail.Outbox{DB: d.DB, Queue: q, Now: d.Now}, "https://portal.example"
			in := d.input()
			in.Ends = d.Now().Add(max(c.life, -c.life))
			_, id := d.must(t, in)
			if c.life < 0 {
				if err := d.WithdrawToken(t.Context(), d.ada, id); err != nil {
					t.Fatal(err)
				}
			}
			for i, after := range c.after {
				d.at.Store(now.Add(after).Unix())
				if err := d.Remind(t.Context()); err != nil {
					t.Fatal(err)
				}
				var got int
				err := d.DB.QueryRow(t.Context(), `select count(*) from letter where kind = 'token_ending' and recipient = 'ada@uni.example'`).Scan(&got)
				if err != nil || got != c.want[i] {
					t.Errorf("after %v: got %d letters and %v, want %d", after, got, err, c.want[i])
				}
			}
		})
	}
}

func TestAnUnverifiedAddressGetsNoLetter(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	q, err := queue.Open(d.DB)
	if err != nil {
		t.Fatal(err)
	}
	d.Outbox, d.Base = &mail.Outbox{DB: d.DB, Queue: q, Now: d.Now}, "https://portal.example"
	d.must(t, d.input())
	if _, err := signIn(t, d.Book, person.Claims{Issuer: "https://idp.example", Subject: "ada", Email: "ada@uni.example"}); err != nil {
		t.Fatal(err)
	}
	d.later(180 * 24 * time.Hour)
	if err := d.Remind(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got int
	if err := d.DB.QueryRow(t.Context(), `select count(*) from letter`).Scan(&got); err != nil || got != 0 {
		t.Errorf("got %d letters and %v, want none", got, err)
	}
}
