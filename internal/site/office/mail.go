package office

import (
	"context"
	"net/http"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/queue"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/officeview"
)

// failures are what could not be delivered or done.
type failures struct {
	challenges []mailbox.FailedChallenge
	letters    []mail.Failed
	jobs       []queue.Failed
}

// mails counts those that another try could still help.
func (f failures) mails() int {
	n := len(f.letters)
	for _, c := range f.challenges {
		if c.CanRetry {
			n++
		}
	}
	return n
}

// givenUp counts the jobs that do not run again by themselves.
func (f failures) givenUp() (n int) {
	for _, j := range f.jobs {
		if j.State == jobDiscarded {
			n++
		}
	}
	return n
}

// Two of River's words: a job that runs is listed only when it is lost.
const (
	jobDiscarded = "discarded"
	jobRunning   = "running"
)

func (s *Section) failures(ctx context.Context, by person.Actor) (f failures, err error) {
	if err := person.OfficersOnly(by); err != nil {
		return f, err
	}
	if f.challenges, err = s.Mailbox.FailedChallenges(ctx, by, page.MostFailures); err != nil {
		return f, err
	}
	if f.letters, err = s.Outbox.Failed(ctx, page.MostFailures); err != nil {
		return f, err
	}
	f.jobs, err = s.Queue.Failures(ctx, page.MostFailures)
	return f, err
}

func (s *Section) MailState(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	failed, err := s.failures(ctx, s.Actor(r))
	if err != nil {
		return err
	}
	m := officeview.MailStateModel{}
	if m.Held, err = s.holdNotice(ctx); err != nil {
		return err
	}
	for _, c := range failed.challenges {
		m.Challenges = append(m.Challenges, s.failedChallenge(ctx, c))
	}
	for _, l := range failed.letters {
		m.Letters = append(m.Letters, officeview.FailedMail{
			To: l.Recipient, About: letterKind(ctx, l.Kind), Answer: answerWords(ctx, l.Answer), Tries: locale.From(ctx).Number(int64(l.Attempts)),
			State: failedState(ctx, l.Unsent), Since: view.Ago(ctx, l.Done, s.Now()), Retry: paths.OfficeLetter(l.ID) + "/retry",
		})
	}
	for _, j := range failed.jobs {
		m.Jobs = append(m.Jobs, s.failedJob(ctx, j))
	}
	return s.Show(w, r, http.StatusOK, officeview.MailState(s.OfficeFrame(r, page.T(ctx, "office.mail")), m))
}

func (s *Section) failedChallenge(ctx context.Context, c mailbox.FailedChallenge) officeview.FailedMail {
	m := officeview.FailedMail{
		To: string(c.Recipient), About: c.Name, Href: paths.Row(c.DomainName, c.RowID),
		Answer: answerWords(ctx, c.Answer), Tries: locale.From(ctx).Number(int64(c.Attempts)), Since: view.Ago(ctx, c.Ended, s.Now()),
		State: failedState(ctx, c.Unsent), WhyNever: page.T(ctx, "office.retry_over"),
	}
	if c.CanRetry {
		m.Retry = paths.OfficeChallenge(c.ID) + "/retry"
	}
	return m
}

// holdNotice tells that the mail queue is held, and why; nil if it is not.
func (s *Section) holdNotice(ctx context.Context) (*view.NoticeModel, error) {
	h, err := s.Outbox.Holding(ctx)
	if err != nil || h == nil {
		return nil, err
	}
	why := "office.held_code"
	if h.Door {
		why = "office.held_door"
	}
	return &view.NoticeModel{
		Kind: view.Bad, Title: page.T(ctx, "office.held", "since", h.Since),
		Text: page.T(ctx, why, "answer", answerWords(ctx, h.Answer)) + " " + page.T(ctx, "office.held_goes_on", "next", h.Next),
	}, nil
}

// failedState tells a dead address from a mail that nobody took.
func failedState(ctx context.Context, unsent bool) view.StateModel {
	if unsent {
		return view.StateModel{Kind: view.Warn, Word: page.T(ctx, "challenge.unsent")}
	}
	return view.StateModel{Kind: view.Bad, Word: page.T(ctx, "challenge.failed")}
}

// answerWords is what the mail server said; nothing means that it was away.
func answerWords(ctx context.Context, answer string) string {
	if answer == "" {
		return page.T(ctx, "office.mail_away")
	}
	return answer
}

func letterKind(ctx context.Context, kind string) string {
	switch kind {
	case "declined":
		return page.T(ctx, "office.letter_declined")
	case "conflict":
		return page.T(ctx, "office.letter_conflict")
	case "issued":
		return page.T(ctx, "office.letter_issued")
	case "revoked":
		return page.T(ctx, "office.letter_revoked")
	case "unwanted":
		return page.T(ctx, "office.letter_unwanted")
	case "unrevoked":
		return page.T(ctx, "office.letter_unrevoked")
	case "orders_waiting":
		return page.T(ctx, "office.letter_orders_waiting")
	case "order_approved":
		return page.T(ctx, "office.letter_order_approved")
	case "order_returned":
		return page.T(ctx, "office.letter_order_returned")
	case "order_rejected":
		return page.T(ctx, "office.letter_order_rejected")
	case "server_issued":
		return page.T(ctx, "office.letter_server_issued")
	case "server_revoked":
		return page.T(ctx, "office.letter_server_revoked")
	case "ending", "mail_ending":
		return page.T(ctx, "office.letter_ending")
	case "token_ending":
		return page.T(ctx, "office.letter_token_ending")
	case "tokens_sleeping":
		return page.T(ctx, "office.letter_tokens_sleeping")
	case "applied":
		return page.T(ctx, "office.letter_applied")
	case "held":
		return page.T(ctx, "office.letter_held")
	case "digest":
		return page.T(ctx, "office.letter_digest")
	}
	return kind
}

func (s *Section) failedJob(ctx context.Context, j queue.Failed) officeview.FailedJob {
	m := officeview.FailedJob{
		Name: jobName(ctx, j.Kind), Tries: locale.From(ctx).Number(int64(j.Attempt)), At: view.Ago(ctx, j.At, s.Now()), Error: shortened(j.Error, 300),
		State: view.StateModel{Kind: view.Bad, Word: page.T(ctx, "office.job_discarded")}, Retry: paths.OfficeJob(j.ID) + "/retry",
	}
	switch j.State {
	case jobDiscarded:
	case jobRunning:
		m.State = view.StateModel{Kind: view.Warn, Icon: view.IconClock, Word: page.T(ctx, "office.job_lost")}
		m.Error, m.Why = "", page.T(ctx, "office.job_lost_why")
	default:
		m.State = view.StateModel{Kind: view.Warn, Icon: view.IconClock, Word: page.T(ctx, "office.job_retrying")}
		m.Next = view.Ago(ctx, j.Scheduled, s.Now())
	}
	return m
}

func shortened(text string, most int) string {
	if rs := []rune(text); len(rs) > most {
		return string(rs[:most]) + " …"
	}
	return text
}

func (s *Section) RetryChallenge(w http.ResponseWriter, r *http.Request) error {
	n, err := page.Number[int64](r, "challenge")
	if err != nil {
		return err
	}
	if err := s.Mailbox.RetryChallenge(r.Context(), s.Actor(r), n); err != nil {
		return err
	}
	return s.Done(w, r, paths.OfficeMail, "office.retried")
}

func (s *Section) RetryLetter(w http.ResponseWriter, r *http.Request) error {
	n, err := page.Number[mail.ID](r, "letter")
	if err != nil {
		return err
	}
	return s.retry(w, r, "mail.letter_retried", "office.retry_nothing", audit.Thing{Kind: "letter", ID: int64(n)}, func(tx pgx.Tx) (bool, error) {
		return s.Outbox.Retry(r.Context(), tx, n)
	})
}

func (s *Section) RetryJob(w http.ResponseWriter, r *http.Request) error {
	n, err := page.Number[int64](r, "job")
	if err != nil {
		return err
	}
	return s.retry(w, r, "queue.job_retried", "office.retry_job_nothing", audit.Thing{Kind: "river_job", ID: n}, func(tx pgx.Tx) (bool, error) {
		return s.Queue.Retry(r.Context(), tx, n)
	})
}

// retry composes what neither room may do alone: try again, and say who did;
// nothing is the message when there was nothing to try.
func (s *Section) retry(w http.ResponseWriter, r *http.Request, action, nothing string, thing audit.Thing, again func(tx pgx.Tx) (bool, error)) error {
	ctx, by := r.Context(), s.Actor(r)
	if err := person.OfficersOnly(by); err != nil {
		return err
	}
	message := "office.retried"
	err := s.DB.Tx(ctx, func(tx pgx.Tx) error {
		did, err := again(tx)
		if err != nil {
			return err
		}
		if !did {
			message = nothing
			return nil
		}
		return audit.Write(ctx, tx, audit.Line{Who: by.Who(), At: s.Now(), Action: action, Detail: audit.Detail{thing.Kind: thing.ID}, About: []audit.Thing{thing}})
	})
	if err != nil {
		return err
	}
	return s.Done(w, r, paths.OfficeMail, message)
}
