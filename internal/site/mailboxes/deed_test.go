package mailboxes_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"petschaft/internal/mailbox"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

func TestARowThatIsAddedTwiceByOneFormIsOne(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	form := nora.FormOn("/email-domains/uni.example/new")
	fields := []string{"form", form, "kind", "personal", "name", "Ada", "primary", "ada.adler@uni.example"}
	var all sync.WaitGroup
	to := make([]string, 4)
	for i := range to {
		all.Go(func() { to[i] = nora.Post(sitetest.RowsOf, fields...).Is(http.StatusSeeOther).To() })
	}
	all.Wait()
	for _, at := range to {
		if at != to[0] {
			t.Errorf("got %v, want the same row each time", to)
		}
	}
	nora.Post(sitetest.RowsOf, append(fields[:6:6], "primary", "other@uni.example")...).Is(http.StatusSeeOther) // back, and another one
	nora.Post(sitetest.RowsOf, fields[2:]...).Is(http.StatusUnprocessableEntity).Has("Diese Adresse steht schon in einer anderen Zeile.")
	nora.Post(sitetest.RowsOf, append(fields[2:len(fields):len(fields)], "form", nora.FormOn("/email-domains/uni.example/new"))...).Is(http.StatusUnprocessableEntity)
	if n := r.Count(`select count(*) from address_row`); n != 2 {
		t.Errorf("got %d rows, want 2", n)
	}
}

func TestChallengesThatAreSentTwiceByOneFormAreSentOnce(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	nora := r.As("nora")
	_, row := r.Add("ada.adler")
	form := nora.FormOn(row + "/challenges")
	for range 2 {
		nora.Post(row+"/challenges", "form", form).Is(http.StatusSeeOther).Follow().Has("sind unterwegs")
	}
	r.Clock.Advance(2 * time.Minute)
	nora.Post(row+"/challenges", "form", form).Is(http.StatusSeeOther)
	if n := r.Count(`select count(*) from challenge_round`); n != 1 {
		t.Errorf("got %d rounds, want 1", n)
	}
	nora.Post(row+"/challenges", "form", nora.FormOn(row+"/challenges")).Is(http.StatusSeeOther)
	if n := r.Count(`select count(*) from challenge_round`); n != 2 {
		t.Errorf("got %d rounds, want a second one by a new form", n)
	}
	trial.Must(0, r.Mailbox.Deactivate(t.Context(), r.Actors["nora"], "uni.example", mailbox.ID(r.Count(`select id from address_row`))))
	as := r.As("sven")
	as.Post(row+"/challenges", "form", form).Is(http.StatusNotFound)
}
