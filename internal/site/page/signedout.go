package page

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"petschaft/internal/draft"
	"petschaft/internal/person"
	"petschaft/internal/signin"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// SessionOver says that f was not sent: its page takes along what was typed, so
// that it is there again once its owner has signed in. Where f does not say whose
// it is, or is too large, or is none, it stays in the browser.
func (p *Page) SessionOver(w http.ResponseWriter, r *http.Request, f draft.Form) error {
	p.sessionOver(w, r, http.StatusForbidden, f)
	return nil
}

func (p *Page) sessionOver(w http.ResponseWriter, r *http.Request, status int, f draft.Form) {
	ctx, owner := r.Context(), r.PostForm.Get("as")
	m := view.ProblemModel{Status: status, Title: T(ctx, "signin.over_title"), What: T(ctx, "signin.over")}
	along, fits := p.along(r, owner, f)
	if f.Path == "" || owner == "" || !fits {
		m.Todo = T(ctx, "signin.over_todo")
		m.Actions = []view.ButtonModel{{Label: T(ctx, "frame.sign-in"), Href: paths.SignInTo(p.Stood(r)), Kind: view.Primary}}
		p.Problem(w, r, m)
		return
	}
	m.Kept, m.Todo = T(ctx, "signin.over_kept"), T(ctx, "signin.over_kept_todo")
	m.Form = &view.FormModel{Action: paths.SignIn, Along: true, Submit: view.ButtonModel{Label: T(ctx, "signin.over_button")}, Hidden: along}
	p.Problem(w, r, m)
}

// along are the fields in which f, which is owner's, is sent to the sign-in; false
// where they are more than is read there.
func (p *Page) along(r *http.Request, owner string, f draft.Form) (fields []view.Hidden, fits bool) {
	fields = []view.Hidden{
		{Name: "as", Value: owner},
		{Name: "path", Value: f.Path},
		{Name: "page", Value: f.Page},
		{Name: "kind", Value: f.Kind},
		{Name: "body", Value: base64.StdEncoding.EncodeToString(f.Body)},
	}
	sent := url.Values{}
	for _, x := range fields {
		sent.Set(x.Name, x.Value)
	}
	return fields, len(f.Body) <= draft.MostUnsigned && int64(len(sent.Encode())) <= p.terms(r).Most
}

// OfAnother tells whether the form of r is from a page of another account than by's.
func OfAnother(r *http.Request, by person.Actor) bool {
	owner := r.PostForm.Get("as")
	return r.Method == http.MethodPost && owner != "" && owner != ID(by.Account)
}

// Foreign does nothing of f, which r sends from a browser where somebody else signed
// in meanwhile, but leaves it here for its owner. Where f is none, or too large, it
// stays in the browser.
func (p *Page) Foreign(w http.ResponseWriter, r *http.Request, f draft.Form) error {
	ctx := r.Context()
	if owner, err := strconv.ParseInt(r.PostForm.Get("as"), 10, 64); err == nil && f.Path != "" {
		token, err := p.Leave(ctx, person.ID(owner), f)
		if err == nil {
			http.Redirect(w, r, paths.KeptForm(token), http.StatusSeeOther)
			return nil
		}
		if !errors.Is(err, draft.ErrFull) {
			return err
		}
	}
	p.Problem(w, r, view.ProblemModel{
		Status: http.StatusForbidden, Title: T(ctx, "kept.foreign_title"), What: T(ctx, "kept.foreign"), Kept: T(ctx, "kept.foreign_stays"), Todo: T(ctx, "kept.foreign_back"),
		Actions: []view.ButtonModel{{Label: T(ctx, "frame.sign-out"), Action: paths.SignOut}},
	})
	return nil
}

// Leave leaves f in this browser for owner.
func (p *Page) Leave(ctx context.Context, owner person.ID, f draft.Form) (token string, err error) {
	if token, err = p.Drafts.Leave(ctx, owner, f); err == nil {
		p.Desk.Leave(ctx, draft.Hash(token))
	}
	return token, err
}

// Left is the form that the page of SessionOver took along, and whose it is.
func Left(r *http.Request) (person.ID, draft.Form, error) {
	v := r.PostFormValue
	body, err := base64.StdEncoding.DecodeString(v("body"))
	owner, bad := strconv.ParseInt(v("as"), 10, 64)
	f := draft.Form{Path: v("path"), Page: signin.OwnPath(v("page")), Kind: v("kind"), Body: body}
	if err != nil || bad != nil || signin.OwnPath(f.Path) != f.Path {
		return 0, f, ErrUnreadable
	}
	return person.ID(owner), f, nil
}
