package site

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"petschaft/internal/earlier"
	"petschaft/internal/fault"
	"petschaft/internal/order"
	"petschaft/internal/pki"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/importview"
	"petschaft/web/view/officeview"
	"petschaft/web/view/serverview"
)

// mostEarlier bounds the form that carries certificates from before the portal:
// files, and what is between them.
const mostEarlier = earlier.MostBytes + 1<<20

func (s *Site) earlierStart(w http.ResponseWriter, r *http.Request) error {
	return s.earlierPage(w, r, nil)
}

// earlierPage asks for files; failed is why those before were refused. A browser
// lets no page choose a file, so they must be chosen anew.
func (s *Site) earlierPage(w http.ResponseWriter, r *http.Request, failed error) error {
	ctx := r.Context()
	imports, err := s.Earlier.Imports(ctx, s.Actor(r))
	if err != nil {
		return err
	}
	bad, whole := page.Wrong(ctx, failed)
	files := view.FieldModel{
		Name: "files", Label: page.T(ctx, "earlier.files"), Type: view.File, Multiple: true, Alternative: true, Accept: ".pem,.crt,.cer,.der,.p7b,.p7c,.txt", Error: bad["files"],
		Hint: page.T(ctx, "earlier.files_hint", "bytes", earlier.MostBytes>>20, "certificates", earlier.MostCertificates),
	}
	pasted := view.FieldModel{Name: "pasted", Label: page.T(ctx, "earlier.pasted"), Type: view.TextArea, Alternative: true, Mono: true, Hint: page.T(ctx, "earlier.pasted_hint"), Value: r.PostFormValue("pasted")}
	if _, err := pki.EarlierFile([]byte(pasted.Value)); errors.Is(err, pki.ErrEarlierPrivateKey) {
		pasted.Value = "" // it is not sent back
	}
	owners := view.FieldModel{
		Name: "owners", Label: page.T(ctx, "earlier.owners"), Type: view.File, Optional: true, Accept: ".csv,.txt,.tsv,.xlsx,.ods,text/csv", Error: bad["owners"],
		Hint: page.T(ctx, "earlier.owners_hint"),
	}
	m := officeview.EarlierModel{
		Head:   view.HeadModel{Title: page.T(ctx, "earlier.title"), Lead: page.T(ctx, "earlier.lead")},
		Form:   view.FormModel{Action: paths.OfficeEarlier, Upload: true, Submit: view.ButtonModel{Label: page.T(ctx, "earlier.check")}},
		Fields: []view.FieldModel{files, pasted, owners}, Columns: earlierColumns(ctx), Fails: view.Fails(files, owners),
	}
	if whole != "" {
		m.Fails = append(m.Fails, view.Fail{Text: whole})
	}
	for _, i := range imports {
		m.Imports = append(m.Imports, officeview.EarlierImport{
			Href: paths.OfficeEarlierImport(i.ID), Title: page.T(ctx, "earlier.number", "n", strconv.Itoa(int(i.ID))), At: view.Ago(ctx, i.Created, s.Now()), By: i.By,
			Counts: page.T(ctx, "earlier.counts", "applied", i.Applied, "lines", i.Lines),
		})
	}
	f, status := s.OfficeFrame(r, m.Head.Title), http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, officeview.Earlier(f, m))
}

func earlierColumns(ctx context.Context) []importview.ImportColumn {
	return []importview.ImportColumn{
		{Heading: page.T(ctx, "earlier.column_fingerprint"), Means: page.T(ctx, "earlier.column_fingerprint_text")},
		{Heading: page.T(ctx, "earlier.column_serial"), Means: page.T(ctx, "earlier.column_serial_text")},
		{Heading: page.T(ctx, "earlier.column_address"), Means: page.T(ctx, "earlier.column_address_text")},
		{Heading: page.T(ctx, "earlier.column_holder"), Means: page.T(ctx, "earlier.column_holder_text")},
		{Heading: page.T(ctx, "earlier.column_organisation"), Means: page.T(ctx, "earlier.column_organisation_text")},
	}
}

// uploadEarlier keeps the files and goes on to the plan.
func (s *Site) uploadEarlier(w http.ResponseWriter, r *http.Request) error {
	files, owners, err := earlierFiles(r)
	if err != nil {
		return err
	}
	n, err := s.Earlier.Upload(r.Context(), s.Actor(r), files, owners)
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.TooLarge) {
		return s.earlierPage(w, r, err)
	}
	if err != nil {
		return err
	}
	return s.Done(w, r, paths.OfficeEarlierImport(n), "")
}

// earlierFiles are what a form carries; its files lie in memory.
func earlierFiles(r *http.Request) (files []earlier.File, owners []byte, err error) {
	if pasted := r.PostFormValue("pasted"); strings.TrimSpace(pasted) != "" {
		files = append(files, earlier.File{Name: page.T(r.Context(), "earlier.pasted"), Content: []byte(pasted)})
	}
	if r.MultipartForm == nil {
		return files, nil, nil
	}
	for _, h := range r.MultipartForm.File["files"] {
		content, err := contentOf(h)
		if err != nil {
			return nil, nil, err
		}
		if h.Filename != "" && len(content) > 0 {
			files = append(files, earlier.File{Name: h.Filename, Content: content})
		}
	}
	for _, h := range r.MultipartForm.File["owners"] {
		if owners, err = contentOf(h); err != nil {
			return nil, nil, err
		}
	}
	return files, owners, nil
}

func contentOf(h *multipart.FileHeader) ([]byte, error) {
	f, err := h.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// earlierPlan shows what taking over would do now.
func (s *Site) earlierPlan(w http.ResponseWriter, r *http.Request) error {
	return s.earlierPlanPage(w, r, nil)
}

// earlierOnPage is how many certificates of a plan one page shows.
const earlierOnPage = 100

func (s *Site) earlierPlanPage(w http.ResponseWriter, r *http.Request, failed error) error {
	ctx := r.Context()
	n, err := page.Number[earlier.ID](r, "import")
	if err != nil {
		return err
	}
	im, lines, err := s.Earlier.Plan(ctx, s.Actor(r), n)
	if err != nil {
		return err
	}
	base, which := paths.OfficeEarlierImport(n), earlier.LineState(r.URL.Query().Get("show"))
	m := officeview.EarlierPlanModel{
		Head: view.HeadModel{Title: page.T(ctx, "earlier.number", "n", strconv.Itoa(int(n))), Lead: page.T(ctx, "earlier.by", "who", im.By, "when", locale.From(ctx).DateTime(im.Created))},
	}
	counts := map[earlier.LineState]int{}
	for _, l := range lines {
		counts[l.State]++
	}
	m.Chips, m.Legend = earlierChips(ctx, base, which, counts, len(lines)), page.T(ctx, earlierLegend(which))
	m.Will = earlierWill(ctx, base, counts)
	if len(lines) > counts[earlier.LineApplied] {
		m.Side = []view.ButtonModel{{Label: page.T(ctx, "earlier.discard"), Action: base + "/discard", Icon: view.IconBin}}
	}
	s.earlierLines(ctx, r, base, which, lines, &m)
	f, status := s.OfficeFrame(r, m.Head.Title, view.Link{Label: page.T(ctx, "earlier.title"), Href: paths.OfficeEarlier}), http.StatusOK
	if failed != nil {
		m.Fails = page.Fails(ctx, failed)
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, officeview.EarlierPlan(f, m))
}

// earlierLines puts a page of the lines that are to be shown into m.
func (s *Site) earlierLines(ctx context.Context, r *http.Request, base string, which earlier.LineState, lines []earlier.Line, m *officeview.EarlierPlanModel) {
	after, _ := strconv.Atoi(r.URL.Query().Get("after"))
	lines = slices.DeleteFunc(slices.Clone(lines), func(l earlier.Line) bool { return l.Line <= after || which != "" && l.State != which })
	more := len(lines) > earlierOnPage
	for _, l := range lines[:min(len(lines), earlierOnPage)] {
		m.Lines = append(m.Lines, s.earlierLine(ctx, base, l))
	}
	m.Pager = view.PagerModel{Shown: page.T(ctx, "mine.shown", "n", len(m.Lines))}
	if after > 0 {
		m.Pager.First = base + "?show=" + string(which)
	}
	if more {
		m.Pager.Next = base + "?show=" + string(which) + "&after=" + strconv.Itoa(lines[earlierOnPage-1].Line)
	}
}

var earlierWords = map[earlier.LineState]string{
	earlier.LineNew: "earlier.state_new", earlier.LineUnassigned: "earlier.state_unassigned", earlier.LineKnown: "earlier.state_known",
	earlier.LineFaulty: "earlier.state_faulty", earlier.LineApplied: "earlier.state_applied",
}

var earlierKinds = map[earlier.LineState]view.Kind{
	earlier.LineNew: view.Good, earlier.LineUnassigned: view.Open, earlier.LineKnown: view.Ended, earlier.LineFaulty: view.Bad, earlier.LineApplied: view.Good,
}

func earlierLegend(which earlier.LineState) string {
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

func earlierChips(ctx context.Context, base string, which earlier.LineState, counts map[earlier.LineState]int, all int) []view.Chip {
	l := locale.From(ctx)
	chips := []view.Chip{{Label: page.T(ctx, "earlier.all"), Count: l.Number(int64(all)), Href: base, Current: which == ""}}
	for _, st := range earlier.LineStates {
		chips = append(chips, view.Chip{Label: page.T(ctx, earlierWords[st]), Count: l.Number(int64(counts[st])), Href: base + "?show=" + string(st), Current: which == st})
	}
	return chips
}

// earlierWill says what taking over does and what it leaves alone.
func earlierWill(ctx context.Context, base string, counts map[earlier.LineState]int) importview.WillModel {
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

func (s *Site) earlierLine(ctx context.Context, base string, l earlier.Line) officeview.EarlierLine {
	m := officeview.EarlierLine{
		Source: l.Source, Names: earlierNames(l), Issuer: pki.Distinguished(l.Issuer),
		State: view.StateModel{Kind: earlierKinds[l.State], Word: page.T(ctx, earlierWords[l.State])},
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
	m.Ends, m.Chain = view.Day(ctx, l.NotAfter, s.Now()), page.T(ctx, "earlier.chain_unknown")
	if l.Whole {
		m.Chain = page.T(ctx, "earlier.chain_whole")
	} else if len(l.Above) > 0 {
		m.Chain = page.T(ctx, "earlier.chain_part")
	}
	if l.Expired {
		m.Over = page.T(ctx, "cert.state_expired")
	}
	m.Owner = earlierOwner(ctx, l)
	if l.State == earlier.LineNew || l.State == earlier.LineUnassigned {
		m.Action = &view.ButtonModel{Label: page.T(ctx, "earlier.assign"), About: m.Names[0], Href: base + "/lines/" + strconv.Itoa(l.Line), Icon: view.IconPencil}
	}
	return m
}

func earlierNames(l earlier.Line) []string {
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

func earlierOwner(ctx context.Context, l earlier.Line) (all []serverview.RelatedModel) {
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

func (s *Site) applyEarlier(w http.ResponseWriter, r *http.Request) error {
	n, err := page.Number[earlier.ID](r, "import")
	if err != nil {
		return err
	}
	taken, err := s.Earlier.Apply(r.Context(), s.Actor(r), n, order.NewReference)
	if fault.Is(err, fault.Conflict) {
		return s.earlierPlanPage(w, r, err)
	}
	if err != nil {
		return err
	}
	return s.Done(w, r, paths.OfficeEarlierImport(n), "earlier.applied", "n", taken)
}

func (s *Site) discardEarlier(w http.ResponseWriter, r *http.Request) error {
	n, err := page.Number[earlier.ID](r, "import")
	if err != nil {
		return err
	}
	if err := s.Earlier.Discard(r.Context(), s.Actor(r), n); err != nil {
		return err
	}
	return s.Done(w, r, paths.OfficeEarlier, "earlier.discarded")
}
