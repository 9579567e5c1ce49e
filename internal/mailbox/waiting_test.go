package mailbox_test

import (
	"fmt"
	"testing"
	"time"

	"petschaft/internal/campus"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

func TestAPersonSeesWhatIsAskedOfThem(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	eve := r.campus.SignIn(campus.WithEmail("Eve", "eve@uni.example"))
	sees := func(when string, by person.Actor, want ...string) {
		t.Helper()
		var got []string
		for _, a := range trial.Must(r.WaitingFor(t.Context(), by)) {
			got = append(got, fmt.Sprintf("%s of %d %s: %v, missing %v", a.Outcome, a.Total, a.Primary, a.Confirmed, a.Missing))
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got\n%q, want\n%q", when, got, want)
		}
	}
	id := r.AddRow(t, "eve", "e@uni.example", "eva@uni.example")
	sees("nothing sent", eve)
	digests := r.ChallengeRow(t, id)
	sees("of three addresses the own one is told", eve, "open of 3 eve@uni.example: [], missing [eve@uni.example]")
	sees("somebody else", r.bob)
	trial.Must(r.Confirm(t.Context(), eve, digests["e@uni.example"]))
	sees("who confirmed one knows the others", eve, "open of 3 eve@uni.example: [e@uni.example], missing [eve@uni.example eva@uni.example]")
	a, mine, err := r.AskedIn(t.Context(), eve, trial.Must(r.Rounds(t.Context(), r.ReadRow(t, id), 1))[0].ID)
	if err != nil || !mine || !a.Open() {
		t.Errorf("got %+v, %v, %v: want the open round that Eve began", a, mine, err)
	}
	if _, mine, err := r.AskedIn(t.Context(), r.bob, a.Round); err != nil || mine {
		t.Errorf("Bob confirmed nothing: got %v, %v", mine, err)
	}

	r.ChallengeRow(t, r.AddFunctional(t, "office", "eve@uni.example", "amt@uni.example"))
	sees("a function beside it", eve, "open of 1 office@uni.example: [], missing [eve@uni.example]",
		"open of 3 eve@uni.example: [e@uni.example], missing [eve@uni.example eva@uni.example]")

	r.clock.Advance(14 * 24 * time.Hour)
	r.ok(t, r.Tick(t.Context()))
	sees("over", eve, "expired of 3 eve@uni.example: [e@uni.example], missing [eve@uni.example eva@uni.example]")
	r.ConfirmRow(t, eve, id)
	sees("all confirmed", eve)
	if a, mine, err := r.AskedIn(t.Context(), eve, trial.Must(r.Rounds(t.Context(), r.ReadRow(t, id), 1))[0].ID); err != nil || !mine || a.Outcome != "complete" {
		t.Errorf("got %+v, %v, %v: want the complete round", a, mine, err)
	}
	r.ChallengeRow(t, id)
	r.SwitchOff(t, id)
	sees("at rest", eve)
}
