package mailboxes

import (
	"context"
	"net/http"

	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/mailboxview"
)

// Step is something one does with a row after being asked: GET asks, POST
// does it.
type Step struct {
	Path   string
	icon   view.Icon
	button string // message ids
	title  string
	verb   string
	done   string
	danger bool
	rule   func(mailbox.Row) error
	do     func(b *mailbox.Book, ctx context.Context, by person.Actor, domain string, row mailbox.ID) error
	words  func(ctx context.Context, r mailbox.Row, rounds []mailbox.Round, m *mailboxview.RowStepModel)
}

// Steps are in the order of their buttons.
var Steps = []Step{
	{
		Path: "challenges", icon: view.IconMail, button: "step.challenges_button", title: "step.challenges_title", verb: "step.challenges_verb",
		done: "step.challenges_done", rule: mailbox.MayChallenge, do: sendChallenges, words: challengesWords,
	},
	{
		Path: "deactivate", icon: view.IconBan, button: "step.deactivate_button", title: "step.deactivate_title", verb: "step.deactivate_verb",
		done: "step.deactivate_done", rule: mailbox.MayDeactivate, do: (*mailbox.Book).Deactivate, words: deactivateWords,
	},
	{
		Path: "activate", icon: view.IconPlay, button: "step.activate_button", title: "step.activate_title", verb: "step.activate_verb",
		done: "step.activate_done", rule: mailbox.MayActivate, do: (*mailbox.Book).Activate, words: activateWords,
	},
	{
		Path: "unlink", icon: view.IconCross, button: "step.unlink_button", title: "step.unlink_title", verb: "step.unlink_verb", danger: true,
		done: "step.unlink_done", rule: mailbox.MayUnlink, do: (*mailbox.Book).Unlink, words: unlinkWords,
	},
	{
		Path: "check-link", icon: view.IconCheck, button: "step.check_link_button", title: "step.check_link_title", verb: "step.check_link_verb",
		done: "step.check_link_done", rule: mailbox.MayCheckLink, do: (*mailbox.Book).CheckLink, words: checkLinkWords,
	},
	{
		Path: "delete", icon: view.IconBin, button: "step.delete_button", title: "step.delete_title", verb: "step.delete_verb", danger: true,
		done: "step.delete_done", rule: mailbox.MayDelete, do: (*mailbox.Book).Delete, words: deleteWords,
	},
}

func sendChallenges(b *mailbox.Book, ctx context.Context, by person.Actor, domain string, row mailbox.ID) error {
	_, err := b.Challenge(ctx, by, domain, row)
	return err
}

func (s *Section) AskStep(step Step) page.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		row, err := s.LoadRow(r)
		if err != nil {
			return err
		}
		if err := step.rule(row); err != nil {
			return s.meanwhile(w, r, row, err)
		}
		return s.stepPage(w, r, step, row, nil)
	}
}

// stepPage asks; failed is why the step was not possible a moment ago.
func (s *Section) stepPage(w http.ResponseWriter, r *http.Request, step Step, row mailbox.Row, failed error) error {
	ctx := r.Context()
	rounds, err := s.Mailbox.Rounds(ctx, row, 1)
	if err != nil {
		return err
	}
	f := s.RowFrame(r, row, page.T(ctx, step.title, "name", row.Name))
	m := mailboxview.RowStepModel{Dialog: view.DialogModel{
		Title: f.Title, Action: page.RowPath(row) + "/" + step.Path, Verb: page.T(ctx, step.verb),
		Danger: step.danger, Cancel: page.RowPath(row), Hidden: []view.Hidden{page.FormField()},
	}}
	step.words(ctx, row, rounds, &m)
	status := http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
		_, m.Failed = page.Wrong(ctx, failed)
		m.Taken = page.InTheWay(ctx, failed)
	}
	return s.Show(w, r, status, mailboxview.RowStep(f, m))
}

func (s *Section) DoStep(step Step) page.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		row, err := s.LoadRow(r)
		if err != nil {
			return err
		}
		err = step.do(s.Mailbox, r.Context(), s.Doing(r), string(row.DomainName), row.ID)
		switch {
		case err == nil:
		case page.Answerable(err) && step.rule(row) == nil: // a brake, or an address that another row took
			return s.stepPage(w, r, step, row, err)
		default:
			return s.meanwhile(w, r, row, err)
		}
		to := page.RowPath(row)
		if step.Path == "delete" {
			to = paths.EmailDomain(row.DomainName)
		}
		return s.Done(w, r, to, step.done, "name", row.Name)
	}
}

// meanwhile answers a step that the state of row does not allow.
func (s *Section) meanwhile(w http.ResponseWriter, r *http.Request, row mailbox.Row, refused error) error {
	return s.Meanwhile(w, r, refused, row.ID.Thing(), view.Link{Label: row.Name, Href: page.RowPath(row)})
}

func challengesWords(ctx context.Context, r mailbox.Row, rounds []mailbox.Round, m *mailboxview.RowStepModel) {
	m.List, m.Addresses = page.T(ctx, "step.challenges_list"), page.Addresses(r.Addresses())
	if r.Kind == mailbox.Functional {
		m.Addresses = []string{string(r.Applicant)}
		m.Dialog.What = append(m.Dialog.What, page.T(ctx, "step.challenges_functional"))
	} else {
		m.Dialog.What = append(m.Dialog.What, page.T(ctx, "step.challenges_what", "n", len(m.Addresses)))
	}
	switch r.Status {
	case mailbox.RowDeclined:
		m.Dialog.What = append(m.Dialog.What, page.T(ctx, "step.challenges_declined"))
	case mailbox.RowConflict:
		m.Dialog.What = append(m.Dialog.What, page.T(ctx, "step.challenges_conflict"))
	}
	if n := pending(rounds); n > 0 {
		m.Dialog.What = append(m.Dialog.What, page.T(ctx, "step.challenges_replace", "n", n))
	}
	if r.LinkedName != nil {
		m.Dialog.What = append(m.Dialog.What, page.T(ctx, "step.challenges_linked", "name", *r.LinkedName))
	}
}

func deactivateWords(ctx context.Context, r mailbox.Row, rounds []mailbox.Round, m *mailboxview.RowStepModel) {
	m.List, m.Addresses = page.T(ctx, "step.affected"), page.Addresses(r.Addresses())
	m.Dialog.What = []string{page.T(ctx, "step.deactivate_what")}
	if r.LinkedName != nil {
		m.Dialog.What = append(m.Dialog.What, page.T(ctx, "step.deactivate_linked", "name", *r.LinkedName))
	}
	if n := pending(rounds); n > 0 {
		m.Dialog.Final = page.T(ctx, "step.deactivate_pending", "n", n)
	}
	m.Advice = page.T(ctx, "step.deactivate_advice")
}

func activateWords(ctx context.Context, r mailbox.Row, _ []mailbox.Round, m *mailboxview.RowStepModel) {
	m.List, m.Addresses = page.T(ctx, "step.affected"), page.Addresses(r.Addresses())
	m.Dialog.What = []string{page.T(ctx, "step.activate_what")}
	switch {
	case r.LinkedName == nil:
		m.Dialog.What = append(m.Dialog.What, page.T(ctx, "step.activate_unlinked"))
	case *r.Suspended:
		m.Dialog.What = append(m.Dialog.What, page.T(ctx, "step.activate_suspended", "name", *r.LinkedName))
	default:
		m.Dialog.What = append(m.Dialog.What, page.T(ctx, "step.activate_linked", "name", *r.LinkedName))
	}
}

func unlinkWords(ctx context.Context, r mailbox.Row, _ []mailbox.Round, m *mailboxview.RowStepModel) {
	m.List, m.Addresses = page.T(ctx, "step.affected"), r.Covered
	m.Dialog.What = []string{page.T(ctx, "step.unlink_what", "name", *r.LinkedName), page.T(ctx, "step.unlink_certificates")}
	m.Dialog.Final = page.T(ctx, "step.unlink_final")
}

func checkLinkWords(ctx context.Context, r mailbox.Row, _ []mailbox.Round, m *mailboxview.RowStepModel) {
	m.List, m.Addresses = page.T(ctx, "step.check_link_list"), r.Covered
	m.Dialog.What = []string{page.T(ctx, "step.check_link_what", "name", *r.LinkedName), page.T(ctx, "step.check_link_else")}
}

func deleteWords(ctx context.Context, r mailbox.Row, _ []mailbox.Round, m *mailboxview.RowStepModel) {
	m.List, m.Addresses = page.T(ctx, "step.affected"), page.Addresses(r.Addresses())
	m.Dialog.What = []string{page.T(ctx, "step.delete_what")}
	m.Dialog.Final = page.T(ctx, "step.delete_final")
}
