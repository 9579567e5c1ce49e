// Package locale holds every word a person reads on a page, in German and in
// English, and writes dates, times and numbers the way each language does. It
// decides the language of a request and the form of a plural. It never decides
// what is said: an id comes from the room that knows what happened.
//
// The catalogs de.toml and en.toml hold the same ids; a test reads the whole
// module and fails on an id without words and on words without a use.
package locale

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"strings"
	"time"
	_ "time/tzdata" // the binary runs on images without zone files

	"github.com/BurntSushi/toml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	i18ntemplate "github.com/nicksnyder/go-i18n/v2/i18n/template"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Languages are the languages of the catalogs, the fallback first.
var Languages = [...]string{"de", "en"}

// The names of the cookie that remembers a chosen language: over https no other
// host may set the first one (RFC 6265bis, 4.1.3.2), over http there is only the
// second.
const (
	HostCookie = "__Host-lang"
	Cookie     = "lang"
)

// Missing begins what is returned where words are missing. No words hold it, so
// tests look for it in all that is shown.
const Missing = "⟦"

//go:embed de.toml
var german []byte

//go:embed en.toml
var english []byte

var (
	readers = load()
	matcher = language.NewMatcher([]language.Tag{language.German, language.English})
	parser  = &i18ntemplate.TextParser{Option: "missingkey=error"}
)

// Reader speaks one language in one time zone. It is safe for concurrent use.
type Reader struct {
	lang    string
	words   *i18n.Localizer
	plain   map[string]string // messages without blanks and plurals need no template
	numbers *message.Printer
	zone    *time.Location
}

// load reads both catalogs; a broken one stops the program at its start.
func load() map[string]*Reader {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	rs := map[string]*Reader{}
	bundle := i18n.NewBundle(language.German)
	for lang, catalog := range map[string][]byte{"de": german, "en": english} {
		tag := language.MustParse(lang)
		messages, err := bundle.ParseMessageBytes(tag, catalog, toml.Unmarshal)
		if err != nil {
			panic(fmt.Sprintf("catalog %s.toml: %v", lang, err))
		}
		r := &Reader{
			lang:    lang,
			words:   i18n.NewLocalizer(bundle, lang),
			plain:   map[string]string{},
			numbers: message.NewPrinter(tag),
			zone:    berlin,
		}
		for _, m := range messages {
			if m.One == "" && !strings.Contains(m.Other, "{{") {
				r.plain[m.ID] = m.Other
			}
		}
		rs[lang] = r
	}
	return rs
}

// For returns the reader of lang; anything but one of Languages reads German.
func For(lang string) *Reader {
	if r, ok := readers[lang]; ok {
		return r
	}
	return readers[Languages[0]]
}

// FromRequest returns the reader the person chose (cookie), else the one their
// browser asks for (Accept-Language), else the German one.
func FromRequest(r *http.Request) *Reader {
	if chosen, ok := Chosen(r); ok {
		return chosen
	}
	return Accepted(r.Header.Get("Accept-Language"))
}

// Chosen returns the reader whose language was chosen in this browser.
func Chosen(r *http.Request) (*Reader, bool) {
	for _, name := range []string{HostCookie, Cookie} {
		if c, err := r.Cookie(name); err == nil {
			if chosen, ok := readers[c.Value]; ok {
				return chosen, true
			}
		}
	}
	return nil, false
}

// Accepted returns the reader that an Accept-Language header asks for, else the
// German one.
func Accepted(header string) *Reader {
	_, i := language.MatchStrings(matcher, header)
	return For(Languages[i])
}

type contextKey struct{}

// With returns a context that carries r.
func With(ctx context.Context, r *Reader) context.Context {
	return context.WithValue(ctx, contextKey{}, r)
}

// From returns the context's reader, the German one when it carries none.
func From(ctx context.Context) *Reader {
	if r, ok := ctx.Value(contextKey{}).(*Reader); ok {
		return r
	}
	return For(Languages[0])
}

// T words id for whoever reads under ctx.
func T(ctx context.Context, id string, args ...any) string { return From(ctx).T(id, args...) }

// In returns a copy of r that writes times in zone.
func (r *Reader) In(zone *time.Location) *Reader {
	c := *r
	c.zone = zone
	return &c
}

// Lang is "de" or "en", as for the attribute lang of a page.
func (r *Reader) Lang() string { return r.lang }

// T returns the words of id with its blanks filled. args are key, value pairs:
// T("mailbox.rows", "n", 3). The integer called n also chooses the plural form,
// where words have two.
// Integers are grouped ("1.284"; pass a string for what is not a count) and a
// time.Time is written by DateTime. For an unknown id, and where a blank has no
// value, the id itself is returned, marked as Missing.
func (r *Reader) T(id string, args ...any) string {
	if s, ok := r.plain[id]; ok {
		return s
	}
	c := &i18n.LocalizeConfig{MessageID: id, TemplateParser: parser}
	blanks := make(map[string]any, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		key := fmt.Sprint(args[i])
		n, whole := integer(args[i+1])
		switch v := args[i+1].(type) {
		case time.Time:
			blanks[key] = r.DateTime(v)
		default:
			blanks[key] = v
			if whole {
				blanks[key] = r.Number(n)
			}
		}
		if whole && key == "n" {
			c.PluralCount = n
		}
	}
	c.TemplateData = blanks
	s, err := r.words.Localize(c)
	if err != nil && c.PluralCount != nil { // words that are the same for one and for many
		c.PluralCount = nil
		s, err = r.words.Localize(c)
	}
	if err != nil {
		return Missing + id + "⟧"
	}
	return s
}

// Has reports whether both catalogs have words for id.
func Has(id string) bool {
	for _, r := range readers {
		if _, ok := r.plain[id]; ok {
			continue
		}
		// The error may only say that a blank has no value; the tag tells whose words they are.
		if _, tag, _ := r.words.LocalizeWithTag(&i18n.LocalizeConfig{MessageID: id}); tag.String() != r.lang {
			return false
		}
	}
	return true
}

func integer(v any) (int64, bool) {
	switch n := v.(type) {
	case int:
		return int64(n), true
	case int64:
		return n, true
	case int32:
		return int64(n), true
	case uint32:
		return int64(n), true
	}
	return 0, false
}
