package api

import (
	"context"
	"net/url"

	"petschaft/internal/fault"
	"petschaft/internal/imports"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/web/locale"
)

// told is im as its readers see it.
func told(ctx context.Context, im imports.Import) Import {
	out := Import{
		ID: int64(im.ID), Domain: string(im.DomainName), FileName: im.FileName, State: string(im.State), Created: utc(im.Created),
		Records: im.Records, Done: im.Done, Confirm: im.State == imports.Planned && imports.NeedsNumber(im),
		Counts:  Plan{New: im.New, Changed: im.Changed, Unchanged: im.Unchanged, Skipped: im.Skipped, Faulty: im.Faulty, Missing: im.Missing},
		Reading: reading(im), Applied: utcOr(im.Applied), AppliedBy: im.AppliedByName,
	}
	if im.Trouble != "" {
		out.Trouble = new(locale.From(ctx).T(im.Trouble))
	}
	return out
}

// Line is a line of the file as the plan understands it.
type Line struct {
	Line    int      `json:"line" doc:"Its number in the file; the header is 1."`
	Row     *int64   `json:"row" doc:"The row that it is about; a new one has it once the plan is applied."`
	Primary string   `json:"primary" doc:"The primary address; of a faulty line as it stands there."`
	Name    string   `json:"name" doc:"The display name."`
	Changes []Cell   `json:"changes" doc:"What a changed line changes."`
	Wrong   []Remark `json:"wrong" doc:"What is wrong with a faulty line."`
	Hints   []Remark `json:"hints" doc:"What somebody should know about the line."`
}

// Remark is something about a line.
type Remark struct {
	Field  *string `json:"field" doc:"Which value it is about; null: the whole line."`
	Detail string  `json:"detail" doc:"In the language that Accept-Language asks for."`
	Code   string  `json:"code" doc:"For programs."`
	Row    string  `json:"row,omitempty" doc:"The row that has the address already: where it is in this API."`
}

// Cell is a value that a line changes.
type Cell struct {
	Field string `json:"field" enum:"name,aliases,kind,applicant,comment" doc:"Which value."`
	Old   string `json:"old" doc:"As it is."`
	New   string `json:"new" doc:"As it will be."`
}

// Lines are some of them.
type Lines struct {
	Lines []Line `json:"lines" doc:"In the order of the file."`
}

var exampleLines = Lines{[]Line{{
	Line: 17, Primary: "b.orth@uni.example", Name: "Orth, Bo", Changes: []Cell{}, Hints: []Remark{},
	Wrong: []Remark{{Field: new("primary"), Detail: "This address belongs to another row.", Code: "mailbox.address.taken"}},
}}}

type linesInput struct {
	OfImport
	Paged
	Class string `query:"class" enum:"new,changed,unchanged,skipped,faulty" default:"faulty" doc:"Which lines."`
}

type linesAnswer struct {
	Link string `header:"Link" doc:"The pages beside this one: first, next (RFC 8288)."`
	Body Lines
}

func (a *API) listLines(ctx context.Context, by person.Actor, in *linesInput) (*linesAnswer, error) {
	im, err := a.Imports.One(ctx, by, domainName(in.Domain), imports.ID(in.ID))
	if err != nil {
		return nil, err
	}
	after, err := afterID(in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := a.Imports.Lines(ctx, im, imports.Class(in.Class), int(after), in.Limit+1)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(found) > in.Limit {
		found = found[:in.Limit]
		next = postgres.Cursor{ID: int64(found[in.Limit-1].Line)}.String()
	}
	out := &linesAnswer{Body: Lines{make([]Line, 0, len(found))}}
	for _, l := range found {
		out.Body.Lines = append(out.Body.Lines, a.line(ctx, l))
	}
	q := url.Values{"class": {in.Class}}
	out.Link = a.links("/email-domains/"+string(im.DomainName)+"/imports/"+number(im.ID)+"/lines", in.Paged, q, "", next)
	return out, nil
}

func (a *API) line(ctx context.Context, l imports.Line) Line {
	out := Line{Line: l.Line, Primary: l.Primary, Name: l.Name, Changes: []Cell{}, Wrong: a.remarks(ctx, l.Faults), Hints: a.remarks(ctx, l.Hints)}
	if l.Row != 0 {
		out.Row = new(int64(l.Row))
	}
	for _, c := range l.Cells {
		out.Changes = append(out.Changes, Cell{string(c.Field), c.Old, c.New})
	}
	return out
}

func (a *API) remarks(ctx context.Context, fs []fault.Field) []Remark {
	all := []Remark{}
	for _, f := range fs {
		all = append(all, Remark{orNull(f.Name), locale.From(ctx).T(f.ID, f.Args...), f.ID, a.inTheWay(f.Args)})
	}
	return all
}
