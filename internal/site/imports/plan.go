package imports

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"petschaft/internal/fault"
	"petschaft/internal/imports"
	"petschaft/internal/postgres"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/importview"
)

// planPage shows a plan, or what became of it; failed is why a step was not
// done just now.
func (s *Section) planPage(w http.ResponseWriter, r *http.Request, im imports.Import, failed error) error {
	ctx := r.Context()
	state := stateOf(ctx, im.State)
	state.Pill = true
	f := s.frame(r, im, page.T(ctx, "import.page_title", "file", im.FileName))
	m := importview.PlanModel{Head: view.HeadModel{Title: f.Title, State: &state}, Facts: s.facts(ctx, im), Notices: notices(ctx, im)}
	if im.State != imports.Discarded && im.State != imports.Uploaded && lineCount(im) > 0 {
		if err := s.planLines(r, im, &m); err != nil {
			return err
		}
	}
	status := http.StatusOK
	switch im.State {
	case imports.Planned:
		m.Steps, m.Will = stepsModel(ctx, 3), willModel(ctx, im)
	case imports.Applied:
		m.Next = nextModel(ctx, im)
	case imports.Undone:
		stays, err := s.stays(ctx, im, im.Stays)
		if err != nil {
			return err
		}
		m.Stays = stays
	}
	m.Side = side(ctx, im)
	if failed != nil {
		f, status = s.Refused(w, f, failed)
		failWill(ctx, &m, failed, r.PostFormValue("number"))
	}
	return s.Show(w, r, status, importview.Plan(f, m))
}

// failWill puts what a fault says beside the number that was typed, else above
// the page.
func failWill(ctx context.Context, m *importview.PlanModel, failed error, typed string) {
	fields, _ := page.Wrong(ctx, failed)
	if m.Will != nil && m.Will.Brake != "" && fields["number"] != "" {
		m.Will.Error, m.Will.Number = fields["number"], typed
		return
	}
	m.Fails = page.Fails(ctx, failed)
}

func (s *Section) facts(ctx context.Context, im imports.Import) []importview.ImportFact {
	l := locale.From(ctx)
	fs := []importview.ImportFact{
		{Term: page.T(ctx, "import.file"), Value: im.FileName},
		{Term: page.T(ctx, "import.uploaded"), Value: page.T(ctx, "import.when_who", "when", l.DateTime(im.Created), "who", im.AccountName)},
		{Term: page.T(ctx, "import.read_with"), Value: page.T(ctx, encodingIDs[im.Format().Encoding]) + ", " + page.T(ctx, separatorIDs[im.Format().Separator])},
	}
	if im.Applied != nil && im.AppliedByName != nil {
		fs = append(fs, importview.ImportFact{Term: page.T(ctx, "import.applied"), Value: page.T(ctx, "import.when_who", "when", l.DateTime(*im.Applied), "who", *im.AppliedByName)})
	}
	if im.Undone != nil && im.UndoneByName != nil {
		fs = append(fs, importview.ImportFact{Term: page.T(ctx, "import.undone"), Value: page.T(ctx, "import.when_who", "when", l.DateTime(*im.Undone), "who", *im.UndoneByName)})
	}
	return fs
}

func notices(ctx context.Context, im imports.Import) (ns []view.NoticeModel) {
	if im.Trouble != "" {
		ns = append(ns, view.NoticeModel{Kind: view.Warn, Text: page.T(ctx, im.Trouble)})
	}
	if im.State == imports.Planned && lineCount(im) == 0 {
		ns = append(ns, view.NoticeModel{Kind: view.Warn, Text: page.T(ctx, "import.no_line")})
	}
	switch im.State {
	case imports.Uploaded:
		ns = append(ns, view.NoticeModel{Kind: view.Info, Text: page.T(ctx, "import.no_plan_yet")})
	case imports.Applied:
		ns = append(ns, view.NoticeModel{Kind: view.Good, Text: page.T(ctx, "import.applied_text", "added", im.New, "changed", im.Changed)})
	case imports.Undone:
		ns = append(ns, view.NoticeModel{Kind: view.Good, Text: page.T(ctx, "import.undone_text")})
		if im.Stays > 0 {
			ns = append(ns, view.NoticeModel{Kind: view.Warn, Text: page.T(ctx, "import.undone_stays", "n", im.Stays)})
		}
	case imports.Discarded:
		ns = append(ns, view.NoticeModel{Kind: view.Info, Text: page.T(ctx, "import.discarded_text")})
	}
	return ns
}

// willModel says what applying does and what it leaves alone.
func willModel(ctx context.Context, im imports.Import) *importview.WillModel {
	m := &importview.WillModel{Title: page.T(ctx, "import.will")}
	say := func(to *[]string, id string, n int) {
		if n > 0 {
			*to = append(*to, page.T(ctx, id, "n", n))
		}
	}
	say(&m.Does, "import.will_add", im.New)
	say(&m.Does, "import.will_change", im.Changed)
	m.Leaves = []string{page.T(ctx, "import.no_mail")}
	say(&m.Leaves, "import.leaves_faulty", im.Faulty)
	say(&m.Leaves, "import.leaves_skipped", im.Skipped)
	if im.New+im.Changed == 0 {
		say(&m.Leaves, "import.leaves_unchanged", im.Unchanged)
	}
	say(&m.Leaves, "import.leaves_missing", im.Missing)
	if f := fault.Of(imports.MayApply(im)); f != nil {
		m.Why = page.T(ctx, f.ID, f.Args...)
		return m
	}
	m.Form = &view.FormModel{Action: importPath(im) + "/apply", Submit: view.ButtonModel{Label: applyLabel(ctx, im), Icon: view.IconCheck}}
	if imports.NeedsNumber(im) {
		m.Brake = page.T(ctx, "import.brake", "n", im.Changed, "of", im.Existing)
	}
	return m
}

func applyLabel(ctx context.Context, im imports.Import) string {
	switch {
	case im.Changed == 0:
		return page.T(ctx, "import.apply_add", "n", im.New)
	case im.New == 0:
		return page.T(ctx, "import.apply_change", "n", im.Changed)
	}
	return page.T(ctx, "import.apply_both", "added", im.New, "changed", im.Changed)
}

// side are the other steps that are possible.
func side(ctx context.Context, im imports.Import) (bs []view.ButtonModel) {
	base := importPath(im)
	if im.Missing > 0 && (im.State == imports.Planned || im.State == imports.Applied) {
		bs = append(bs, view.ButtonModel{Label: page.T(ctx, "import.missing_button", "n", im.Missing), Href: base + "/missing"})
	}
	if imports.MayPlan(im) == nil && im.State == imports.Planned {
		bs = append(bs, view.ButtonModel{Label: page.T(ctx, "import.correct"), Href: base + "/reading", Icon: view.IconPencil})
	}
	if im.State == imports.Planned && imports.MayPlan(im) == nil {
		bs = append(bs, view.ButtonModel{Label: page.T(ctx, "import.again"), Action: base + "/plan"})
	}
	if imports.MayDiscard(im) == nil {
		bs = append(bs, view.ButtonModel{Label: page.T(ctx, "import.discard"), Action: base + "/discard", Icon: view.IconBin})
	}
	if imports.MayUndo(im) == nil {
		bs = append(bs, view.ButtonModel{Label: page.T(ctx, "import.undo"), Href: base + "/undo"})
	}
	return bs
}

// Apply orders it; the number is asked for where the plan changes many
// rows.
func (s *Section) Apply(w http.ResponseWriter, r *http.Request) error {
	im, err := s.load(r)
	if err != nil {
		return err
	}
	typed := strings.NewReplacer(".", "", ",", "", " ", "", "\u00a0", "", "\u202f", "").Replace(r.PostFormValue("number"))
	n, _ := strconv.Atoi(typed)
	_, err = s.Imports.Apply(r.Context(), s.Actor(r), string(im.DomainName), im.ID, n)
	if fault.Is(err, fault.Invalid) || errors.Is(err, postgres.ErrShown) {
		return s.planPage(w, r, im, err)
	}
	if err != nil {
		return err
	}
	return s.Done(w, r, importPath(im), "")
}

// Discard throws an upload or a plan away, which changed nothing.
func (s *Section) Discard(w http.ResponseWriter, r *http.Request) error {
	im, err := s.load(r)
	if err != nil {
		return err
	}
	if err := s.Imports.Discard(r.Context(), s.Actor(r), string(im.DomainName), im.ID); err != nil {
		return err
	}
	return s.Done(w, r, paths.Imports(im.DomainName), "import.discarded_done", "file", im.FileName)
}
