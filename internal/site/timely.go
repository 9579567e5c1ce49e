package site

import (
	"context"
	"net/http"
	"strings"
	"time"

	importpages "petschaft/internal/site/imports"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
)

// requestTime is how long a request may take, with reading a form on a slow
// line. What takes longer says so in timeOf.
const requestTime = 30 * time.Second

// earlierTime is for a form with a thousand certificates, and for taking them
// over: as long as the server writes at all.
const earlierTime = 60 * time.Second

// timely gives each request, the API's too, the time after which nothing that
// it asks the database for goes on.
func timely(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), timeOf(r))
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// timeOf is how long r may take by its kind: files come and go as fast as the
// line of whoever sends or reads them.
func timeOf(r *http.Request) time.Duration {
	p, post := r.URL.Path, r.Method == http.MethodPost
	switch {
	case post && (importpages.Streams(p) || page.Matches("/api/v1/email-domains/*/imports", p)):
		return importpages.UploadTime + time.Minute
	case !post && page.Matches("/email-domains/*/export.csv", p):
		return page.LongestWriting
	case strings.HasPrefix(p, paths.OfficeEarlier):
		return earlierTime
	}
	return requestTime
}
