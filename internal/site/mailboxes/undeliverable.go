package mailboxes

import (
	"net/http"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/mailboxview"
)

// AskUndeliverable asks whether a challenge mail really came back.
func (s *Section) AskUndeliverable(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	row, c, err := s.loadChallenge(r)
	if err != nil {
		return err
	}
	if err := mailbox.MayMarkUndeliverable(row, c); err != nil {
		return err
	}
	f := s.RowFrame(r, row, page.T(ctx, "undeliverable.title"))
	return s.Show(w, r, http.StatusOK, mailboxview.RowStep(f, mailboxview.RowStepModel{
		List: page.T(ctx, "undeliverable.list"), Addresses: []string{string(c.Recipient)},
		Dialog: view.DialogModel{
			Title: f.Title, What: []string{page.T(ctx, "undeliverable.what")}, Final: page.T(ctx, "undeliverable.final"),
			Action: paths.Undeliverable(row.DomainName, row.ID, c.ID), Verb: page.T(ctx, "undeliverable.verb"), Danger: true, Cancel: page.RowPath(row),
		},
	}))
}

func (s *Section) MarkUndeliverable(w http.ResponseWriter, r *http.Request) error {
	row, c, err := s.loadChallenge(r)
	if err != nil {
		return err
	}
	if err := s.Mailbox.MarkUndeliverable(r.Context(), s.Actor(r), string(row.DomainName), row.ID, c.ID); err != nil {
		return err
	}
	return s.Done(w, r, page.RowPath(row), "undeliverable.done", "address", string(c.Recipient))
}

// loadChallenge is the challenge of a recent round of a row that the path names.
func (s *Section) loadChallenge(r *http.Request) (mailbox.Row, mailbox.Challenge, error) {
	row, err := s.LoadRow(r)
	if err != nil {
		return row, mailbox.Challenge{}, err
	}
	challenge, err := page.Number[int64](r, "challenge")
	if err != nil {
		return row, mailbox.Challenge{}, err
	}
	rounds, err := s.Mailbox.Rounds(r.Context(), row, roundsShown)
	if err != nil {
		return row, mailbox.Challenge{}, err
	}
	for _, n := range rounds {
		for _, c := range n.Challenges {
			if c.ID == challenge {
				return row, c, nil
			}
		}
	}
	return row, mailbox.Challenge{}, fault.New(fault.Missing, "fault.missing")
}
