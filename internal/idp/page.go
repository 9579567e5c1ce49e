package idp

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/text/language"
)

//go:embed page
var files embed.FS

// languages, the first is the one for readers of neither.
var languages = []string{"de", "en"}

var speaks = language.NewMatcher([]language.Tag{language.German, language.English})

// pages holds the same templates once per language; in them, say picks the
// words of its language from both.
var pages = map[string]*template.Template{
	"de": parse(func(de, en string) string { return de }),
	"en": parse(func(de, en string) string { return en }),
}

func parse(say func(de, en string) string) *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{"say": say}).ParseFS(files, "page/*.html"))
}

// frame is what every page gets.
type frame struct {
	Lang   string
	Other  string // this page in the other language; "" where that needs a POST
	Prefix string
	Host   string
	Body   any
}

type accountsBody struct {
	Client   string
	Action   string
	People   []Person
	Hint     string
	LastTime string // sub of this browser's session
}

// lang asks the client's ui_locales, then the browser.
func lang(r *http.Request) string {
	_, i := language.MatchStrings(speaks, strings.ReplaceAll(r.FormValue("ui_locales"), " ", ","), r.Header.Get("Accept-Language"))
	return languages[i]
}

func (p *Provider) accounts(w http.ResponseWriter, r *http.Request, req request) {
	s, _ := p.browser(r)
	form := url.Values{}
	for name := range r.Form {
		form.Set(name, r.Form.Get(name))
	}
	// Browsers hold the redirect after a form to form-action as well.
	if to, err := url.Parse(req.redirect); err == nil {
		w.Header().Set("Content-Security-Policy", policy(to.Scheme+"://"+to.Host))
	}
	p.render(w, r, http.StatusOK, "accounts", accountsBody{
		Client: req.client.ID, Action: p.prefix + "/login?" + form.Encode(),
		People: p.everybody(), Hint: req.hint, LastTime: s.Sub,
	})
}

func (p *Provider) home(w http.ResponseWriter, r *http.Request) {
	p.render(w, r, http.StatusOK, "home", p.everybody())
}

// problem tells the person; nobody is redirected.
func (p *Provider) problem(w http.ResponseWriter, r *http.Request, kind string) {
	status := http.StatusBadRequest
	if kind == "store" {
		status = http.StatusInternalServerError
	}
	p.render(w, r, status, "problem", kind)
}

func (p *Provider) render(w http.ResponseWriter, r *http.Request, status int, name string, body any) {
	f := frame{Lang: lang(r), Prefix: p.prefix, Host: strings.SplitN(p.issuer, "://", 2)[1], Body: body}
	if r.Method == http.MethodGet {
		f.Other = other(r, f.Lang)
	}
	var b bytes.Buffer
	if err := pages[f.Lang].ExecuteTemplate(&b, name, f); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	if h.Get("Content-Security-Policy") == "" {
		h.Set("Content-Security-Policy", policy(""))
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	b.WriteTo(w)
}

func policy(formTarget string) string {
	return "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' " + formTarget
}

func other(r *http.Request, lang string) string {
	q := r.URL.Query()
	q.Set("ui_locales", languages[0])
	if lang == languages[0] {
		q.Set("ui_locales", languages[1])
	}
	return "?" + q.Encode()
}

func style(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, files, "page/style.css")
}
