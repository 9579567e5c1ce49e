package page

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/draft"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/web/paths"
)

// A form that was posted and did not do anything is kept, and the browser led to
// an address where it is shown: no page in the history is the answer to a POST,
// and each can be read again, in another language, too. It is shown by asking the
// form's own handler once more, in a request that cannot write (postgres.Show).

type (
	bodyKey    struct{}
	keepingKey struct{}
	showingKey struct{}
)

// showing is a kept form that a request shows.
type showing struct {
	address string // where it is shown
	action  string // that it is sent to
	page    string // that it stood on
	sent    bool   // draft.Form.Sent
}

// Sent notes the body of r, which its handler has read.
func Sent(r *http.Request, body []byte) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), bodyKey{}, body))
}

// Keeping keeps the forms that somebody who is signed in sends, where the answer
// to them only shows something.
func (p *Page) Keeping(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := p.Desk.Actor(r.Context()); ok && r.Method == http.MethodPost {
			ctx, outcome := postgres.Watch(r.Context())
			r = r.WithContext(context.WithValue(ctx, keepingKey{}, outcome))
		}
		next.ServeHTTP(w, r)
	})
}

// keeping tells whether the answer to r may be shown elsewhere: nothing was
// written, so nothing is shown that is shown once.
func keeping(r *http.Request) (*postgres.Outcome, bool) {
	o, ok := r.Context().Value(keepingKey{}).(*postgres.Outcome)
	return o, ok && !o.Wrote()
}

// elsewhere leads to the address where the answer to r is shown, false where it
// is not to be kept, or cannot be.
func (p *Page) elsewhere(w http.ResponseWriter, r *http.Request, status int) bool {
	outcome, ok := keeping(r)
	if !ok || status >= http.StatusInternalServerError {
		return false
	}
	f, ok := p.Posted(r)
	if !ok {
		return false
	}
	f.Sent, f.Refused = true, outcome.Refused()
	token, err := p.Drafts.Keep(r.Context(), p.Actor(r).Account, f)
	if err != nil {
		p.incomplete(r.Context(), "form not kept", err)
		return false
	}
	w.Header().Del("Retry-After")
	http.Redirect(w, r, paths.KeptForm(token), http.StatusSeeOther)
	return true
}

// Posted is the form that r sends; false where it must not be kept: it holds a
// password or a private key, or files of which nobody knows what they hold.
func (p *Page) Posted(r *http.Request) (draft.Form, bool) {
	body, ok := r.Context().Value(bodyKey{}).([]byte)
	if !ok || len(body) > draft.MostBytes || r.PostForm.Has("password") || Secret(r) {
		return draft.Form{}, false
	}
	return draft.Form{Path: r.URL.RequestURI(), Page: p.Stood(r), Kind: r.Header.Get("Content-Type"), Body: body}, true
}

// Secret tells whether the form of r holds what must not lie anywhere.
func Secret(r *http.Request) bool {
	for _, values := range r.PostForm {
		for _, v := range values {
			if pki.HoldsPrivateKey([]byte(v)) {
				return true
			}
		}
	}
	if r.MultipartForm == nil {
		return false
	}
	for _, files := range r.MultipartForm.File {
		if slices.ContainsFunc(files, func(h *multipart.FileHeader) bool { return !harmless(h) }) {
			return true
		}
	}
	return false
}

// harmless tells whether a file is a request or a text without a private key.
func harmless(h *multipart.FileHeader) bool {
	f, err := h.Open()
	if err != nil {
		return false
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	if err != nil || pki.HoldsPrivateKey(content) {
		return false
	}
	if _, err := pki.ReadCSR(content); err == nil {
		return true
	}
	return utf8.Valid(content) && !bytes.Contains(content, []byte{0})
}

// Stood is the page that the form of r stands on, as the browser says.
func (p *Page) Stood(r *http.Request) string {
	if u, err := url.Parse(r.Referer()); err == nil && u.Host == p.Base.Host {
		return u.RequestURI()
	}
	return "/"
}

// Showing is the request that shows f at the address of r: f's own, sent again by
// who asks, so that it can write nothing.
func Showing(r *http.Request, f draft.Form) (*http.Request, error) {
	ctx := context.WithValue(r.Context(), showingKey{}, showing{r.URL.RequestURI(), f.Path, f.Page, f.Sent})
	ctx = context.WithValue(postgres.Show(ctx, f.Refused), chi.RouteCtxKey, nil)
	again, err := http.NewRequestWithContext(ctx, http.MethodPost, f.Path, bytes.NewReader(f.Body))
	if err != nil {
		return nil, err
	}
	again.Header, again.Host, again.RemoteAddr, again.RequestURI = r.Header.Clone(), r.Host, r.RemoteAddr, f.Path
	again.Header.Set("Content-Type", f.Kind)
	if kind, _, _ := mime.ParseMediaType(f.Kind); kind == "multipart/form-data" {
		err = again.ParseMultipartForm(draft.MostBytes)
	} else {
		err = again.ParseForm()
	}
	return again, err
}

// shownHere is the kept form that ctx shows.
func shownHere(ctx context.Context) (showing, bool) {
	s, ok := ctx.Value(showingKey{}).(showing)
	return s, ok
}

// Shown tells whether ctx shows a kept form.
func Shown(ctx context.Context) bool {
	_, ok := shownHere(ctx)
	return ok
}

// Unsent tells whether ctx shows a form that nobody sent yet: what is wrong with
// it is not said before.
func Unsent(ctx context.Context) bool {
	s, ok := shownHere(ctx)
	return ok && !s.sent
}

// Keep keeps a form of by's that is not sent yet, and returns where it is shown.
func (p *Page) Keep(ctx context.Context, by person.Actor, f draft.Form) (string, error) {
	token, err := p.Drafts.Keep(ctx, by.Account, f)
	return paths.KeptForm(token), err
}

// onlyShown tells whether err says that a kept form could be sent now.
func onlyShown(err error) bool { return errors.Is(err, postgres.ErrShown) }
