package sink

import (
	"bytes"
	"cmp"
	"embed"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/language"
)

const (
	pageSize  = 50
	chipsSize = 12
	// cookieName is its own: the portal may run on another port of the same
	// host, and ports share cookies.
	cookieName = "petschaft_demo_mail_lang"
)

//go:embed page
var files embed.FS

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
	Lang string
	Body any
}

// Handler is the reader for the browser. It shows every mail to everybody who
// can reach it.
func (s *Sink) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.inbox)
	mux.HandleFunc("GET /recipients", s.recipients)
	mux.HandleFunc("GET /mail/{id}", s.one)
	mux.HandleFunc("GET /mail/{id}/part.html", s.htmlPart)
	mux.HandleFunc("GET /mail/{id}/mail.eml", s.source)
	mux.HandleFunc("GET /language", chooseLanguage)
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, files, "page/style.css")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.render(w, r, http.StatusNotFound, "missing", nil) })
	return mux
}

type inboxBody struct {
	To         string // the filter
	Recipients []recipient
	More       bool // there are recipients that are not listed
	Mails      []line
	Total      int
	Live       bool // the newest page, which refreshes itself
	Older      int64
}

type recipient struct {
	Addr  string
	Count int
	Here  bool
}

type line struct {
	Mail
	Snippet string
	Today   bool
}

func (s *Sink) inbox(w http.ResponseWriter, r *http.Request) {
	to := r.FormValue("to")
	before, _ := strconv.ParseInt(r.FormValue("before"), 10, 64)
	all := s.Mails()
	slices.Reverse(all)

	b := inboxBody{To: to, Live: before == 0}
	b.Recipients, b.More = chips(counted(all, to))
	today := s.cfg.Now().In(s.cfg.Location).Format("20060102")
	for _, m := range all {
		if to != "" && !m.For(to) {
			continue
		}
		b.Total++
		if before != 0 && m.ID >= before || b.Older != 0 {
			continue
		}
		if len(b.Mails) == pageSize {
			b.Older = b.Mails[pageSize-1].ID
			continue
		}
		m.Received = m.Received.In(s.cfg.Location)
		b.Mails = append(b.Mails, line{Mail: m, Snippet: snippet(m.Text), Today: m.Received.Format("20060102") == today})
	}
	s.render(w, r, http.StatusOK, "inbox", b)
}

// counted lists the recipients of mails, the one with the newest mail first.
func counted(mails []Mail, here string) []recipient {
	var all []recipient
	at := map[string]int{}
	for _, m := range mails {
		for _, to := range m.To {
			key := strings.ToLower(to)
			i, ok := at[key]
			if !ok {
				i = len(all)
				at[key] = i
				all = append(all, recipient{Addr: key, Here: strings.EqualFold(to, here)})
			}
			all[i].Count++
		}
	}
	return all
}

// chips cuts the list, but never the one that is chosen.
func chips(all []recipient) ([]recipient, bool) {
	if len(all) <= chipsSize {
		return all, false
	}
	short := slices.Clone(all[:chipsSize])
	if i := slices.IndexFunc(all, func(x recipient) bool { return x.Here }); i >= chipsSize {
		short = append(short, all[i])
	}
	return short, true
}

func snippet(text string) string {
	const most = 160
	short := []rune(strings.Join(strings.Fields(strings.ToValidUTF8(text[:min(len(text), 8*most)], "")), " "))
	if len(short) > most {
		return string(short[:most]) + "…"
	}
	return string(short)
}

func (s *Sink) recipients(w http.ResponseWriter, r *http.Request) {
	all := counted(s.Mails(), "")
	slices.SortFunc(all, func(a, b recipient) int { return cmp.Compare(a.Addr, b.Addr) })
	s.render(w, r, http.StatusOK, "recipients", all)
}

type oneBody struct {
	Mail
	Sender string // of the header, decoded
	View   string // text, html or source
	Lines  []piece
	Source string
}

// piece is a run of text or, with URL, a link.
type piece struct{ Text, URL string }

func (s *Sink) one(w http.ResponseWriter, r *http.Request) {
	m, ok := s.find(r)
	if !ok {
		s.render(w, r, http.StatusNotFound, "missing", nil)
		return
	}
	m.Received = m.Received.In(s.cfg.Location)
	b := oneBody{Mail: m, View: "text", Sender: m.Header.Get("From")}
	if from, err := words.DecodeHeader(b.Sender); err == nil {
		b.Sender = from
	}
	switch v := r.FormValue("view"); {
	case v == "source":
		b.View, b.Source = v, strings.ToValidUTF8(string(m.Raw), "\uFFFD")
	case m.HTML != "" && (v == "html" || m.Text == ""):
		b.View = "html"
	default:
		b.Lines = links(m.Text)
	}
	s.render(w, r, http.StatusOK, "mail", b)
}

var address = regexp.MustCompile(`https?://[^\s<>"]+`)

// links finds the addresses in text; punctuation behind one belongs to the
// sentence.
func links(text string) []piece {
	var all []piece
	end := 0
	for _, at := range address.FindAllStringIndex(text, -1) {
		url := strings.TrimRight(text[at[0]:at[1]], ".,;:!?)]'")
		all = append(all, piece{Text: text[end:at[0]]}, piece{Text: url, URL: url})
		end = at[0] + len(url)
	}
	return append(all, piece{Text: text[end:]})
}

var head = regexp.MustCompile(`(?i)<head(\s[^>]*)?>`)

// htmlPart is the mail's own HTML, for a frame that may run nothing and load
// nothing; its links open in the whole window.
func (s *Sink) htmlPart(w http.ResponseWriter, r *http.Request) {
	m, ok := s.find(r)
	if !ok || m.HTML == "" {
		http.NotFound(w, r)
		return
	}
	const base = `<base target="_top">`
	at := 0
	if where := head.FindStringIndex(m.HTML); where != nil {
		at = where[1]
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "sandbox allow-top-navigation-by-user-activation allow-popups allow-popups-to-escape-sandbox; "+
		"default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	w.Write([]byte(m.HTML[:at] + base + m.HTML[at:]))
}

func (s *Sink) source(w http.ResponseWriter, r *http.Request) {
	m, ok := s.find(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "message/rfc822")
	w.Header().Set("Content-Disposition", "attachment; filename=mail-"+strconv.FormatInt(m.ID, 10)+".eml")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Write(m.Raw)
}

func (s *Sink) find(r *http.Request) (Mail, bool) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	mails := s.Mails()
	i := slices.IndexFunc(mails, func(m Mail) bool { return m.ID == id })
	if err != nil || i < 0 {
		return Mail{}, false
	}
	return mails[i], true
}

// chooseLanguage keeps the wish and goes to the list.
func chooseLanguage(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: r.FormValue("to"), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func lang(r *http.Request) string {
	wish := ""
	if c, err := r.Cookie(cookieName); err == nil {
		wish = c.Value
	}
	_, i := language.MatchStrings(speaks, wish, r.Header.Get("Accept-Language"))
	return []string{"de", "en"}[i]
}

func (s *Sink) render(w http.ResponseWriter, r *http.Request, status int, name string, body any) {
	f := frame{Lang: lang(r), Body: body}
	var b bytes.Buffer
	if err := pages[f.Lang].ExecuteTemplate(&b, name, f); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	b.WriteTo(w)
}
