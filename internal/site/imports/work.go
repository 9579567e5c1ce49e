package imports

import (
	"context"
	"net/http"
	"strconv"

	"petschaft/internal/imports"
	"petschaft/internal/site/page"
	"petschaft/web/view"
	"petschaft/web/view/importview"
)

// One is an import as it stands: how the file is read, work under way,
// the plan, or what became of it.
func (s *Section) One(w http.ResponseWriter, r *http.Request) error {
	im, err := s.load(r)
	switch {
	case err != nil:
		return err
	case im.State.Working():
		return s.workPage(w, r, im)
	case im.State == imports.Uploaded && imports.MayPlan(im) == nil:
		return s.readingPage(w, r, im, r.URL.Query(), nil)
	}
	return s.planPage(w, r, im, nil)
}

func (s *Section) workPage(w http.ResponseWriter, r *http.Request, im imports.Import) error {
	ctx := r.Context()
	f := s.frame(r, im, page.T(ctx, workIDs[im.State].title, "file", im.FileName))
	m := importview.WorkModel{
		Head: view.HeadModel{Title: f.Title}, Progress: progress(ctx, im), Text: page.T(ctx, "import.leave"), Again: importPath(im),
	}
	switch im.State {
	case imports.Planning:
		m.Steps = stepsModel(ctx, 3)
	case imports.Applying:
		m.Steps = stepsModel(ctx, 4)
	}
	return s.Show(w, r, http.StatusOK, importview.Work(f, m))
}

// Progress is the part that the page refreshes.
func (s *Section) Progress(w http.ResponseWriter, r *http.Request) error {
	im, err := s.load(r)
	if err != nil {
		return err
	}
	return s.Show(w, r, http.StatusOK, view.Progress(progress(r.Context(), im)))
}

// workIDs word what a job does with an import.
var workIDs = map[imports.State]struct{ title, label, text string }{
	imports.Planning: {"import.planning_title", "import.planning", "import.planning_text"},
	imports.Applying: {"import.applying_title", "import.applying", "import.applying_text"},
	imports.Undoing:  {"import.undoing_title", "import.undoing", "import.undoing_text"},
}

func progress(ctx context.Context, im imports.Import) view.ProgressModel {
	words, ok := workIDs[im.State]
	if !ok {
		return view.ProgressModel{Label: page.T(ctx, stateIDs[im.State]), Text: page.T(ctx, "import.work_over"), Done: "1", Total: "1", Over: true}
	}
	m := view.ProgressModel{Label: page.T(ctx, words.label), Refresh: importPath(im) + "/progress"}
	if im.State != imports.Planning {
		m.Text = page.T(ctx, words.text, "n", im.New+im.Changed)
		return m
	}
	m.Text = page.T(ctx, words.text, "n", im.Done)
	if total := max(im.Records, im.Done); total > 0 {
		m.Text = page.T(ctx, "import.planning_of", "done", im.Done, "n", total)
		m.Done, m.Total = strconv.Itoa(im.Done), strconv.Itoa(total)
	}
	return m
}
