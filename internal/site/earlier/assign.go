package earlier

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/earlier"
	"petschaft/internal/fault"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/officeview"
)

// load is the line of an import that the path names and that can still be
// assigned.
func (s *Section) load(r *http.Request) (earlier.ID, earlier.Line, error) {
	n, err := page.Number[earlier.ID](r, "import")
	if err != nil {
		return 0, earlier.Line{}, err
	}
	_, lines, err := s.Earlier.Plan(r.Context(), s.Actor(r), n)
	if err != nil {
		return 0, earlier.Line{}, err
	}
	line, _ := strconv.Atoi(chi.URLParam(r, "line"))
	i := slices.IndexFunc(lines, func(l earlier.Line) bool {
		return l.Line == line && (l.State == earlier.LineNew || l.State == earlier.LineUnassigned)
	})
	if i < 0 {
		return 0, earlier.Line{}, fault.New(fault.Missing, "")
	}
	return n, lines[i], nil
}

func (s *Section) AskAssign(w http.ResponseWriter, r *http.Request) error {
	n, l, err := s.load(r)
	if err != nil {
		return err
	}
	return s.assignPage(w, r, n, l, earlier.Owner{Address: l.Address, Holder: l.Holder, Organisation: l.Institution}, nil)
}

func (s *Section) Assign(w http.ResponseWriter, r *http.Request) error {
	n, l, err := s.load(r)
	if err != nil {
		return err
	}
	o := earlier.Owner{Address: r.PostFormValue("address"), Holder: r.PostFormValue("holder"), Organisation: r.PostFormValue("organisation")}
	err = s.Earlier.Assign(r.Context(), s.Actor(r), n, l.Line, o)
	if fault.Is(err, fault.Invalid) || errors.Is(err, postgres.ErrShown) {
		return s.assignPage(w, r, n, l, o, err)
	}
	if err != nil {
		return err
	}
	return s.Done(w, r, paths.OfficeEarlierImport(n)+"#lines", "earlier.assigned")
}

// assignPage asks whose it is; failed is why the form came back.
func (s *Section) assignPage(w http.ResponseWriter, r *http.Request, n earlier.ID, l earlier.Line, o earlier.Owner, failed error) error {
	ctx, base := r.Context(), paths.OfficeEarlierImport(n)
	m := officeview.EarlierAssignModel{
		Head:  view.HeadModel{Title: page.T(ctx, "earlier.assign_title"), Lead: l.Source},
		Names: namesOf(l), Issuer: pki.Distinguished(l.Issuer), Ends: view.Ends(ctx, l.NotAfter, s.Now()),
		Form: view.FormModel{Action: base + "/lines/" + strconv.Itoa(l.Line), Submit: view.ButtonModel{Label: page.T(ctx, "earlier.assign_save")}, Cancel: base + "#lines"},
		Mail: l.Mail, Address: o.Address, Holder: o.Holder, Organisation: o.Organisation,
	}
	m.Errors, _ = page.Wrong(ctx, failed)
	crumbs := []view.Link{{Label: page.T(ctx, "earlier.title"), Href: paths.OfficeEarlier}, {Label: page.T(ctx, "earlier.number", "number", strconv.Itoa(int(n))), Href: base}}
	f, status := s.OfficeFrame(r, m.Head.Title, crumbs...), http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, officeview.EarlierAssign(f, m))
}
