package mail

import (
	"embed"
	"fmt"
	"html/template"
	"strings"
	texttemplate "text/template"
	"time"
	"unicode/utf8"

	"petschaft/web/locale"
)

//go:embed letters
var files embed.FS

var (
	page    = template.Must(template.New("letter.html").Funcs(template.FuncMap{"lines": lines}).ParseFS(files, "letters/letter.html"))
	sources = map[string]*texttemplate.Template{"de": read("de", false), "en": read("en", false)}
	alone   = map[string]*texttemplate.Template{"de": read("de", true), "en": read("en", true)}
)

// read parses the letters of one language, as they are beside the other one or
// alone; the binary carries them, so a mistake in one shows in any test.
func read(lang string, alone bool) *texttemplate.Template {
	t := texttemplate.New(lang).Option("missingkey=error").Funcs(texttemplate.FuncMap{
		"when":  func(t time.Time) string { return locale.For(lang).DateTime(t) },
		"alone": func() bool { return alone },
	})
	return texttemplate.Must(t.ParseFS(files, "letters/*."+lang+".txt"))
}

// block is a piece of a letter between two blank lines: one of the three.
type block struct {
	Text  string
	Items []string
	Link  string
}

// indent begins each line of an item but the first.
const indent = "\n  "

// lines are those of an item.
func lines(item string) []string { return strings.Split(item, indent) }

type part struct {
	Lang   string
	Blocks []block
}

// columns is where plain text breaks (RFC 5322, 2.1.1, advises 78).
const columns = 76

// write makes the letter of that kind: German above English, plain text and
// HTML from the same source. The link stands in it once.
func write(kind, to, link string, data any) (Letter, error) { return writeIn("", kind, to, link, data) }

// writeIn is write for somebody who chose the language lang: the letter comes in
// that one alone, unless it is empty.
func writeIn(lang, kind, to, link string, data any) (Letter, error) {
	if err := checkLink(link); err != nil {
		return Letter{}, err
	}
	languages, from := []string{"de", "en"}, sources
	if alone[lang] != nil {
		languages, from = []string{lang}, alone
	}
	var subjects, texts []string
	var parts []part
	for _, lang := range languages {
		var source strings.Builder
		if err := from[lang].ExecuteTemplate(&source, kind+"."+lang+".txt", data); err != nil {
			return Letter{}, fmt.Errorf("write letter %q: %w", kind, err)
		}
		subject, body, _ := strings.Cut(source.String(), "\n")
		blocks := split(body, link)
		subjects = append(subjects, subject)
		texts = append(texts, plain(blocks))
		parts = append(parts, part{lang, blocks})
	}
	l := Letter{To: to, Subject: strings.Join(subjects, " / "), Text: strings.Join(texts, "\n"+strings.Repeat("-", columns)+"\n\n")}
	var html strings.Builder
	if err := page.Execute(&html, map[string]any{"Subject": l.Subject, "Parts": parts}); err != nil {
		return Letter{}, fmt.Errorf("write letter %q: %w", kind, err)
	}
	l.HTML = html.String()
	return l, nil
}

// split takes a letter's source apart at its blank lines. Only the letter's
// own link on a line of its own is a link, whatever a name looks like.
func split(source, link string) []block {
	var blocks []block
	for piece := range strings.SplitSeq(source, "\n\n") {
		piece = strings.TrimSpace(piece)
		switch {
		case piece == "":
		case piece == link:
			blocks = append(blocks, block{Link: link})
		case strings.HasPrefix(piece, "- "):
			blocks = append(blocks, block{Items: strings.Split(strings.TrimPrefix(piece, "- "), "\n- ")})
		default:
			blocks = append(blocks, block{Text: strings.Join(strings.Fields(piece), " ")})
		}
	}
	return blocks
}

// plain lays blocks out as text.
func plain(blocks []block) string {
	var b strings.Builder
	for i, x := range blocks {
		if i > 0 {
			b.WriteString("\n")
		}
		switch {
		case x.Link != "":
			b.WriteString(x.Link + "\n")
		case x.Items != nil:
			for _, item := range x.Items {
				b.WriteString("- " + item + "\n")
			}
		default:
			wrap(&b, x.Text)
		}
	}
	return b.String()
}

// wrap breaks text at blanks; a longer word keeps a line to itself.
func wrap(b *strings.Builder, text string) {
	at := 0
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case at == 0:
		case at+1+n > columns:
			b.WriteByte('\n')
			at = 0
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	b.WriteByte('\n')
}
