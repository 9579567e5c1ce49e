package imports

import (
	"context"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/site/mailboxes"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/importview"
)

// mostShown is how many earlier imports one page tells of.
const mostShown = 25

func importPath(im imports.Import) string {
	return paths.Import(im.DomainName, im.ID)
}

// load is the import that the path names, if the actor may see it.
func (s *Section) load(r *http.Request) (imports.Import, error) {
	n, err := page.Number[imports.ID](r, "import")
	if err != nil {
		return imports.Import{}, err
	}
	return s.Imports.One(r.Context(), s.Actor(r), chi.URLParam(r, "domain"), n)
}

// frame is the frame of a page of one import; below leads back to it from
// the pages further down.
func (s *Section) frame(r *http.Request, im imports.Import, title string, below ...view.Link) view.Frame {
	ctx := r.Context()
	crumbs := []view.Link{
		{Label: page.T(ctx, "nav.email_domains"), Href: paths.EmailDomains},
		{Label: im.DomainName.Unicode(), Href: paths.EmailDomain(im.DomainName)},
		{Label: page.T(ctx, "import.title"), Href: paths.Imports(im.DomainName)},
	}
	return s.Frame(r, title, append(crumbs, below...)...)
}

// List is where a file is uploaded, and what became of the earlier ones.
func (s *Section) List(w http.ResponseWriter, r *http.Request) error {
	d, err := s.Org.Domain(r.Context(), s.Actor(r), chi.URLParam(r, "domain"))
	if err != nil {
		return err
	}
	return s.listPage(w, r, d, nil)
}

// listPage shows it, again when an upload failed.
func (s *Section) listPage(w http.ResponseWriter, r *http.Request, d org.EmailDomain, failed error) error {
	ctx, base := r.Context(), paths.Imports(d.Name)
	before, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	all, err := s.Imports.OfDomain(ctx, s.Actor(r), string(d.Name), imports.ID(max(0, before)), mostShown+1)
	if err != nil {
		return err
	}
	f := s.Frame(r, page.T(ctx, "import.title"), view.Link{Label: page.T(ctx, "nav.email_domains"), Href: paths.EmailDomains},
		view.Link{Label: d.Name.Unicode(), Href: paths.EmailDomain(d.Name)})
	m := importview.ImportsModel{Head: view.HeadModel{Title: f.Title, Lead: page.T(ctx, "import.lead")}, Join: mailboxes.OfferJoin(ctx, d.Standing, d.Name)}
	if mailbox.MayEditRows(d.Standing) == nil {
		m.Upload, m.Columns, m.Templates = uploadModel(ctx, base, failed), columnsHelp(ctx), templateLinks(ctx, d)
	}
	if len(all) > mostShown {
		all = all[:mostShown]
		m.Older = base + "?before=" + page.ID(all[mostShown-1].ID) + "#past"
	}
	for _, im := range all {
		m.Lines = append(m.Lines, s.line(ctx, im))
	}
	if len(all) == 0 {
		m.Empty = &view.EmptyModel{Title: page.T(ctx, "import.none"), Text: page.T(ctx, "import.none_text")}
	}
	status := http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, importview.Imports(f, m))
}

func (s *Section) line(ctx context.Context, im imports.Import) importview.ImportLine {
	l := importview.ImportLine{
		Href: importPath(im), File: im.FileName, At: view.At(ctx, im.Created, s.Now()), By: im.AccountName, State: stateOf(ctx, im.State),
	}
	for _, c := range imports.Classes {
		if n := im.Count(c); n > 0 {
			l.Counts = append(l.Counts, page.T(ctx, countIDs[c], "count", n))
		}
	}
	return l
}

var stateIDs = map[imports.State]string{
	imports.Uploaded: "import.state_uploaded", imports.Planning: "import.state_planning", imports.Planned: "import.state_planned",
	imports.Applying: "import.state_applying", imports.Applied: "import.state_applied", imports.Undoing: "import.state_undoing",
	imports.Undone: "import.state_undone", imports.Discarded: "import.state_discarded",
}

var stateKinds = map[imports.State]view.Kind{
	imports.Uploaded: view.Open, imports.Planning: view.Open, imports.Planned: view.Open, imports.Applying: view.Open,
	imports.Applied: view.Good, imports.Undoing: view.Open, imports.Undone: view.Ended, imports.Discarded: view.Ended,
}

func stateOf(ctx context.Context, st imports.State) view.StateModel {
	return view.StateModel{Kind: stateKinds[st], Word: page.T(ctx, stateIDs[st])}
}

// stepsModel are the way from a file to changed rows; now is the current one,
// from 1.
func stepsModel(ctx context.Context, now int) []view.Step {
	steps := []view.Step{{Label: page.T(ctx, "import.step_upload")}, {Label: page.T(ctx, "import.step_reading")}, {Label: page.T(ctx, "import.step_plan")}, {Label: page.T(ctx, "import.step_apply")}}
	for i := range steps {
		steps[i].Done, steps[i].Current = i+1 < now, i+1 == now
	}
	return steps
}

// fieldIDs are the columns of the template, fieldMeans what belongs in them.
var fieldIDs = map[imports.Field]string{
	imports.FieldLast: "import.field_last", imports.FieldFirst: "import.field_first", imports.FieldName: "export.name",
	imports.FieldPrimary: "export.primary", imports.FieldAlias1: "export.alias_1", imports.FieldAlias2: "export.alias_2",
	imports.FieldAliases: "import.field_aliases", imports.FieldKind: "export.kind", imports.FieldApplicant: "export.applicant",
	imports.FieldProxies: "import.field_proxies", imports.FieldComment: "export.comment",
}

var fieldMeans = map[imports.Field]string{
	imports.FieldLast: "import.means_last", imports.FieldFirst: "import.means_first", imports.FieldName: "import.means_name",
	imports.FieldPrimary: "import.means_primary", imports.FieldAlias1: "import.means_alias1", imports.FieldAlias2: "import.means_alias2",
	imports.FieldAliases: "import.means_aliases", imports.FieldKind: "import.means_kind", imports.FieldApplicant: "import.means_applicant",
	imports.FieldProxies: "import.means_proxies", imports.FieldComment: "import.means_comment",
}

func columnsHelp(ctx context.Context) (cs []importview.ImportColumn) {
	for _, f := range imports.Fields {
		cs = append(cs, importview.ImportColumn{Heading: page.T(ctx, fieldIDs[f]), Means: page.T(ctx, fieldMeans[f])})
	}
	return cs
}

// templateLinks lead to a file to fill in, as German Excel likes it and as
// programs do.
func templateLinks(ctx context.Context, d org.EmailDomain) []view.ButtonModel {
	base := paths.EmailDomain(d.Name) + "/template.csv"
	return []view.ButtonModel{
		{Label: page.T(ctx, "import.template"), Href: base},
		{Label: page.T(ctx, "import.template_comma"), Href: base + "?format=comma", Kind: view.Ghost},
	}
}
