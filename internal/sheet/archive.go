package sheet

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strings"
)

// archive is a workbook's, with bounds that hold whatever its headers promise.
type archive struct {
	files map[string]*zip.File
	left  int64 // bytes that may still be inflated
}

// openArchive reads the directory of the archive. What it may read for that is
// bounded, and with it the number of entries before anything is made of them.
func openArchive(src *source, size int64) (*archive, error) {
	const directory = 512 << 10
	src.left = directory
	z, err := zip.NewReader(src, size)
	if src.left <= 0 || err == nil && len(z.File) > MaxParts {
		return nil, tooLarge()
	}
	if err != nil {
		return nil, err
	}
	src.left = -1
	a := &archive{files: make(map[string]*zip.File, len(z.File)), left: MaxInflated}
	for _, f := range z.File {
		a.files[partName(f.Name)] = f
	}
	return a, nil
}

// partName is a name as parts are looked up: without regard to case (ECMA-376-2,
// 6.2.2.3), and with the slash that some programs forget.
func partName(s string) string {
	return strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(strings.ToLower(s), `\`, "/")), "/")
}

func (a *archive) has(name string) bool { return a.files[partName(name)] != nil }

// errStop ends a walk before the end of the part.
var errStop = errors.New("seen enough")

// walk calls f with each token of the part called name, until f fails. Names of
// elements have no regard to their prefix.
func (a *archive) walk(name string, f func(xml.Token) error) error {
	part := a.files[partName(name)]
	if part == nil {
		return errors.New("the workbook lacks a part")
	}
	r, err := part.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	d := xml.NewDecoder(&pieces{r: &inflated{r, a}})
	for {
		t, err := d.RawToken() // it keeps no stack that a file could make high
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = f(t)
		}
		if err == errStop {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// inflated counts what it reads for the whole archive.
type inflated struct {
	r io.Reader
	a *archive
}

func (i *inflated) Read(p []byte) (int, error) {
	n, err := i.r.Read(p)
	if i.a.left -= int64(n); i.a.left < 0 {
		return 0, tooLarge()
	}
	return n, err
}

// maxPiece bounds what the decoder must hold at once: a tag with its attributes,
// or a text without one.
const maxPiece = 256 << 10

// pieces lets XML pass whose tags and texts are short. Comments, sections and
// instructions are one piece up to their end, whatever they hold; no workbook
// has declarations.
type pieces struct {
	r    io.Reader
	n    int     // bytes since the piece began
	last [2]byte // before the next
	mark int     // of what began with "<!": 1 behind it, 2 behind "<!-"
	end  string  // what ends the piece, empty: the next tag
}

func (p *pieces) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	for _, c := range b[:n] {
		if wrong := p.next(c); wrong != nil {
			return 0, wrong
		}
	}
	return n, err
}

func (p *pieces) next(c byte) error {
	if p.n++; p.n > maxPiece {
		return tooLarge()
	}
	before := p.last
	p.last = [2]byte{before[1], c}
	switch {
	case p.end != "":
		if strings.HasSuffix(string([]byte{before[0], before[1], c}), p.end) {
			p.end = ""
		}
	case p.mark == 1 && c == '[':
		p.until("]]>")
	case p.mark == 1 && c == '-':
		p.mark = 2
	case p.mark == 2 && c == '-':
		p.until("-->")
	case p.mark > 0:
		return errors.New("a declaration in a workbook")
	case c == '<':
		p.n = 0
	case c == '!' && before[1] == '<':
		p.mark = 1
	case c == '?' && before[1] == '<':
		p.until("?>")
	}
	return nil
}

// until makes one piece of all that comes before end, and of it.
func (p *pieces) until(end string) { p.end, p.mark, p.last = end, 0, [2]byte{} }

// attr is the attribute called name, empty where there is none.
func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
