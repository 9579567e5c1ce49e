package mailboxes

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/mailboxview"
)

// LoadRow is the row that the path names, if the actor may see it.
func (s *Section) LoadRow(r *http.Request) (mailbox.Row, error) {
	row, err := page.Number[mailbox.ID](r, "row")
	if err != nil {
		return mailbox.Row{}, err
	}
	return s.Mailbox.Row(r.Context(), s.Actor(r), chi.URLParam(r, "domain"), row)
}

// RowFrame is the frame of a page below a row's.
func (s *Section) RowFrame(r *http.Request, row mailbox.Row, title string) view.Frame {
	return s.Frame(r, title, append(domainCrumbs(r, row), view.Link{Label: row.Name, Href: page.RowPath(row)})...)
}

func domainCrumbs(r *http.Request, row mailbox.Row) []view.Link {
	return []view.Link{
		{Label: page.T(r.Context(), "nav.email_domains"), Href: paths.EmailDomains},
		{Label: row.DomainName.Unicode(), Href: paths.EmailDomain(row.DomainName)},
	}
}

// roundsShown is how many rounds of challenges a row's page tells of.
const roundsShown = 20

// Row is the page of one address row.
func (s *Section) Row(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	row, err := s.LoadRow(r)
	if err != nil {
		return err
	}
	rounds, err := s.Mailbox.Rounds(ctx, row, roundsShown)
	if err != nil {
		return err
	}
	before, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	history, err := s.history(ctx, row, rounds, max(0, before))
	if err != nil {
		return err
	}
	m := s.rowModel(ctx, row, rounds)
	if m.Delivery.Held, err = s.heldNotice(ctx, rounds); err != nil {
		return err
	}
	m.History = history.Events
	found, err := s.Cert.OfRow(ctx, s.Actor(r), row.ID, rowCertificatesShown)
	if err != nil {
		return err
	}
	m.Certs, m.Newest = s.certificates(ctx, s.Actor(r), found), s.newest(ctx, found)
	if slices.ContainsFunc(found, func(c cert.Certificate) bool { return mayEnd(c, s.Now()) }) {
		offerRevokeAll(ctx, row, onlyEarlier(found, s.Now()), &m)
	}
	if err := s.recipes(ctx, s.Actor(r), row, &m); err != nil {
		return err
	}
	if history.Older > 0 {
		m.Older = page.RowPath(row) + "?before=" + strconv.FormatInt(history.Older, 10) + "#history"
	}
	return s.Show(w, r, http.StatusOK, mailboxview.AddressRow(s.Frame(r, row.Name, domainCrumbs(r, row)...), m))
}

func (s *Section) rowModel(ctx context.Context, r mailbox.Row, rounds []mailbox.Round) mailboxview.AddressRowModel {
	now := s.Now()
	state := RowState(ctx, r)
	state.Pill = true
	m := mailboxview.AddressRowModel{
		Head: view.HeadModel{Title: r.Name, State: &state}, Join: OfferJoin(ctx, r.Standing, r.DomainName), Notices: s.notices(ctx, r, rounds),
		Primary: string(r.Primary), Aliases: page.Addresses(r.Aliases), Kind: page.RowKind(ctx, r.Kind), Applicant: ApplicantWords(ctx, r),
		Comment: r.Comment, Linked: s.link(ctx, r), Created: view.At(ctx, r.Created, now), Changed: view.At(ctx, r.Changed, now),
		Delivery: s.deliveryModel(ctx, r, rounds), Earlier: s.earlier(ctx, rounds),
	}
	if mailbox.MayEditRows(r.Standing) == nil {
		m.Head.Actions, m.Actions = apart(buttons(ctx, r))
		m.Reasons = reasons(ctx, r)
	}
	return m
}

// unlikeState marks a linked person whose name has nothing of the row's. The
// name of an office is never a person's.
func unlikeState(ctx context.Context, r mailbox.Row) *view.StateModel {
	if r.Kind != mailbox.Personal || r.LinkedName == nil || !unlike(r.Name, *r.LinkedName) {
		return nil
	}
	return &view.StateModel{Kind: view.Warn, Word: page.T(ctx, "row.unlike")}
}

// doubtState marks a linked person whose verified address is none of the row's.
func doubtState(ctx context.Context, r mailbox.Row) *view.StateModel {
	if !r.Doubtful {
		return nil
	}
	return &view.StateModel{Kind: view.Warn, Word: page.T(ctx, "row.doubtful")}
}

func ApplicantWords(ctx context.Context, r mailbox.Row) string {
	if r.Kind == mailbox.Functional && r.Applicant == "" {
		return page.T(ctx, "row.no_applicant")
	}
	return string(r.Applicant)
}

func (s *Section) link(ctx context.Context, r mailbox.Row) *mailboxview.RowLink {
	if r.Linked == nil {
		return nil
	}
	l := &mailboxview.RowLink{Name: *r.LinkedName, Since: view.At(ctx, *r.LinkedSince, s.Now()), Addresses: r.Covered, Unlike: unlikeState(ctx, r), Doubtful: doubtState(ctx, r)}
	if *r.Suspended {
		l.State = &view.StateModel{Kind: view.Warn, Icon: view.IconPause, Word: page.T(ctx, "row.suspended")}
	}
	return l
}

// apart takes the next step, if any, out of the others: it stands at the head of
// the page.
func apart(bs []view.ButtonModel) (next, others []view.ButtonModel) {
	for _, b := range bs {
		if b.Kind == view.Primary {
			next = append(next, b)
		} else {
			others = append(others, b)
		}
	}
	return next, others
}

// buttons are the steps that are possible now; the one that the row waits
// for is the primary.
func buttons(ctx context.Context, r mailbox.Row) []view.ButtonModel {
	base := page.RowPath(r)
	bs := make([]view.ButtonModel, 0, len(Steps)+1)
	for _, step := range Steps {
		if step.rule(r) == nil {
			bs = append(bs, view.ButtonModel{Label: page.T(ctx, step.button), Href: base + "/" + step.Path, Icon: step.icon})
		}
		if step.Path == "challenges" {
			bs = append(bs, view.ButtonModel{Label: page.T(ctx, "row.edit"), Href: base + "/edit", Icon: view.IconPencil})
		}
	}
	next := nextStep(r)
	for i := range bs {
		if bs[i].Href == base+"/"+next {
			bs[i].Kind = view.Primary
		}
	}
	return bs
}

// nextStep is the step that a row waits for, "" where it waits for nothing of
// its contacts.
func nextStep(r mailbox.Row) string {
	switch {
	case !r.Active:
		return "activate"
	case mailbox.MayChallenge(r) != nil:
		return "edit"
	case slices.Contains([]mailbox.Status{mailbox.None, mailbox.Undeliverable, mailbox.RowExpired}, r.Status):
		return "challenges"
	}
	return ""
}

// reasons say why steps that people look for are not possible now.
func reasons(ctx context.Context, r mailbox.Row) (reasons []string) {
	rules := []error{mailbox.MayChallenge(r)}
	if r.Active {
		rules = append(rules, mailbox.MayDelete(r))
	}
	if r.Linked != nil {
		rules = append(rules, mailbox.MayUnlink(r))
	}
	for _, err := range rules {
		if f := fault.Of(err); f != nil {
			reasons = append(reasons, page.T(ctx, f.ID, f.Args...))
		}
	}
	return reasons
}

// notices say what somebody who opens the row should know first.
func (s *Section) notices(ctx context.Context, r mailbox.Row, rounds []mailbox.Round) (ns []view.NoticeModel) {
	say := func(k view.Kind, words string) { ns = append(ns, view.NoticeModel{Kind: k, Text: words}) }
	if r.Kind == mailbox.Functional && r.Applicant == "" {
		say(view.Warn, page.T(ctx, "row.notice.no_applicant"))
	}
	if !r.Active {
		say(view.Info, page.T(ctx, "row.notice.inactive"))
		if r.CertificateEnd != nil && r.CertificateEnd.After(s.Now()) {
			say(view.Warn, page.T(ctx, "row.notice.certificate"))
		}
		return ns
	}
	if r.Doubtful {
		say(view.Warn, page.T(ctx, "row.notice.doubtful", "name", *r.LinkedName))
	}
	if r.Linked != nil && *r.Suspended {
		say(view.Warn, page.T(ctx, "row.notice.suspended", "name", *r.LinkedName))
	}
	if r.Status == mailbox.Undeliverable {
		say(view.Bad, page.T(ctx, "row.notice.undeliverable"))
	}
	if len(rounds) > 0 {
		ns = append(ns, answerNotices(ctx, rounds[0])...)
		if rounds[0].Outcome == "expired" {
			ns = append(ns, expiredNotice(ctx, rounds[0]))
		}
	} else if r.Status == mailbox.None && mailbox.MayChallenge(r) == nil {
		say(view.Info, page.T(ctx, "row.notice.first"))
	}
	return ns
}

// answerNotices tell of answers in the newest round that want attention.
func answerNotices(ctx context.Context, n mailbox.Round) (ns []view.NoticeModel) {
	if slices.ContainsFunc(n.Challenges, func(c mailbox.Challenge) bool { return c.Unsent }) {
		ns = append(ns, view.NoticeModel{Kind: view.Warn, Text: page.T(ctx, "row.notice.unsent")})
	}
	for _, c := range n.Challenges {
		switch {
		case c.State == mailbox.Declined:
			ns = append(ns, view.NoticeModel{Kind: view.Warn, Text: page.T(ctx, "row.notice.declined", "name", *c.AnsweredBy, "address", string(c.Recipient))})
		case c.ConflictWith != nil:
			ns = append(ns, view.NoticeModel{Kind: view.Warn, Text: page.T(ctx, "row.notice.conflict", "name", *c.ConflictWith, "address", string(c.Recipient))})
		}
	}
	return ns
}

// expiredNotice says which addresses of a round that is over nobody answered for,
// and which somebody did.
func expiredNotice(ctx context.Context, n mailbox.Round) view.NoticeModel {
	var silent, confirmed []string
	by := ""
	for _, c := range n.Challenges {
		switch {
		case c.State == mailbox.Expired:
			silent = append(silent, string(c.Recipient))
		case c.State == mailbox.Affirmed:
			confirmed, by = append(confirmed, string(c.Recipient)), *c.AnsweredBy
		}
	}
	m := view.NoticeModel{Kind: view.Warn, Text: page.T(ctx, "row.notice.expired", "addresses", strings.Join(silent, ", "))}
	if by != "" {
		m.Text = page.T(ctx, "row.notice.expired_partly", "name", by, "confirmed", strings.Join(confirmed, ", "), "addresses", strings.Join(silent, ", "))
	}
	return m
}

// pending is how many challenges of the newest round could still be answered.
func pending(rounds []mailbox.Round) (n int) {
	if len(rounds) == 0 {
		return 0
	}
	for _, c := range rounds[0].Challenges {
		if c.State.Pending() {
			n++
		}
	}
	return n
}

// underWay tells whether mails of the round have yet to be handed over.
func underWay(n mailbox.Round) bool {
	return slices.ContainsFunc(n.Challenges, func(c mailbox.Challenge) bool { return c.State == mailbox.Queued || c.State == mailbox.Deferred })
}
