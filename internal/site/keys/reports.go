package keys

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/compromise"
	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/keyview"
)

// Reports lists what is to be looked at.
func (s *Section) Reports(w http.ResponseWriter, r *http.Request) error {
	ctx, by := r.Context(), s.Actor(r)
	open, err := s.Compromise.OpenReports(ctx, by)
	if err != nil {
		return err
	}
	answered, err := s.Compromise.Answered(ctx, by)
	if err != nil {
		return err
	}
	waiting, err := s.Compromise.Waiting(ctx, by)
	if err != nil {
		return err
	}
	var m keyview.ReportsModel
	if n := len(open); n < waiting.Overdue+waiting.Open {
		m.More = page.T(ctx, "reports.first", "n", n)
	}
	for _, x := range open {
		m.Open = append(m.Open, s.reportLine(ctx, x))
	}
	for _, x := range answered {
		m.Answered = append(m.Answered, s.reportLine(ctx, x))
	}
	return s.Show(w, r, http.StatusOK, keyview.Reports(s.OfficeFrame(r, page.T(ctx, "reports.title")), m))
}

func (s *Section) reportLine(ctx context.Context, x compromise.Report) keyview.ReportLine {
	l := keyview.ReportLine{
		Reference: x.Reference, Href: paths.OfficeReport(x.ID), What: reasonOf(ctx, x), By: byOf(ctx, x), Certificate: x.Called,
		Due: view.Ago(ctx, x.Due, s.Now()), State: s.reportState(ctx, x),
	}
	if x.Ended != nil {
		l.Due = view.Ago(ctx, *x.Ended, s.Now())
	}
	return l
}

func (s *Section) reportState(ctx context.Context, x compromise.Report) view.StateModel {
	switch {
	case x.Fell:
		return view.StateModel{Kind: view.Ended, Word: page.T(ctx, "reports.state_fell")}
	case x.Ended != nil:
		return view.StateModel{Kind: view.Good, Word: page.T(ctx, "reports.state_answered")}
	case s.Now().After(x.Due):
		return view.StateModel{Kind: view.Bad, Word: page.T(ctx, "reports.state_overdue")}
	}
	return view.StateModel{Kind: view.Open, Word: page.T(ctx, "reports.state_open")}
}

// reportReasons are the words of the reasons for which anybody may report.
var reportReasons = map[pki.Reason]string{
	pki.KeyCompromise: "report.reason_key", pki.PrivilegeWithdrawn: "report.reason_misuse", pki.AffiliationChanged: "report.reason_wrong",
	pki.Unspecified: "report.reason_other",
}

func reasonOf(ctx context.Context, x compromise.Report) string {
	return page.T(ctx, reportReasons[pki.Reason(x.Reason)])
}

func byOf(ctx context.Context, x compromise.Report) string {
	if x.ByName == "" {
		return page.T(ctx, "reports.by_nobody")
	}
	return x.ByName
}

func (s *Section) report(r *http.Request) (compromise.Report, error) {
	n, err := strconv.ParseInt(chi.URLParam(r, "report"), 10, 64)
	if err != nil {
		return compromise.Report{}, fault.New(fault.Missing, "fault.missing")
	}
	return s.Compromise.OneReport(r.Context(), s.Actor(r), n)
}

// Report shows one, and asks what came of it where it still waits.
func (s *Section) Report(w http.ResponseWriter, r *http.Request) error {
	x, err := s.report(r)
	if err != nil {
		return err
	}
	return s.reportPage(w, r, x, nil)
}

// Answer ends a report by which nothing falls.
func (s *Section) Answer(w http.ResponseWriter, r *http.Request) error {
	x, err := s.report(r)
	if err != nil {
		return err
	}
	err = s.Compromise.Answer(r.Context(), s.Doing(r), x.ID, r.PostFormValue("answer"))
	if err != nil && page.Answerable(err) && compromise.MayAnswer(x) == nil {
		return s.reportPage(w, r, x, err)
	}
	if err != nil {
		return err
	}
	return s.Done(w, r, paths.OfficeReports, "reports.done")
}

// reportPage shows a report; failed is why the form came back.
func (s *Section) reportPage(w http.ResponseWriter, r *http.Request, x compromise.Report, failed error) error {
	ctx, now := r.Context(), s.Now()
	state := s.reportState(ctx, x)
	state.Pill = true
	m := keyview.ReportModel{
		Head: view.HeadModel{Title: page.T(ctx, "reports.one", "reference", x.Reference), State: &state}, Reason: reasonOf(ctx, x), By: byOf(ctx, x), Email: x.Email,
		Certificate: certificateOf(x), Created: view.At(ctx, x.Created, now), Due: view.At(ctx, x.Due, now), EndedBy: x.EndedByName, Answer: r.PostFormValue("answer"),
	}
	if x.Words != "" {
		m.Words = strings.Split(x.Words, "\n")
	}
	if x.Word {
		m.Text = page.T(ctx, "reports.word_text", "name", x.ByName)
	}
	if x.Key != (compromise.Digest{}) {
		m.Head.Actions = []view.ButtonModel{{Label: page.T(ctx, "reports.to_key"), Href: paths.OfficeKey(x.Key.String()), Kind: view.Primary}}
	}
	if compromise.MayAnswer(x) == nil {
		m.Form = &view.FormModel{
			Action: paths.OfficeReport(x.ID), Submit: view.ButtonModel{Label: page.T(ctx, "reports.close"), Kind: view.Plain}, Cancel: paths.OfficeReports,
			Hidden: []view.Hidden{page.FormField()},
		}
	} else {
		m.Ended, m.Outcome = view.At(ctx, *x.Ended, now), x.Answer
		if x.Fell {
			m.Outcome = page.T(ctx, "reports.fell")
		}
	}
	fields, whole := page.Wrong(ctx, failed)
	m.AnswerError, m.Whole = fields["answer"], whole
	f, status := s.OfficeFrame(r, m.Head.Title, view.Link{Label: page.T(ctx, "reports.title"), Href: paths.OfficeReports}), http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, keyview.Report(f, m))
}

// certificateOf is the certificate that a report is about.
func certificateOf(x compromise.Report) view.Link {
	l := view.Link{Label: x.Called}
	switch {
	case x.Certificate == nil:
	case x.Nobodys:
		l.Href = paths.Unexpected
	case x.Server:
		l.Href = paths.Certificate(x.Called)
	default:
		l.Href = paths.ClientCertificate(*x.Certificate)
	}
	return l
}

// Tasks are the reports that officers should look at, the overdue ones first; nobody
// else has any.
func (s *Section) Tasks(ctx context.Context, by person.Actor) ([]view.Task, error) {
	if !by.Officer {
		return nil, nil
	}
	w, err := s.Compromise.Waiting(ctx, by)
	if err != nil {
		return nil, err
	}
	link := view.Link{Label: page.T(ctx, "start.look"), Href: paths.OfficeReports}
	var tasks []view.Task
	if w.Overdue > 0 {
		tasks = append(tasks, view.Task{Kind: view.Bad, Text: page.T(ctx, "reports.task_overdue", "n", w.Overdue), Link: link, By: w.Since})
	}
	if w.Open > 0 {
		due := view.At(ctx, w.Due, s.Now()).Text
		tasks = append(tasks, view.Task{Kind: view.Warn, Text: page.T(ctx, "reports.task", "n", w.Open, "due", due), Link: link, By: w.Due})
	}
	return tasks, nil
}
