package person_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/person"
)

func TestATokenSleepsWithoutASignInOfItsMaker(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	in := d.input()
	in.Ends = d.Now().AddDate(0, 11, 0)
	secret, id := d.must(t, in)
	d.later(30 * 24 * time.Hour)
	by, _, err := d.ByToken(t.Context(), secret, home)
	if err != nil || len(by.Groups) != 1 {
		t.Errorf("after thirty days: got %+v and %v, want it awake, with its maker's group", by, err)
	}
	d.later(time.Hour)
	_, _, err = d.ByToken(t.Context(), secret, home)
	campus.Wants(t, err, "token.asleep")
	if got := person.WhichToken(err); got.Token != id || got.Account != d.ada.Account || got.Why != "asleep" {
		t.Errorf("for the log: got %+v", got)
	}
	if _, err = d.Acting(t.Context(), d.DB, d.Now(), by.Behalf()); !errors.Is(err, person.ErrAsleep) {
		t.Errorf("work that it began: got %v, want that it sleeps", err)
	}
	if _, err := signIn(t, d.Book, person.Claims{Issuer: "https://idp.example", Subject: "ada", Groups: []string{"net", "web"}}); err != nil {
		t.Fatal(err)
	}
	if by, _, err := d.ByToken(t.Context(), secret, home); err != nil || len(by.Groups) != 2 {
		t.Errorf("its maker signed in: got %v and %v, want it awake with both groups", by.Groups, err)
	}
}

// Who holds a stolen token does not hear more because it sleeps, too.
func TestOnlyWhoMightUseATokenHearsThatItSleeps(t *testing.T) {
	t.Parallel()
	for why, turn := range map[string]func(d *desk, id person.TokenID) error{
		"network":   func(*desk, person.TokenID) error { return nil },
		"withdrawn": func(d *desk, id person.TokenID) error { return d.WithdrawToken(t.Context(), d.ada, id) },
		"locked":    func(d *desk, _ person.TokenID) error { return d.Lock(t.Context(), d.officer, d.ada.Account, "weg") },
		"ended":     func(d *desk, _ person.TokenID) error { d.later(365 * 24 * time.Hour); return nil },
		"provider":  func(d *desk, _ person.TokenID) error { d.Issuer = "https://new.example"; return nil },
	} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			in := d.input()
			from := home
			if why == "network" {
				in.Networks, from = []string{"192.0.2.0/24"}, netip.MustParseAddr("198.51.100.1")
			}
			secret, id := d.must(t, in)
			d.later(60 * 24 * time.Hour)
			if err := turn(d, id); err != nil {
				t.Fatal(err)
			}
			_, _, err := d.ByToken(t.Context(), secret, from)
			campus.Wants(t, err, "token.refused")
			if got := person.WhichToken(err); got.Why != why || got.Token != id {
				t.Errorf("for the log: got %+v, want %s of token %d", got, why, id)
			}
		})
	}
}

// At the upgrade nobody was warned: those tokens stay awake for a week and a day, but
// what rests on groups does not come back.
func TestATokenOfBeforeStaysAwakeUntilItsMakerWasWarned(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	secret, id := d.must(t, d.input())
	d.later(100 * 24 * time.Hour)
	if _, err := d.DB.Exec(t.Context(), `update token set awake_until = $1 where id = $2`, d.Now().Add(8*24*time.Hour), id); err != nil {
		t.Fatal(err)
	}
	by, _, err := d.ByToken(t.Context(), secret, home)
	if err != nil || len(by.Groups) != 0 {
		t.Errorf("got %+v and %v, want it awake without groups", by, err)
	}
	d.later(8*24*time.Hour + time.Second)
	_, _, err = d.ByToken(t.Context(), secret, home)
	campus.Wants(t, err, "token.asleep")
}
