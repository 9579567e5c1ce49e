package bulk

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/bulk"
	"petschaft/internal/fault"
	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/site/mailboxes"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/bulkview"
)

// load is the bulk that the path names, if the actor may see it.
func (s *Section) load(r *http.Request) (bulk.Bulk, error) {
	n, err := page.Number[bulk.ID](r, "bulk")
	if err != nil {
		return bulk.Bulk{}, err
	}
	return s.Bulk.One(r.Context(), s.Actor(r), chi.URLParam(r, "domain"), n)
}

// readChosen reads which rows are meant: the ticked ones, all that the table
// shows, those that an import added or those that it lacks. None is a fault.
func readChosen(q url.Values) (v mailbox.View, err error) {
	if n, _ := strconv.ParseInt(q.Get("import_new"), 10, 64); n > 0 {
		return mailbox.View{Only: imports.Added(imports.ID(n))}, nil
	}
	if n, _ := strconv.ParseInt(q.Get("import_missing"), 10, 64); n > 0 {
		return mailbox.View{Only: imports.Missing(imports.ID(n))}, nil
	}
	if q.Get("all") == "1" {
		v = mailboxes.ReadView(q)
		return mailbox.View{Status: v.Status, Doubtful: v.Doubtful, Text: v.Text}, nil
	}
	for _, row := range q["row"] {
		if n, err := strconv.ParseInt(row, 10, 64); err == nil {
			v.IDs = append(v.IDs, mailbox.ID(n))
		}
	}
	if len(v.IDs) == 0 {
		var bad fault.Fields
		bad.Add("row", "bulk.none_ticked")
		return v, bad.Err()
	}
	return v, nil
}

// Prepare leads from the table to the page that says what will happen.
// Where that is not possible, the table comes back as it was.
func (s *Section) Prepare(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	d, err := s.Org.Domain(ctx, by, chi.URLParam(r, "domain"))
	if err != nil {
		return err
	}
	if err := mailbox.MayEditRows(d.Standing); err != nil {
		return err
	}
	chosen, err := readChosen(r.PostForm)
	var n bulk.ID
	if err == nil {
		n, err = s.Bulk.Prepare(ctx, by, string(d.Name), bulk.Verb(r.PostFormValue("verb")), chosen)
	}
	if err != nil && (page.Answerable(err) || fault.Is(err, fault.TooLarge)) {
		return s.Mailboxes.DomainPage(w, r, d, r.PostForm, err)
	}
	if err != nil {
		return err
	}
	return s.Done(w, r, paths.Bulks(d.Name)+"/"+page.ID(n), "")
}

// One is the page of a bulk: what will happen, how far it is, what became of
// it.
func (s *Section) One(w http.ResponseWriter, r *http.Request) error {
	x, err := s.load(r)
	if err != nil {
		return err
	}
	return s.onePage(w, r, x, nil)
}

func (s *Section) Progress(w http.ResponseWriter, r *http.Request) error {
	x, err := s.load(r)
	if err != nil {
		return err
	}
	return s.Show(w, r, http.StatusOK, bulkview.Progress(s.progress(r.Context(), x)))
}

func (s *Section) Start(w http.ResponseWriter, r *http.Request) error {
	x, err := s.load(r)
	if err != nil {
		return err
	}
	err = s.Bulk.Start(r.Context(), s.Actor(r), string(x.DomainName), x.ID, r.PostFormValue("comment"))
	if err != nil && page.Answerable(err) {
		return s.onePage(w, r, x, err)
	}
	if err != nil {
		return err
	}
	return s.Done(w, r, page.BulkPath(x), "")
}

func (s *Section) Cancel(w http.ResponseWriter, r *http.Request) error {
	x, err := s.load(r)
	if err != nil {
		return err
	}
	if err := s.Bulk.Cancel(r.Context(), s.Actor(r), string(x.DomainName), x.ID); err != nil {
		return err
	}
	return s.Done(w, r, page.BulkPath(x), "")
}

// onPage is how many bulks are listed at once.
const onPage = 50

// List lists what was and is done for many rows of a domain.
func (s *Section) List(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	d, err := s.Org.Domain(ctx, by, chi.URLParam(r, "domain"))
	if err != nil {
		return err
	}
	n, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	before := bulk.ID(max(0, n))
	all, err := s.Bulk.OfDomain(ctx, by, d, before, onPage+1)
	if err != nil {
		return err
	}
	f := s.Frame(r, page.T(ctx, "bulk.list"), crumbs(ctx, d.Name)[:2]...)
	return s.Show(w, r, http.StatusOK, bulkview.List(f, s.listModel(ctx, d, all, before)))
}

func crumbs(ctx context.Context, d org.Domain) []view.Link {
	return []view.Link{
		{Label: page.T(ctx, "nav.email_domains"), Href: paths.EmailDomains},
		{Label: d.Unicode(), Href: paths.EmailDomain(d)},
		{Label: page.T(ctx, "bulk.list"), Href: paths.Bulks(d)},
	}
}

// listOf is the list of what was done for rows of d before a bulk, from the
// newest one on when that is 0.
func listOf(d org.Domain, before bulk.ID) page.List[bulk.ID, bulk.ID] {
	return page.List[bulk.ID, bulk.ID]{
		View: before, Base: paths.Bulks(d), Turn: func(v *bulk.ID, before bulk.ID) { *v = before },
		Pairs: func(before bulk.ID, add page.Add) { add("before", page.ID(before), before != 0) },
	}
}

func (s *Section) listModel(ctx context.Context, d org.EmailDomain, all []bulk.Bulk, before bulk.ID) bulkview.ListModel {
	m := bulkview.ListModel{
		Head: view.HeadModel{Title: page.T(ctx, "bulk.list"), Lead: page.T(ctx, "bulk.list_lead")},
		Table: view.TableModel{Caption: page.T(ctx, "bulk.list"), Columns: []view.Column{
			{Label: page.T(ctx, "bulk.what")},
			{Label: page.T(ctx, "rows.status"), Tight: true},
			{Label: page.T(ctx, "bulk.result")},
			{Label: page.T(ctx, "bulk.who")},
			{Label: page.T(ctx, "bulk.when")},
		}},
	}
	if len(all) == 0 && before == 0 {
		m.Empty = &view.EmptyModel{
			Title: page.T(ctx, "bulk.list_empty"), Text: page.T(ctx, "bulk.list_empty_text"),
			Action: &view.ButtonModel{Label: page.T(ctx, "bulk.to_rows"), Href: paths.EmailDomain(d.Name)},
		}
		return m
	}
	all, next := page.Cut(all, onPage, func(x bulk.Bulk) bulk.ID { return x.ID })
	m.Pager = listOf(d.Name, before).Pager(page.T(ctx, "bulk.list_shown", "n", len(all)), before > 0, 0, next)
	for _, x := range all {
		m.Lines = append(m.Lines, bulkview.ListLine{
			Label: page.BulkVerb(ctx, x.Verb), Href: page.BulkPath(x), State: stateOf(ctx, x), Result: resultWords(ctx, x), Who: x.AccountName,
			When: view.At(ctx, *x.Started, s.Now()),
		})
	}
	return m
}
