package site

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"

	"petschaft/internal/earlier"
	"petschaft/internal/fault"
	earlierpages "petschaft/internal/site/earlier"
	importpages "petschaft/internal/site/imports"
	"petschaft/internal/site/page"
	"petschaft/internal/text"
	"petschaft/web/paths"
)

const (
	// maxForm bounds the body of a request; a form here is a few lines.
	maxForm = 256 << 10
	// maxSent bounds the body of a form with a file, which may be the wrong one.
	maxSent = 16 << 20
	// maxPart is what is kept of a file, or of a field beside one; no page takes
	// as much of one.
	maxPart = 80 << 10
)

// bounded refuses bodies over the limit and forms that cannot be read. Of a file
// that is too large it leaves so much that its page says so, with all that was
// typed beside it. What it read can be kept (page.Sent).
func (s *Site) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && !importpages.Streams(r.URL.Path) {
			body, err := readForm(w, r)
			if err != nil {
				s.Fail(w, r, err)
				return
			}
			if err := text.Form(r); err != nil {
				s.unreadable(w, r, err)
				return
			}
			if body != nil {
				r = page.Sent(r, body.Bytes())
			}
		}
		next.ServeHTTP(w, r)
	})
}

// readForm reads the form with its files, all of it in memory: a file may hold
// what must not lie on a disk. It returns what was read; of uploads nothing.
func readForm(w http.ResponseWriter, r *http.Request) (*bytes.Buffer, error) {
	most, kept := int64(maxForm), int64(maxForm)
	large := fault.New(fault.TooLarge, "fault.form_large", "max", maxForm>>10)
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	files := kind == "multipart/form-data"
	switch {
	case r.URL.Path == paths.OfficeEarlier:
		most, kept = earlierpages.MostSent, earlierpages.MostSent
		large = fault.New(fault.TooLarge, "cert.import.too_large", "max", earlier.MostBytes>>20)
	case files:
		most = maxSent
	}
	r.Body = http.MaxBytesReader(w, r.Body, most)
	body := &bytes.Buffer{}
	if !files {
		r.Body = io.NopCloser(io.TeeReader(r.Body, body))
	}
	err := r.ParseForm()
	if err == nil && files && most > kept {
		if body, err = shorten(r, params["boundary"], kept); err == nil {
			r.Body = io.NopCloser(bytes.NewReader(body.Bytes()))
		}
	}
	if err == nil && files {
		err = r.ParseMultipartForm(kept)
	}
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return nil, large.Because(err)
	}
	if err != nil {
		return nil, page.ErrUnreadable.Because(err)
	}
	if kept > maxForm {
		return nil, nil
	}
	return body, nil
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
			return nil, &http.MaxBytesError{Limit: most}
		}
	}
	return &left, to.Close()
}
