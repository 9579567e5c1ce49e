package site

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	importpages "petschaft/internal/site/imports"
	"petschaft/internal/site/page"
)

// TestEachKindOfRequestHasItsTime and its handler gets it.
func TestEachKindOfRequestHasItsTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, path string
		want         time.Duration
	}{
		{http.MethodGet, "/", requestTime},
		{http.MethodPost, "/email-domains/uni.example/rows", requestTime},
		{http.MethodPost, "/api/v1/email-domains/uni.example/addresses", requestTime},
		{http.MethodGet, "/pki/mail.crl", requestTime},
		{http.MethodPost, "/email-domains/uni.example/imports", importpages.UploadTime + time.Minute},
		{http.MethodPost, "/email-domains/uni.example/imports/", importpages.UploadTime + time.Minute},
		{http.MethodPost, "/email-domains/uni.example/imports/7/apply", requestTime},
		{http.MethodGet, "/email-domains/uni.example/imports", requestTime},
		{http.MethodPost, "/api/v1/email-domains/uni.example/imports", importpages.UploadTime + time.Minute},
		{http.MethodPost, "/api/v1/email-domains/uni.example/imports/7/apply", requestTime},
		{http.MethodGet, "/email-domains/uni.example/export.csv", page.LongestWriting},
		{http.MethodPost, "/email-domains/uni.example/export.csv", requestTime},
		{http.MethodPost, "/office/earlier", earlierTime},
		{http.MethodPost, "/office/earlier/3/apply", earlierTime},
	} {
		began, left := time.Now(), time.Duration(0)
		h := timely(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			until, ok := r.Context().Deadline()
			if !ok {
				t.Errorf("%s %s: got no deadline", c.method, c.path)
			}
			left = until.Sub(began)
		}))
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), c.method, c.path, nil))
		if d := left - c.want; d < 0 || d > 5*time.Second {
			t.Errorf("%s %s: got %s, want %s", c.method, c.path, left, c.want)
		}
	}
}
