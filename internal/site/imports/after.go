package imports

import (
	"context"
	"net/http"
	"strconv"

	"petschaft/internal/fault"
	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/importview"
)

const (
	staysShown   = 100 // lines that cannot be undone
	missingShown = 100 // rows that the file lacks
)

// nextModel is what an applied import leads to.
func nextModel(ctx context.Context, im imports.Import) *importview.NextModel {
	m := &importview.NextModel{Title: page.T(ctx, "import.next"), Text: page.T(ctx, "import.next_none")}
	if im.New > 0 && mailbox.MayEditRows(im.Standing) == nil {
		m.Text = page.T(ctx, "import.next_challenges", "n", im.New)
		m.Actions = append(m.Actions, view.ButtonModel{
			Label: page.T(ctx, "import.challenge_new", "n", im.New), Icon: view.IconMail, Kind: view.Primary, Action: paths.EmailDomain(im.DomainName) + "/bulk",
			Hidden: []view.Hidden{{Name: "verb", Value: "challenge"}, {Name: "import_new", Value: page.ID(im.ID)}},
		})
	}
	m.Actions = append(m.Actions, view.ButtonModel{Label: page.T(ctx, "import.to_table"), Href: paths.EmailDomain(im.DomainName)})
	return m
}

// Missing lists the active rows that the file lacks, before somebody
// deactivates them.
func (s *Section) Missing(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	im, err := s.load(r)
	if err != nil {
		return err
	}
	if !imports.Tells(im) {
		return fault.New(fault.Missing, "fault.missing")
	}
	n, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	after := mailbox.ID(max(0, n))
	rows, err := s.Imports.MissingRows(ctx, im, after, missingShown+1)
	if err != nil {
		return err
	}
	f := s.frame(r, im, page.T(ctx, "import.missing_title"), view.Link{Label: im.FileName, Href: importPath(im)})
	m := s.missingModel(ctx, im, rows, after)
	m.Head.Title = f.Title
	return s.Show(w, r, http.StatusOK, importview.Missing(f, m))
}

// missingList is the list of what the file lacks behind a row, 0 for its beginning.
func missingList(im imports.Import, after mailbox.ID) page.List[mailbox.ID, mailbox.ID] {
	return page.List[mailbox.ID, mailbox.ID]{
		View: after, Base: importPath(im) + "/missing", Turn: func(v *mailbox.ID, after mailbox.ID) { *v = after },
		Pairs: func(after mailbox.ID, add page.Add) { add("after", page.ID(after), after != 0) },
	}
}

// missingModel shows the rows behind one, of which one more than a page may be there.
func (s *Section) missingModel(ctx context.Context, im imports.Import, rows []mailbox.Row, after mailbox.ID) importview.MissingModel {
	m := importview.MissingModel{Head: view.HeadModel{Lead: page.T(ctx, "import.missing_lead", "n", im.Missing, "file", im.FileName)}, Table: missingTable(ctx)}
	if len(rows) == 0 {
		m.Head.Lead, m.Empty = "", &view.EmptyModel{Title: page.T(ctx, "import.missing_none"), Text: page.T(ctx, "import.missing_none_text")}
		return m
	}
	rows, next := page.Cut(rows, missingShown, func(r mailbox.Row) mailbox.ID { return r.ID })
	for _, row := range rows {
		m.Rows = append(m.Rows, s.Mailboxes.AddressLine(ctx, row, false))
	}
	n := max(im.Missing, len(rows))
	m.Pager = missingList(im, after).Pager(page.T(ctx, "rows.shown", "shown", len(rows), "n", n), after > 0, 0, next)
	if mailbox.MayEditRows(im.Standing) == nil {
		m.Head.Actions = []view.ButtonModel{{
			Label: page.T(ctx, "import.missing_deactivate", "n", n), Icon: view.IconBan, Kind: view.Primary, Action: paths.EmailDomain(im.DomainName) + "/bulk",
			Hidden: []view.Hidden{{Name: "verb", Value: "deactivate"}, {Name: "import_missing", Value: page.ID(im.ID)}},
		}}
	}
	return m
}

func missingTable(ctx context.Context) view.TableModel {
	return view.TableModel{Caption: page.T(ctx, "import.missing_title"), Columns: []view.Column{
		{Label: page.T(ctx, "rows.status"), Tight: true},
		{Label: page.T(ctx, "rows.name")},
		{Label: page.T(ctx, "row.primary")},
		{Label: page.T(ctx, "row.linked")},
		{Label: page.T(ctx, "rows.end")},
		{Label: page.T(ctx, "row.comment")},
	}}
}

// AskUndo asks before an import is taken back.
func (s *Section) AskUndo(w http.ResponseWriter, r *http.Request) error {
	im, err := s.load(r)
	if err != nil {
		return err
	}
	if err := imports.MayUndo(im); err != nil {
		return err
	}
	ctx := r.Context()
	can, stays, err := s.Imports.Undoable(ctx, im)
	if err != nil {
		return err
	}
	f := s.frame(r, im, page.T(ctx, "import.undo_title"), view.Link{Label: im.FileName, Href: importPath(im)})
	m := importview.UndoModel{Dialog: undoDialog(ctx, im, f.Title, can, stays)}
	if m.Stays, err = s.stays(ctx, im, stays); err != nil {
		return err
	}
	return s.Show(w, r, http.StatusOK, importview.Undo(f, m))
}

// stays lists what cannot be undone, or was not: n lines, nil when there are
// none.
func (s *Section) stays(ctx context.Context, im imports.Import, n int) (*importview.StaysModel, error) {
	if n == 0 {
		return nil, nil
	}
	lines, err := s.Imports.Stays(ctx, im, 0, staysShown)
	if err != nil {
		return nil, err
	}
	m := &importview.StaysModel{Title: page.T(ctx, "import.stays", "n", n), Table: staysTable(ctx), Lines: stayLines(ctx, im, lines)}
	if n > len(lines) {
		m.More = page.T(ctx, "import.stays_more", "n", n-len(lines))
	}
	return m, nil
}

func undoDialog(ctx context.Context, im imports.Import, title string, can, stays int) view.DialogModel {
	m := view.DialogModel{Title: title, Action: importPath(im) + "/undo", Verb: page.T(ctx, "import.undo"), Cancel: importPath(im)}
	m.What = []string{page.T(ctx, "import.undo_what", "n", can), page.T(ctx, "import.undo_how")}
	if stays > 0 {
		m.What = append(m.What, page.T(ctx, "import.undo_stays", "n", stays))
	}
	m.Final = page.T(ctx, "import.undo_final")
	return m
}

func staysTable(ctx context.Context) view.TableModel {
	return view.TableModel{Caption: page.T(ctx, "import.stays_caption"), Columns: []view.Column{
		{Label: page.T(ctx, "import.line"), Tight: true}, {Label: page.T(ctx, "rows.name")}, {Label: page.T(ctx, "row.primary")}, {Label: page.T(ctx, "import.why")},
	}}
}

func stayLines(ctx context.Context, im imports.Import, lines []imports.Line) (out []importview.StayLine) {
	for _, l := range lines {
		s := importview.StayLine{Line: strconv.Itoa(l.Line), Name: l.Name, Primary: l.Primary, Href: paths.Row(im.DomainName, l.Row)}
		if l.Stays != "" {
			s.Why = page.T(ctx, l.Stays)
		}
		out = append(out, s)
	}
	return out
}

func (s *Section) Undo(w http.ResponseWriter, r *http.Request) error {
	im, err := s.load(r)
	if err != nil {
		return err
	}
	if err := s.Imports.Undo(r.Context(), s.Actor(r), string(im.DomainName), im.ID); err != nil {
		return err
	}
	return s.Done(w, r, importPath(im), "")
}
