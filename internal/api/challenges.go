package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"petschaft/internal/mailbox"
	"petschaft/internal/person"
)

// Round is the challenges of one sending.
type Round struct {
	ID         int64       `json:"id" doc:"The number of the round."`
	Started    time.Time   `json:"started" doc:"When it was sent."`
	StartedBy  string      `json:"started_by" doc:"Who sent it."`
	Outcome    string      `json:"outcome" enum:"open,complete,declined,replaced,invalidated,expired,undeliverable,unsent" doc:"complete: all are confirmed by one account; replaced: by a newer round; invalidated: by a change of the row; undeliverable: an address is dead; unsent: for two days the mail server took no mail, which says nothing about the address."`
	Ended      *time.Time  `json:"ended" doc:"When the outcome was clear."`
	Challenges []Challenge `json:"challenges" doc:"Its mails."`
}

// Challenge is one mail of a round.
type Challenge struct {
	ID         int64      `json:"id" doc:"The number of the challenge."`
	Recipient  string     `json:"recipient" doc:"Whom it is mailed to."`
	State      string     `json:"state" enum:"queued,deferred,sent,failed,confirmed,declined,replaced,invalidated,expired" doc:"queued, deferred and failed are those of the delivery."`
	Queued     time.Time  `json:"queued" doc:"When it was to be sent."`
	Sent       *time.Time `json:"sent" doc:"When the mail server took it."`
	Expires    *time.Time `json:"expires" doc:"Until when it can be answered."`
	Ended      *time.Time `json:"ended" doc:"Since when it cannot be answered any more."`
	AnsweredBy *string    `json:"answered_by" doc:"The name of who confirmed or declined it."`
	Attempts   int        `json:"attempts" doc:"How often its delivery was tried."`
	Unsent     bool       `json:"unsent" doc:"It failed because no mail server took it for two days, which says nothing about the address."`
	Answer     string     `json:"answer" doc:"The mail server's, where it refused the mail."`
}

// Rounds are the newest of a row.
type Rounds struct {
	Rounds []Round `json:"rounds" doc:"Newest first."`
}

// roundsShown is how many rounds an answer tells of.
const roundsShown = 20

func round(n mailbox.Round) Round {
	r := Round{
		ID: n.ID, Started: utc(n.Started), StartedBy: n.StartedBy, Outcome: n.Outcome, Ended: utcOr(n.Ended),
		Challenges: make([]Challenge, 0, len(n.Challenges)),
	}
	for _, c := range n.Challenges {
		r.Challenges = append(r.Challenges, Challenge{
			ID: c.ID, Recipient: string(c.Recipient), State: string(c.State), Queued: utc(c.Queued), Sent: utcOr(c.Sent), Expires: utcOr(c.Expires),
			Ended: utcOr(c.Ended), AnsweredBy: c.AnsweredBy, Attempts: c.Attempts, Unsent: c.Unsent, Answer: c.Answer,
		})
	}
	return r
}

var exampleRounds = Rounds{[]Round{{
	ID: 815, Started: exampleAddress.Created, StartedBy: "Nora Netz", Outcome: "open",
	Challenges: []Challenge{{ID: 1632, Recipient: "alice.lee@uni.example", State: "queued", Queued: exampleAddress.Created}},
}}}

func (a *API) challenges(h huma.API) {
	const path = rowPath + "/challenges"
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "sendChallenges", Method: http.MethodPost, Path: path, Tags: []string{"addresses"}, Summary: "Send challenges",
			Description: "Starts a round: one mail for each address of the row, for a functional one a mail to its applicant. " +
				"An open round is replaced. The same brakes hold as in the portal; then the status is 429.",
			DefaultStatus: http.StatusCreated,
		},
		verb: person.SendChallenges, fails: []Kind{denied, conflict}, answers: exampleRounds,
	}, a.sendChallenges)
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "listChallenges", Method: http.MethodGet, Path: path, Tags: []string{"addresses"}, Summary: "Challenges of an address",
			Description: "The newest rounds, newest first, at most 20, with where each mail stands.",
		},
		verb: person.ReadAddresses, answers: exampleRounds,
	}, a.listChallenges)
}

type roundsAnswer struct {
	Body Rounds
}

func (a *API) sendChallenges(ctx context.Context, by person.Actor, in *OfRow) (*roundsAnswer, error) {
	n, err := a.Mailbox.Challenge(ctx, by, domainName(in.Domain), mailbox.ID(in.ID))
	if err != nil {
		return nil, err
	}
	return &roundsAnswer{Rounds{[]Round{round(n)}}}, nil
}

func (a *API) listChallenges(ctx context.Context, by person.Actor, in *OfRow) (*roundsAnswer, error) {
	r, err := a.Mailbox.Row(ctx, by, domainName(in.Domain), mailbox.ID(in.ID))
	if err != nil {
		return nil, err
	}
	all, err := a.Mailbox.Rounds(ctx, r, roundsShown)
	if err != nil {
		return nil, err
	}
	out := &roundsAnswer{Rounds{make([]Round, 0, len(all))}}
	for _, n := range all {
		out.Body.Rounds = append(out.Body.Rounds, round(n))
	}
	return out, nil
}
