package site

import (
	"context"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/web/view"
)

// importsShown is how many earlier imports one page tells of.
const importsShown = 25

func importPath(im mailbox.Import) string {
	return domainPath(im.DomainName) + "/imports/" + id(im.ID)
}

// importRoutes is the CSV import of one e-mail domain.
func (s *Site) importRoutes(r chi.Router) {
	r.Get("/", s.in(s.imports))
	r.Post("/", s.in(s.uploadImport))
	r.Route("/{import}", func(r chi.Router) {
		r.Get("/", s.in(s.importPage))
		r.Get("/progress", s.in(s.importProgressOnly))
		r.Get("/reading", s.in(s.importReading))
		r.Post("/plan", s.in(s.planImport))
		r.Post("/apply", s.in(s.applyImport))
		r.Post("/discard", s.in(s.discardImport))
		r.Get("/faults.csv", s.in(s.importFaults))
		r.Get("/missing", s.in(s.importMissing))
		r.Get("/undo", s.in(s.askUndoImport))
		r.Post("/undo", s.in(s.undoImport))
	})
}

// loadImport is the import that the path names, if the actor may see it.
func (s *Site) loadImport(r *http.Request) (mailbox.Import, error) {
	n, err := number[mailbox.ImportID](r, "import")
	if err != nil {
		return mailbox.Import{}, err
	}
	return s.Mailbox.Import(r.Context(), s.actor(r), chi.URLParam(r, "domain"), n)
}

// importFrame is the frame of a page of one import; below leads back to it from
// the pages further down.
func (s *Site) importFrame(r *http.Request, im mailbox.Import, title string, below ...view.Link) view.Frame {
	ctx := r.Context()
	crumbs := []view.Link{
		{Label: t(ctx, "nav.email_domains"), Href: "/email-domains"},
		{Label: im.DomainName.Unicode(), Href: domainPath(im.DomainName)},
		{Label: t(ctx, "import.title"), Href: domainPath(im.DomainName) + "/imports"},
	}
	return s.frame(r, title, append(crumbs, below...)...)
}

// imports is where a file is uploaded, and what became of the earlier ones.
func (s *Site) imports(w http.ResponseWriter, r *http.Request) error {
	d, err := s.Org.Domain(r.Context(), s.actor(r), chi.URLParam(r, "domain"))
	if err != nil {
		return err
	}
	return s.importsPage(w, r, d, nil)
}

// importsPage shows it, again when an upload failed.
func (s *Site) importsPage(w http.ResponseWriter, r *http.Request, d org.EmailDomain, failed error) error {
	ctx, base := r.Context(), domainPath(d.Name)+"/imports"
	before, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	all, err := s.Mailbox.Imports(ctx, s.actor(r), string(d.Name), mailbox.ImportID(max(0, before)), importsShown+1)
	if err != nil {
		return err
	}
	f := s.frame(r, t(ctx, "import.title"), view.Link{Label: t(ctx, "nav.email_domains"), Href: "/email-domains"},
		view.Link{Label: d.Name.Unicode(), Href: domainPath(d.Name)})
	m := view.ImportsModel{Head: view.HeadModel{Title: f.Title, Lead: t(ctx, "import.lead")}, Join: join(ctx, d.Standing, d.Name)}
	if mailbox.MayEditRows(d.Standing) == nil {
		m.Upload, m.Columns, m.Templates = uploadModel(ctx, base, failed), importColumns(ctx), templateLinks(ctx, d)
	}
	if len(all) > importsShown {
		all = all[:importsShown]
		m.Older = base + "?before=" + id(all[importsShown-1].ID) + "#past"
	}
	for _, im := range all {
		m.Lines = append(m.Lines, s.importLine(ctx, im))
	}
	if len(all) == 0 {
		m.Empty = &view.EmptyModel{Title: t(ctx, "import.none"), Text: t(ctx, "import.none_text")}
	}
	status := http.StatusOK
	if failed != nil {
		f.Failed, status = true, s.status(w, fault.Of(failed))
	}
	return s.show(w, r, status, view.Imports(f, m))
}

func (s *Site) importLine(ctx context.Context, im mailbox.Import) view.ImportLine {
	l := view.ImportLine{
		Href: importPath(im), File: im.FileName, At: view.At(ctx, im.Created, s.Now()), By: im.AccountName, State: importState(ctx, im.State),
	}
	for _, c := range mailbox.Classes {
		if n := im.Count(c); n > 0 {
			l.Counts = append(l.Counts, t(ctx, countIDs[c], "count", n))
		}
	}
	return l
}

var importStateIDs = map[mailbox.ImportState]string{
	mailbox.Uploaded: "import.state_uploaded", mailbox.Planning: "import.state_planning", mailbox.Planned: "import.state_planned",
	mailbox.Applying: "import.state_applying", mailbox.Applied: "import.state_applied", mailbox.Undoing: "import.state_undoing",
	mailbox.Undone: "import.state_undone", mailbox.Discarded: "import.state_discarded",
}

var importStateKinds = map[mailbox.ImportState]view.Kind{
	mailbox.Uploaded: view.Open, mailbox.Planning: view.Open, mailbox.Planned: view.Open, mailbox.Applying: view.Open,
	mailbox.Applied: view.Good, mailbox.Undoing: view.Open, mailbox.Undone: view.Ended, mailbox.Discarded: view.Ended,
}

func importState(ctx context.Context, st mailbox.ImportState) view.StateModel {
	return view.StateModel{Kind: importStateKinds[st], Word: t(ctx, importStateIDs[st])}
}

// importSteps are the way from a file to changed rows; now is the current one,
// from 1.
func importSteps(ctx context.Context, now int) []view.Step {
	steps := []view.Step{{Label: t(ctx, "import.step_upload")}, {Label: t(ctx, "import.step_reading")}, {Label: t(ctx, "import.step_plan")}, {Label: t(ctx, "import.step_apply")}}
	for i := range steps {
		steps[i].Done, steps[i].Current = i+1 < now, i+1 == now
	}
	return steps
}

// fieldIDs are the columns of the template, fieldMeans what belongs in them.
var fieldIDs = map[mailbox.Field]string{
	mailbox.FieldLast: "import.field_last", mailbox.FieldFirst: "import.field_first", mailbox.FieldName: "export.name",
	mailbox.FieldPrimary: "export.primary", mailbox.FieldAlias1: "export.alias_1", mailbox.FieldAlias2: "export.alias_2",
	mailbox.FieldAliases: "import.field_aliases", mailbox.FieldKind: "export.kind", mailbox.FieldApplicant: "export.applicant",
	mailbox.FieldProxies: "import.field_proxies", mailbox.FieldComment: "export.comment",
}

var fieldMeans = map[mailbox.Field]string{
	mailbox.FieldLast: "import.means_last", mailbox.FieldFirst: "import.means_first", mailbox.FieldName: "import.means_name",
	mailbox.FieldPrimary: "import.means_primary", mailbox.FieldAlias1: "import.means_alias1", mailbox.FieldAlias2: "import.means_alias2",
	mailbox.FieldAliases: "import.means_aliases", mailbox.FieldKind: "import.means_kind", mailbox.FieldApplicant: "import.means_applicant",
	mailbox.FieldProxies: "import.means_proxies", mailbox.FieldComment: "import.means_comment",
}

func importColumns(ctx context.Context) (cs []view.ImportColumn) {
	for _, f := range mailbox.ImportFields {
		cs = append(cs, view.ImportColumn{Heading: t(ctx, fieldIDs[f]), Means: t(ctx, fieldMeans[f])})
	}
	return cs
}

// templateLinks lead to a file to fill in, as German Excel likes it and as
// programs do.
func templateLinks(ctx context.Context, d org.EmailDomain) []view.ButtonModel {
	base := domainPath(d.Name) + "/template.csv"
	return []view.ButtonModel{
		{Label: t(ctx, "import.template"), Href: base},
		{Label: t(ctx, "import.template_comma"), Href: base + "?format=comma", Kind: view.Ghost},
	}
}
