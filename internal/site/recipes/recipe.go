package recipes

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/recipe"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view/recipeview"
)

func (s *Section) Ask(w http.ResponseWriter, r *http.Request) error {
	return s.startPage(w, r, nil)
}

func (s *Section) Start(w http.ResponseWriter, r *http.Request) error {
	row, err := s.Mailboxes.LoadRow(r)
	if err != nil {
		return err
	}
	n, err := s.Recipe.Start(r.Context(), s.Actor(r), string(row.DomainName), row.ID, recipe.Kind(chi.URLParam(r, "kind")))
	if errors.Is(err, recipe.ErrOneOpen) {
		return s.startPage(w, r, err)
	}
	if err != nil {
		return err
	}
	return s.Done(w, r, paths.Recipe(n), "")
}

// startPage explains; failed is why the recipe did not begin just now.
func (s *Section) startPage(w http.ResponseWriter, r *http.Request, failed error) error {
	row, err := s.Mailboxes.LoadRow(r)
	if err != nil {
		return err
	}
	k := recipe.Kind(chi.URLParam(r, "kind"))
	if err := recipe.MayStart(k, row); err != nil {
		return err
	}
	words := page.RecipeWords[k]
	f, status := s.Mailboxes.RowFrame(r, row, page.T(r.Context(), words.Title)), http.StatusOK
	m := startModel(r.Context(), k, row)
	if failed != nil {
		_, m.Failed = page.Wrong(r.Context(), failed)
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, recipeview.Start(f, m))
}

func (s *Section) load(r *http.Request) (recipe.State, error) {
	n, err := page.Number[recipe.ID](r, "recipe")
	if err != nil {
		return recipe.State{}, err
	}
	return s.Recipe.One(r.Context(), s.Actor(r), n)
}

func (s *Section) One(w http.ResponseWriter, r *http.Request) error {
	st, err := s.load(r)
	if err != nil {
		return err
	}
	return s.onePage(w, r, st, inputOf(st), nil)
}

// readStep reads what was typed into the form of a step.
func readStep(r *http.Request) recipe.Input {
	v := r.PostFormValue
	in := recipe.Input{
		Name: v("name"), Aliases: []string{v("alias1"), v("alias2")}, Primary: v("primary"), Comment: v("comment"),
		Existing: v("existing"), Applicant: v("applicant"), Reason: page.TypedReason(r),
	}
	in.Version, _ = strconv.ParseInt(v("version"), 10, 64)
	return in
}

func (s *Section) DoStep(w http.ResponseWriter, r *http.Request) error {
	st, err := s.load(r)
	if err != nil {
		return err
	}
	step, in := recipe.Step(chi.URLParam(r, "step")), readStep(r)
	if err := s.Recipe.Do(r.Context(), s.Actor(r), st.ID, step, in); err != nil {
		return s.again(w, r, in, err)
	}
	return s.Done(w, r, paths.Recipe(st.ID), page.StepWords[step].Done, "name", st.Row.Name)
}

// again shows the recipe as it is by now, with what was typed.
func (s *Section) again(w http.ResponseWriter, r *http.Request, in recipe.Input, failed error) error {
	if !page.Answerable(failed) {
		return failed
	}
	now, err := s.load(r)
	if err != nil {
		return err
	}
	return s.onePage(w, r, now, in, failed)
}

func (s *Section) SkipStep(w http.ResponseWriter, r *http.Request) error {
	st, err := s.load(r)
	if err != nil {
		return err
	}
	if err := s.Recipe.Skip(r.Context(), s.Actor(r), st.ID, recipe.Step(chi.URLParam(r, "step"))); err != nil {
		return s.again(w, r, inputOf(st), err)
	}
	return s.Done(w, r, paths.Recipe(st.ID), "recipe.skipped")
}

func (s *Section) Cancel(w http.ResponseWriter, r *http.Request) error {
	st, err := s.load(r)
	if err != nil {
		return err
	}
	if err := s.Recipe.Cancel(r.Context(), s.Actor(r), st.ID); err != nil {
		return s.again(w, r, inputOf(st), err)
	}
	message := "recipe.cancelled"
	if st.Current() == "" {
		message = "recipe.closed"
	}
	return s.Done(w, r, page.RowPath(st.Row), message)
}

// onePage shows how far a recipe is and asks for its next step, again when
// failed is not nil.
func (s *Section) onePage(w http.ResponseWriter, r *http.Request, st recipe.State, in recipe.Input, failed error) error {
	m, err := s.model(r.Context(), s.Actor(r), st, in, failed)
	if err != nil {
		return err
	}
	f, status := page.Standing(s.Mailboxes.RowFrame(r, st.Row, page.T(r.Context(), page.RecipeWords[st.Kind].Title))), http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
	}
	if failed != nil && recipe.Step(chi.URLParam(r, "step")) != st.Current() { // the page has no form for it any more
		m.Typed = page.Typed(r)
	}
	return s.Show(w, r, status, recipeview.Page(f, m))
}
