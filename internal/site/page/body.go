package page

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"time"

	"petschaft/internal/draft"
	"petschaft/internal/fault"
	"petschaft/internal/intake"
	"petschaft/internal/text"
	"petschaft/web/view"
)

const (
	// maxSent bounds the body of a form with a file, which may be the wrong one.
	maxSent = 16 << 20
	// maxPart is what is kept of a file, or of a field beside one; no page takes
	// as much of one.
	maxPart = 80 << 10
	// maxLeft bounds the body of whoever's session ended here: the form that they
	// filled in, and that form once more on its way to the sign-in.
	maxLeft = 2 * draft.MostUnsigned

	strangerTime = 10 * time.Second // for a body of theirs, which is small
	formTime     = 30 * time.Second
)

// ErrUnreadable is that nobody can take a form apart, as no browser sends one: it
// has no words, so that the page says what it says of any wrong input.
var ErrUnreadable = &fault.Fault{Kind: fault.Invalid}

// terms are on what the form of r is let in, by who sends it.
func (p *Page) terms(r *http.Request) intake.Terms {
	if _, ok := p.Desk.Actor(r.Context()); ok {
		return intake.Terms{Most: intake.MostForm, Within: formTime}
	}
	t := intake.Terms{Most: intake.MostStranger, Within: strangerTime, Stranger: true}
	if p.Desk.Ended(r.Context()) {
		t.Most, t.Within = maxLeft, formTime
	}
	return t
}

// read reads the form of r, whose route let it in, on t: r as it goes on, so that
// the form can be kept (Sent). A kept form that is shown was read before.
func read(r *http.Request, t intake.Terms) (*http.Request, error) {
	if _, shown := shownHere(r.Context()); shown || r.Method != http.MethodPost {
		return r, nil
	}
	body, err := readForm(r, t)
	if err == nil && body != nil {
		r = Sent(r, body.Bytes())
	}
	return r, err
}

// readForm reads the form with its files, all of it in memory: a file may hold
// what must not lie on a disk. It returns what was read.
func readForm(r *http.Request, t intake.Terms) (*bytes.Buffer, error) {
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	files, most := kind == "multipart/form-data", t.Most
	if files && !t.Stranger && most == intake.MostForm {
		t.Most, t.Held = maxSent, most
	}
	if err := intake.Admit(r, t); err != nil {
		return nil, worded(err, t)
	}
	body, err := &bytes.Buffer{}, error(nil)
	if files {
		if body, err = shorten(r, params["boundary"], most); err == nil {
			r.Body = io.NopCloser(bytes.NewReader(body.Bytes()))
			err = r.ParseMultipartForm(most)
		}
	} else {
		r.Body = io.NopCloser(io.TeeReader(r.Body, body))
		err = r.ParseForm()
	}
	if err != nil {
		return nil, worded(err, t)
	}
	return body, text.Form(r)
}

// worded is err in the words of a page.
func worded(err error, t intake.Terms) error {
	switch {
	case errors.Is(err, intake.ErrFull), errors.Is(err, intake.ErrSlow):
		return err
	case t.Stranger && errors.Is(err, intake.ErrLarge):
		return fault.New(fault.TooLarge, "fault.form_stranger", "max", t.Most>>10).Because(err)
	case errors.Is(err, intake.ErrLarge):
		return fault.New(fault.TooLarge, "fault.form_large", "max", intake.MostForm>>10).Because(err)
	}
	return ErrUnreadable.Because(err)
}

// shorten cuts each part of a form with files to maxPart; all that is left has
// most bytes at most. A browser reads no answer before it has sent everything,
// so the rest is read and thrown away.
func shorten(r *http.Request, boundary string, most int64) (*bytes.Buffer, error) {
	var left bytes.Buffer
	parts, to := multipart.NewReader(r.Body, boundary), multipart.NewWriter(&left)
	if err := to.SetBoundary(boundary); err != nil {
		return nil, err
	}
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		out, err := to.CreatePart(part.Header)
		if err != nil {
			return nil, err
		}
		if _, err := io.CopyN(out, part, maxPart); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if _, err := io.Copy(io.Discard, part); err != nil {
			return nil, err
		}
		if int64(left.Len()) > most {
			return nil, intake.ErrLarge
		}
	}
	return &left, to.Close()
}

// ReadFiles reads the form of r, at most most bytes, all of it in memory, once
// the right to send it was asked.
func (p *Page) ReadFiles(r *http.Request, most int64, large error) error {
	if _, shown := shownHere(r.Context()); shown {
		return nil
	}
	err := intake.Admit(r, intake.Terms{Most: most, Within: time.Minute})
	if err == nil {
		err = r.ParseForm()
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && kind == "multipart/form-data" {
		err = r.ParseMultipartForm(most)
	}
	switch {
	case errors.Is(err, intake.ErrLarge):
		return large
	case errors.Is(err, intake.ErrFull), errors.Is(err, intake.ErrSlow):
		return err
	case err != nil:
		return ErrUnreadable.Because(err)
	}
	return text.Form(r)
}

// Stream lets the body of r in to be read piece by piece, once the right to send
// it was asked.
func Stream(r *http.Request, most int64, within time.Duration) error {
	return intake.Admit(r, intake.Terms{Most: most, Held: intake.MostForm, Within: within})
}

// unread answers r, whose form could not be read because of err.
func (p *Page) unread(w http.ResponseWriter, r *http.Request, err error) {
	if f := fault.Of(err); errors.Is(f, text.ErrForm) {
		p.Unreadable(w, r, f)
		return
	}
	p.Fail(w, r, err)
}

// Unreadable answers a request that nobody can read (RFC 9110, 15.5.1).
func (p *Page) Unreadable(w http.ResponseWriter, r *http.Request, f *fault.Fault) {
	p.Problem(w, r, view.ProblemModel{
		Status: http.StatusBadRequest, What: T(r.Context(), f.ID),
		Actions: []view.ButtonModel{{Label: T(r.Context(), "problem.home"), Href: "/"}},
	})
}
