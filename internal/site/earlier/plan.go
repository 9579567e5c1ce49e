package earlier

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"petschaft/internal/earlier"
	"petschaft/internal/fault"
	"petschaft/internal/pki"
	"petschaft/internal/site/page"
	"petschaft/internal/text"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/importview"
	"petschaft/web/view/officeview"
	"petschaft/web/view/serverview"
)

// Plan shows what taking over would do now.
func (s *Section) Plan(w http.ResponseWriter, r *http.Request) error {
	return s.planPage(w, r, nil)
}

// onPage is how many certificates of a plan one page shows.
const onPage = 100

func (s *Section) planPage(w http.ResponseWriter, r *http.Request, failed error) error {
	ctx := r.Context()
	n, err := page.Number[earlier.ID](r, "import")
	if err != nil {
		return err
	}
	im, lines, err := s.Earlier.Plan(ctx, s.Actor(r), n)
	if err != nil {
		return err
	}
	base, v := paths.OfficeEarlierImport(n), planViewOf(r.URL.Query())
	m := officeview.EarlierPlanModel{
		Head: view.HeadModel{Title: page.T(ctx, "earlier.number", "number", strconv.Itoa(int(n))), Lead: page.T(ctx, "earlier.by", "who", im.By, "when", locale.From(ctx).DateTime(im.Created))},
	}
	counts := map[earlier.LineState]int{}
	for _, l := range lines {
		counts[l.State]++
	}
	m.Chips, m.Legend = chips(ctx, v.list(base), counts, len(lines)), page.T(ctx, legend(v.show))
	m.Will = willOf(ctx, base, counts)
	if n := counts[earlier.LineApplied]; len(lines) > n {
		words := "earlier.discard"
		if n == 0 {
			words = "import.discard"
		}
		m.Side = []view.ButtonModel{{Label: page.T(ctx, words), Action: base + "/discard", Icon: view.IconBin}}
	}
	s.lines(ctx, base, v, lines, &m)
	f, status := s.OfficeFrame(r, m.Head.Title, view.Link{Label: page.T(ctx, "earlier.title"), Href: paths.OfficeEarlier}), http.StatusOK
	if failed != nil {
		m.Fails = page.Fails(ctx, failed)
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, officeview.EarlierPlan(f, m))
}

// lines puts a page of the lines that are to be shown into m.
func (s *Section) lines(ctx context.Context, base string, v planView, lines []earlier.Line, m *officeview.EarlierPlanModel) {
	lines = slices.DeleteFunc(slices.Clone(lines), func(l earlier.Line) bool { return l.Line <= v.after || v.show != "" && l.State != v.show })
	lines, next := page.Cut(lines, onPage, func(l earlier.Line) int { return l.Line })
	for _, l := range lines {
		m.Lines = append(m.Lines, s.line(ctx, base, l))
	}
	m.Pager = v.list(base).Pager(page.T(ctx, "mine.shown", "n", len(m.Lines)), v.after > 0, 0, next)
}

// planView is what of a plan is shown.
type planView struct {
	show  earlier.LineState // "" for all
	after int               // the line before the first one
}

func planViewOf(q url.Values) planView {
	after, _ := strconv.Atoi(q.Get("after"))
	return planView{show: earlier.LineState(q.Get("show")), after: after}
}

func (v planView) list(base string) page.List[planView, int] {
	return page.List[planView, int]{
		View: v, Base: base, Turn: func(v *planView, after int) { v.after = after },
		Pairs: func(v planView, add page.Add) {
			add("show", string(v.show), v.show != "")
			add("after", strconv.Itoa(v.after), v.after > 0)
		},
	}
}

var willWords = map[earlier.LineState]string{
	earlier.LineNew: "earlier.state_new", earlier.LineUnassigned: "earlier.state_unassigned", earlier.LineKnown: "earlier.state_known",
	earlier.LineFaulty: "earlier.state_faulty", earlier.LineApplied: "earlier.state_applied",
}

var willKinds = map[earlier.LineState]view.Kind{
	earlier.LineNew: view.Good, earlier.LineUnassigned: view.Open, earlier.LineKnown: view.Ended, earlier.LineFaulty: view.Bad, earlier.LineApplied: view.Good,
}

func legend(which earlier.LineState) string {
	switch which {
	case earlier.LineNew:
		return "earlier.legend_new"
	case earlier.LineUnassigned:
		return "earlier.legend_unassigned"
	case earlier.LineKnown:
		return "earlier.legend_known"
	case earlier.LineFaulty:
		return "earlier.legend_faulty"
	case earlier.LineApplied:
		return "earlier.legend_applied"
	}
	return "earlier.legend_all"
}

func chips(ctx context.Context, l page.List[planView, int], counts map[earlier.LineState]int, all int) (chips []view.Chip) {
	add := func(words string, show earlier.LineState, n int) {
		c := l.Chip(page.T(ctx, words), show == l.View.show, func(v *planView) { v.show = show })
		c.Count = locale.From(ctx).Number(int64(n))
		chips = append(chips, c)
	}
	add("earlier.all", "", all)
	for _, st := range earlier.LineStates {
		add(willWords[st], st, counts[st])
	}
	return chips
}

// willOf says what taking over does and what it leaves alone.
func willOf(ctx context.Context, base string, counts map[earlier.LineState]int) importview.WillModel {
	m := importview.WillModel{Title: page.T(ctx, "earlier.will")}
	say := func(to *[]string, message string, n int) {
		if n > 0 {
			*to = append(*to, page.T(ctx, message, "n", n))
		}
	}
	say(&m.Does, "earlier.will_take", counts[earlier.LineNew])
	say(&m.Leaves, "earlier.leaves_unassigned", counts[earlier.LineUnassigned])
	say(&m.Leaves, "earlier.leaves_known", counts[earlier.LineKnown])
	say(&m.Leaves, "earlier.leaves_faulty", counts[earlier.LineFaulty])
	if n := counts[earlier.LineNew]; n > 0 {
		m.Leaves = append(m.Leaves, page.T(ctx, "earlier.no_mail"))
		m.Form = &view.FormModel{Action: base + "/apply", Submit: view.ButtonModel{Label: page.T(ctx, "earlier.apply", "n", n), Icon: view.IconCheck}}
	} else {
		m.Why = page.T(ctx, "cert.import.none_new")
	}
	return m
}

func (s *Section) line(ctx context.Context, base string, l earlier.Line) officeview.EarlierLine {
	m := officeview.EarlierLine{
		Source: l.Source, Names: namesOf(l), Issuer: pki.Distinguished(l.Issuer),
		State: view.StateModel{Kind: willKinds[l.State], Word: page.T(ctx, willWords[l.State])},
	}
	if l.Fault != "" {
		m.Why = page.T(ctx, l.Fault)
	}
	if l.Reference != "" {
		m.Why = l.Reference
	}
	for _, o := range l.Odd {
		m.Odd = append(m.Odd, page.T(ctx, o))
	}
	if len(l.Serial) == 0 { // it could not be read
		return m
	}
	m.Ends, m.Chain = view.Ends(ctx, l.NotAfter, s.Now()), page.T(ctx, "earlier.chain_unknown")
	if l.Whole {
		m.Chain = page.T(ctx, "earlier.chain_whole")
	} else if len(l.Above) > 0 {
		m.Chain = page.T(ctx, "earlier.chain_part")
	}
	if l.Expired {
		m.Over = page.T(ctx, "cert.state_expired")
	}
	m.Owner = ownerOf(ctx, l)
	if l.State == earlier.LineNew || l.State == earlier.LineUnassigned {
		m.Action = &view.ButtonModel{Label: page.T(ctx, "earlier.assign"), About: m.Names[0], Href: base + "/lines/" + strconv.Itoa(l.Line), Icon: view.IconPencil}
	}
	return m
}

func namesOf(l earlier.Line) []string {
	switch {
	case l.Mail:
		return l.Emails
	case l.Server:
		return page.Spelled(l.DNS)
	case l.Address != "":
		return []string{l.Address}
	}
	return nil
}

func ownerOf(ctx context.Context, l earlier.Line) (all []serverview.RelatedModel) {
	if l.Row != nil {
		all = append(all, serverview.RelatedModel{
			Term: page.T(ctx, "earlier.row"), Link: view.Link{Label: l.Row.Name, Href: paths.Row(l.Row.Domain, l.Row.ID)},
		})
	}
	if l.Account != nil {
		all = append(all, serverview.RelatedModel{Term: page.T(ctx, "cert.holder"), Link: view.Link{Label: l.Account.Name, Href: paths.OfficePerson(l.Account.ID)}})
	}
	if l.Of != nil {
		all = append(all, serverview.RelatedModel{Term: page.T(ctx, "server.organisation"), Link: view.Link{Label: l.Of.Name, Href: paths.Organisation(l.Of.ID)}})
	}
	return all
}

func (s *Section) Apply(w http.ResponseWriter, r *http.Request) error {
	n, err := page.Number[earlier.ID](r, "import")
	if err != nil {
		return err
	}
	taken, err := s.Earlier.Apply(r.Context(), s.Actor(r), n, text.NewReference)
	if fault.Is(err, fault.Conflict) {
		return s.planPage(w, r, err)
	}
	if err != nil {
		return err
	}
	return s.Done(w, r, paths.OfficeEarlierImport(n), "earlier.applied", "n", taken)
}

func (s *Section) Discard(w http.ResponseWriter, r *http.Request) error {
	n, err := page.Number[earlier.ID](r, "import")
	if err != nil {
		return err
	}
	if err := s.Earlier.Discard(r.Context(), s.Actor(r), n); err != nil {
		return err
	}
	return s.Done(w, r, paths.OfficeEarlier, "earlier.discarded")
}
