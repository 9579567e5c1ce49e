package site

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/recipe"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view/mailboxview"
	"petschaft/web/view/recipeview"
)

func (s *Site) askRecipe(w http.ResponseWriter, r *http.Request) error {
	return s.recipeStartPage(w, r, nil)
}

func (s *Site) startRecipe(w http.ResponseWriter, r *http.Request) error {
	row, err := s.loadRow(r)
	if err != nil {
		return err
	}
	n, err := s.Recipe.Start(r.Context(), s.Actor(r), string(row.DomainName), row.ID, recipe.Kind(chi.URLParam(r, "kind")))
	if errors.Is(err, recipe.ErrOneOpen) {
		return s.recipeStartPage(w, r, err)
	}
	if err != nil {
		return err
	}
	return s.Done(w, r, paths.Recipe(n), "")
}

// recipeStartPage explains; failed is why the recipe did not begin just now.
func (s *Site) recipeStartPage(w http.ResponseWriter, r *http.Request, failed error) error {
	row, err := s.loadRow(r)
	if err != nil {
		return err
	}
	k := recipe.Kind(chi.URLParam(r, "kind"))
	if err := recipe.MayStart(k, row); err != nil {
		return err
	}
	words := page.RecipeWords[k]
	f, status := s.rowFrame(r, row, page.T(r.Context(), words.Title)), http.StatusOK
	m := recipeStartModel(r.Context(), k, row)
	if failed != nil {
		_, m.Failed = page.Wrong(r.Context(), failed)
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, recipeview.Start(f, m))
}

func (s *Site) loadRecipe(r *http.Request) (recipe.State, error) {
	n, err := page.Number[recipe.ID](r, "recipe")
	if err != nil {
		return recipe.State{}, err
	}
	return s.Recipe.One(r.Context(), s.Actor(r), n)
}

func (s *Site) recipe(w http.ResponseWriter, r *http.Request) error {
	st, err := s.loadRecipe(r)
	if err != nil {
		return err
	}
	return s.recipePage(w, r, st, recipeInput(st), nil)
}

// readRecipeStep reads what was typed into the form of a step.
func readRecipeStep(r *http.Request) recipe.Input {
	v := r.PostFormValue
	in := recipe.Input{
		Name: v("name"), Aliases: []string{v("alias1"), v("alias2")}, Primary: v("primary"), Comment: v("comment"),
		Existing: v("existing"), Applicant: v("applicant"), Reason: page.NoReason,
	}
	in.Version, _ = strconv.ParseInt(v("version"), 10, 64)
	if n, err := strconv.Atoi(v("reason")); err == nil {
		in.Reason = pki.Reason(n)
	}
	return in
}

func (s *Site) doRecipeStep(w http.ResponseWriter, r *http.Request) error {
	st, err := s.loadRecipe(r)
	if err != nil {
		return err
	}
	step, in := recipe.Step(chi.URLParam(r, "step")), readRecipeStep(r)
	if err := s.Recipe.Do(r.Context(), s.Actor(r), st.ID, step, in); err != nil {
		return s.recipeFailed(w, r, in, err)
	}
	return s.Done(w, r, paths.Recipe(st.ID), page.StepWords[step].Done, "name", st.Row.Name)
}

// recipeFailed shows the recipe as it is by now, with what was typed.
func (s *Site) recipeFailed(w http.ResponseWriter, r *http.Request, in recipe.Input, failed error) error {
	if !page.Answerable(failed) {
		return failed
	}
	now, err := s.loadRecipe(r)
	if err != nil {
		return err
	}
	return s.recipePage(w, r, now, in, failed)
}

func (s *Site) skipRecipeStep(w http.ResponseWriter, r *http.Request) error {
	st, err := s.loadRecipe(r)
	if err != nil {
		return err
	}
	if err := s.Recipe.Skip(r.Context(), s.Actor(r), st.ID, recipe.Step(chi.URLParam(r, "step"))); err != nil {
		return s.recipeFailed(w, r, recipeInput(st), err)
	}
	return s.Done(w, r, paths.Recipe(st.ID), "recipe.skipped")
}

func (s *Site) cancelRecipe(w http.ResponseWriter, r *http.Request) error {
	st, err := s.loadRecipe(r)
	if err != nil {
		return err
	}
	if err := s.Recipe.Cancel(r.Context(), s.Actor(r), st.ID); err != nil {
		return s.recipeFailed(w, r, recipeInput(st), err)
	}
	message := "recipe.cancelled"
	if st.Current() == "" {
		message = "recipe.closed"
	}
	return s.Done(w, r, page.RowPath(st.Row), message)
}

// recipePage shows how far a recipe is and asks for its next step, again when
// failed is not nil.
func (s *Site) recipePage(w http.ResponseWriter, r *http.Request, st recipe.State, in recipe.Input, failed error) error {
	m, err := s.recipeModel(r.Context(), s.Actor(r), st, in, failed)
	if err != nil {
		return err
	}
	f, status := page.Standing(s.rowFrame(r, st.Row, page.T(r.Context(), page.RecipeWords[st.Kind].Title))), http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, recipeview.Page(f, m))
}

// rowRecipe puts onto a row's page the recipe that is open, or those that fit.
func (s *Site) rowRecipe(ctx context.Context, by person.Actor, row mailbox.Row, m *mailboxview.AddressRowModel) error {
	st, open, err := s.Recipe.OpenOf(ctx, by, row)
	if err != nil {
		return err
	}
	if open {
		m.Recipe = recipeNotice(ctx, st)
	}
	if !open || st.Current() == "" {
		m.Recipes = assistants(ctx, row)
	}
	return nil
}
