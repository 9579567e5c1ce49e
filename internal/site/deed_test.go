package site_test

import (
	"fmt"
	"net/http"
	"regexp"
	"sync"
	"testing"
	"time"

	"petschaft/internal/mailbox"
)

var formField = regexp.MustCompile(`name="form" value="(\w+)"`)

// formOn is the name of the form on a page.
func (b *browser) formOn(page string) string {
	b.r.t.Helper()
	m := formField.FindStringSubmatch(b.get(page).status(http.StatusOK).body)
	if m == nil {
		b.r.t.Fatalf("the form on %s has no name", page)
	}
	return m[1]
}

func TestARowThatIsAddedTwiceByOneFormIsOne(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora := r.as("nora")
	form := nora.formOn("/email-domains/uni.example/new")
	fields := []string{"form", form, "kind", "personal", "name", "Ada", "primary", "ada.adler@uni.example"}
	var all sync.WaitGroup
	to := make([]string, 4)
	for i := range to {
		all.Go(func() { to[i] = nora.post(rowsOf, fields...).status(http.StatusSeeOther).to() })
	}
	all.Wait()
	for _, at := range to {
		if at != to[0] {
			t.Errorf("got %v, want the same row each time", to)
		}
	}
	nora.post(rowsOf, append(fields[:6:6], "primary", "other@uni.example")...).status(http.StatusSeeOther) // back, and another one
	nora.post(rowsOf, fields[2:]...).status(http.StatusUnprocessableEntity).has("Diese Adresse steht schon in einer anderen Zeile.")
	nora.post(rowsOf, append(fields[2:len(fields):len(fields)], "form", nora.formOn("/email-domains/uni.example/new"))...).status(http.StatusUnprocessableEntity)
	if n := r.count(`select count(*) from address_row`); n != 2 {
		t.Errorf("got %d rows, want 2", n)
	}
}

func TestChallengesThatAreSentTwiceByOneFormAreSentOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	nora := r.as("nora")
	_, row := r.add("ada.adler")
	form := nora.formOn(row + "/challenges")
	for range 2 {
		nora.post(row+"/challenges", "form", form).status(http.StatusSeeOther).follow().has("sind unterwegs")
	}
	r.clock.Advance(2 * time.Minute)
	nora.post(row+"/challenges", "form", form).status(http.StatusSeeOther)
	if n := r.count(`select count(*) from challenge_round`); n != 1 {
		t.Errorf("got %d rounds, want 1", n)
	}
	nora.post(row+"/challenges", "form", nora.formOn(row+"/challenges")).status(http.StatusSeeOther)
	if n := r.count(`select count(*) from challenge_round`); n != 2 {
		t.Errorf("got %d rounds, want a second one by a new form", n)
	}
	must(0, r.Mailbox.Deactivate(t.Context(), r.actors["nora"], "uni.example", mailbox.ID(r.count(`select id from address_row`))))
	as := r.as("sven")
	as.post(row+"/challenges", "form", form).status(http.StatusNotFound)
}

func TestARevocationThatIsSentTwiceByOneFormSucceedsTwice(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := r.linkRow("ada", "ada")
	path := fmt.Sprintf("/client-certificates/%d", r.certified("ada", row))
	ada := r.as("ada")
	form := ada.formOn(path + "/revoke")
	for range 2 {
		ada.post(path+"/revoke", "form", form, "reason", "4").status(http.StatusSeeOther)
	}
	ada.post(path+"/revoke", "reason", "4").status(http.StatusConflict)
	if n := r.count(`select count(*) from audit_line where action = 'cert.revoked'`); n != 1 {
		t.Errorf("got %d revocations on record, want 1", n)
	}
}
