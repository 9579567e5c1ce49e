package api

import (
	"context"
	"mime"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"petschaft/internal/imports"
	"petschaft/internal/person"
	"petschaft/internal/sheet"
)

// Media types of workbooks.
const (
	xlsxType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	odsType  = "application/vnd.oasis.opendocument.spreadsheet"
)

// fileBody is made anew for each API: huma writes into what it is given.
func fileBody() *huma.RequestBody {
	return &huma.RequestBody{
		Required: true, Description: "The file. A charset of text/csv counts; a byte order mark counts more.",
		Content: map[string]*huma.MediaType{
			csvType: {
				Schema:  &huma.Schema{Type: huma.TypeString},
				Example: "Name,Primary address,Alias 1,Mailbox type\n\"Lee, Alice\",alice.lee@uni.example,alee@uni.example,personal\n",
			},
			xlsxType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
			odsType:  {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
		},
	}
}

// Wished is how a file is to be read, as a request says it.
type Wished struct {
	Encoding   string   `query:"encoding" enum:"utf-8,windows-1252,utf-16le,utf-16be,macintosh,ibm850" doc:"How letters are written; else the charset of the Content-Type, else it is recognised. A byte order mark counts more."`
	Separator  string   `query:"separator" enum:"semicolon,comma,tab" doc:"What stands between the cells; else it is recognised."`
	HeaderLine int      `query:"header_line" minimum:"1" maximum:"1048576" doc:"The line with the headings, where there is something above them; else the first of twenty that names an address."`
	Columns    []string `query:"columns" enum:"last,first,name,primary,alias1,alias2,aliases,proxies,kind,applicant,comment,-" doc:"What each column holds, in the order of the file; - is not read. Else the headings tell."`
}

var separatorNames = map[string]rune{"semicolon": ';', "comma": ',', "tab": '\t'}

// charsets are the names of encodings that a Content-Type may have (RFC 2978),
// those that a file is read in.
var charsets = map[string]sheet.Encoding{
	"utf-8": sheet.UTF8, "utf8": sheet.UTF8, "us-ascii": sheet.UTF8, "utf-16le": sheet.UTF16LE, "utf-16be": sheet.UTF16BE,
	"utf-16":       "", // the byte order mark says which
	"windows-1252": sheet.Windows1252, "cp1252": sheet.Windows1252, "iso-8859-1": sheet.Windows1252, "latin1": sheet.Windows1252,
	"iso-8859-15": sheet.Windows1252, "macintosh": sheet.MacRoman, "ibm850": sheet.CP850, "cp850": sheet.CP850,
}

// wish reads how the file is to be read; contentType is that of the request.
func (w Wished) wish(contentType string) (imports.Wish, error) {
	out := imports.Wish{Encoding: sheet.Encoding(w.Encoding), Separator: separatorNames[w.Separator], HeaderLine: w.HeaderLine}
	for _, c := range w.Columns {
		out.Columns = append(out.Columns, imports.Field(strings.TrimPrefix(c, "-")))
	}
	_, params, _ := mime.ParseMediaType(contentType)
	if name := params["charset"]; w.Encoding == "" && name != "" {
		e, known := charsets[strings.ToLower(name)]
		if !known {
			return out, errCharset.With("charset", plainName(name))
		}
		out.Encoding = e
	}
	return out, nil
}

// plainName is what somebody sent as a name, short and without odd signs.
func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, s[:min(len(s), 40)])
}

// Reading is how a file was understood.
type Reading struct {
	Encoding      string   `json:"encoding" enum:"utf-8,windows-1252,utf-16le,utf-16be,macintosh,ibm850,workbook" doc:"How its letters are written; workbook: it is an .xlsx or .ods."`
	Separator     *string  `json:"separator" doc:"What stands between the cells: semicolon, comma or tab; null in a workbook."`
	HeaderLine    int      `json:"header_line" doc:"The line of the headings."`
	Columns       []Column `json:"columns" doc:"The columns of the file, in its order."`
	NotUnderstood []string `json:"not_understood" doc:"Headings that mean nothing to the portal: what is below them is not read."`
}

// Column is a column of a file.
type Column struct {
	Heading string  `json:"heading" doc:"As it stands there."`
	Field   *string `json:"field" doc:"What it is read as, in the words of the parameter columns; null: it is not read."`
}

func reading(im imports.Import) Reading {
	f := im.Format()
	out := Reading{Encoding: string(f.Encoding), HeaderLine: max(1, im.HeaderLine), Columns: []Column{}, NotUnderstood: []string{}}
	for name, sep := range separatorNames {
		if sep == f.Separator && f.Encoding != sheet.Workbook {
			out.Separator = new(name)
		}
	}
	for i, h := range im.Header {
		c := Column{Heading: h}
		if i < len(im.Columns) {
			c.Field = orNull(string(im.Columns[i]))
		}
		if c.Field == nil && h != "" && !slices.Contains(out.NotUnderstood, h) {
			out.NotUnderstood = append(out.NotUnderstood, h)
		}
		out.Columns = append(out.Columns, c)
	}
	return out
}

func (a *API) planImport(ctx context.Context, by person.Actor, in *planInput) (*startedAnswer, error) {
	w, err := in.wish(in.contentType)
	if err != nil {
		return nil, err
	}
	name := domainName(in.Domain)
	im, err := a.Imports.UploadPlan(ctx, by, name, in.FileName, in.file, w)
	if err != nil {
		return nil, err
	}
	return a.started(ctx, im), nil
}
