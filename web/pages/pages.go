// Package pages holds the pages of the footer: imprint, privacy, accessibility,
// help and the terms of use, each a Markdown file in each language. An operator
// puts files of the same name into a directory and so replaces ours, which say
// honestly what the portal does and what only the operator can say. It never
// renders raw HTML from a file, and it reads files once, at the start.
package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// Names are the pages, as in their addresses and file names; a dash stands for a
// slash of the address.
var Names = [...]string{"imprint", "privacy", "accessibility", "help", "help-keys", "help-install", "help-signing", "terms"}

var languages = [...]string{"de", "en"}

// limit is the size of a file in bytes; a footer page is no book.
const limit = 256 << 10

//go:embed *.md
var defaults embed.FS

type page struct {
	title, html string
	own         bool
	source      []byte
}

// Pages are all of them, rendered.
type Pages struct{ all map[string]page }

// Load renders every page, the operator's <name>.<lang>.md from dir before
// ours. dir may be empty. Every fault of every file is reported at once: a file
// that cannot be read, is larger than 256 KiB, or does not have exactly one
// heading of the first level (# …), which becomes the title.
func Load(dir string) (*Pages, error) {
	p := &Pages{all: map[string]page{}}
	var faults []error
	for _, name := range Names {
		for _, lang := range languages {
			file := name + "." + lang + ".md"
			source, own, err := read(dir, file)
			if err == nil {
				p.all[file], err = render(source, own)
			}
			if err != nil {
				faults = append(faults, fmt.Errorf("page %s: %w", file, err))
			}
		}
	}
	if dir != "" {
		if _, err := os.Stat(dir); err != nil {
			faults = append(faults, fmt.Errorf("directory of pages: %w", err))
		}
	}
	return p, errors.Join(faults...)
}

func read(dir, file string) (source []byte, own bool, err error) {
	if dir != "" {
		source, err = os.ReadFile(filepath.Join(dir, file))
		if err == nil && len(source) > limit {
			err = fmt.Errorf("%d bytes, at most %d are allowed", len(source), limit)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return source, true, err
		}
	}
	source, err = defaults.ReadFile(file)
	return source, false, err
}

func render(source []byte, own bool) (page, error) {
	source = bytes.TrimPrefix(source, []byte("\xef\xbb\xbf"))
	md := goldmark.New(goldmark.WithExtensions(extension.Table, extension.Linkify))
	tree := md.Parser().Parse(text.NewReader(source))
	var titles []string
	for n := tree.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok && h.Level == 1 {
			titles = append(titles, words(h, source))
		}
	}
	if len(titles) != 1 || titles[0] == "" {
		return page{}, fmt.Errorf("want exactly one heading of the first level (# …), got %d", len(titles))
	}
	var b bytes.Buffer
	if err := md.Renderer().Render(&b, source, tree); err != nil {
		return page{}, err
	}
	return page{title: titles[0], html: b.String(), own: own, source: source}, nil
}

// words is a node's text without its markup.
func words(n ast.Node, source []byte) string {
	s := ""
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			s += string(t.Segment.Value(source))
			continue
		}
		s += words(c, source)
	}
	return s
}

func (p *Pages) page(name, lang string) page {
	if lang != "en" {
		lang = "de"
	}
	return p.all[name+"."+lang+".md"]
}

// HTML is the page called name in lang (German unless "en"), with its h1; it
// holds no raw HTML of the file. An unknown name is empty.
func (p *Pages) HTML(name, lang string) string { return p.page(name, lang).html }

// Title is the text of the page's h1.
func (p *Pages) Title(name, lang string) string { return p.page(name, lang).title }

// Version names what the page called name says: the first 12 hexadecimal digits
// of the SHA-256 of its text in every language. Any change is a new version.
func (p *Pages) Version(name string) string {
	sum := sha256.New()
	for _, lang := range languages {
		fmt.Fprintf(sum, "%d ", len(p.page(name, lang).source)) // where a text ends counts, too
		sum.Write(p.page(name, lang).source)
	}
	return hex.EncodeToString(sum.Sum(nil))[:12]
}

// Missing lists the files, sorted, that the operator has not replaced.
func (p *Pages) Missing() []string {
	var files []string
	for file, page := range p.all {
		if !page.own {
			files = append(files, file)
		}
	}
	slices.Sort(files)
	return files
}
