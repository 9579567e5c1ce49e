package imports

import (
	"slices"
	"strings"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/sheet"
	"petschaft/internal/text"
)

// layout tells which cell of a record holds what.
type layout struct {
	at    map[Field]int
	width int
}

func newLayout(columns []Field) layout {
	l := layout{at: map[Field]int{}, width: len(columns)}
	for i, f := range columns {
		if f != "" {
			l.at[f] = i
		}
	}
	return l
}

// entry is a line of the file on its way into the plan.
type entry struct {
	layout
	line   int
	cells  []string
	class  Class  // at first only skipped or nothing
	key    string // the primary address folded, empty where it is none
	id     mailbox.ID
	row    mailbox.Row // as it is, the zero value where there is none
	dr     mailbox.Draft
	faults fault.Fields
	hints  fault.Fields

	broken bool // no record at all
	twice  bool // another line is about the same row

	listed bool // its aliases come from a list of proxy addresses

	newAliases, newApplicant bool
}

// cell is what the file says of f; ok is false where it says nothing: there is
// no such column, or the line is cut short before it.
func (e *entry) cell(f Field) (s string, ok bool) {
	i, ok := e.at[f]
	if !ok || i >= len(e.cells) {
		return "", false
	}
	return text.Lines(e.cells[i]), true
}

// newEntry reads what a record says by itself.
func newEntry(l layout, rec sheet.Record) *entry {
	e := &entry{layout: l, line: rec.Line, cells: rec.Cells}
	if len(rec.Cells) > l.width && strings.Join(rec.Cells[l.width:], "") != "" {
		e.faults.Add("", "mailbox.import.cells", "cells", len(rec.Cells), "columns", l.width)
	}
	if k, _ := e.cell(FieldKind); k != "" {
		if _, ours := readKind(k); !ours {
			e.class = LineSkipped
		}
	}
	if a, wrong := org.ParseAddress(e.primary()); wrong == "" {
		e.key = strings.Clone(a.Folded()) // kept for the whole file, the record is not
	}
	return e
}

// primary is the primary address: in its own column, else in the list of proxy
// addresses.
func (e *entry) primary() string {
	if p, ok := e.cell(FieldPrimary); ok && p != "" {
		return bareAddress(p)
	}
	list, _ := e.cell(FieldProxies)
	return readProxies(list).primary
}

// unreadable is a line that is none.
func unreadable(l layout, wrong *sheet.LineError) *entry {
	e := &entry{layout: l, line: wrong.Line, cells: []string{wrong.Text}, class: LineFaulty, broken: true}
	e.faults = append(e.faults, wrong.Field())
	return e
}

// input is the row as it would stand in the form after somebody typed what the
// file says: an absent column leaves what is there, an empty cell clears it.
func (e *entry) input() mailbox.Input {
	in := mailbox.Input{Kind: e.row.Kind, Name: e.row.Name, Applicant: string(e.row.Applicant), Comment: e.row.Comment, Aliases: e.aliases()}
	in.Primary = e.primary()
	if k, ok := e.cell(FieldKind); ok {
		in.Kind, _ = readKind(k)
	}
	if n, ok := e.name(); ok {
		in.Name = n
	}
	if a, ok := e.cell(FieldApplicant); ok {
		if a = bareAddress(a); org.Address(a).Folded() != e.row.Applicant.Folded() {
			in.Applicant = a
		}
	}
	if c, ok := e.cell(FieldComment); ok && c != text.Lines(e.row.Comment) {
		in.Comment = c
	}
	return in
}

// name is the display name: given, or made of last and first.
func (e *entry) name() (string, bool) {
	n, ok := e.cell(FieldName)
	last, hasLast := e.cell(FieldLast)
	first, hasFirst := e.cell(FieldFirst)
	switch {
	case n != "" || !hasLast && !hasFirst:
		return n, ok
	case last == "" || first == "":
		return last + first, true
	}
	return last + ", " + first, true
}

// aliases are the row's, as far as the file says nothing else. A column of proxy
// addresses counts where no other column is about aliases.
func (e *entry) aliases() []string {
	var old [2]string
	for i, a := range e.row.Aliases {
		old[i] = string(a)
	}
	all, hasAll := e.cell(FieldAliases)
	one, hasOne := e.cell(FieldAlias1)
	two, hasTwo := e.cell(FieldAlias2)
	if list, ok := e.cell(FieldProxies); ok && !hasAll && !hasOne && !hasTwo {
		e.listed = true
		return readProxies(list).others
	}
	if hasOne {
		old[0] = bareAddress(one)
	}
	if hasTwo {
		old[1] = bareAddress(two)
	}
	if hasAll && !hasOne && !hasTwo {
		e.listed = schemed(all)
		return readProxies(all).others
	}
	return append(old[:], readProxies(all).others...)
}

// judge asks the rules of adding and editing by hand. Whether the addresses are
// free is asked for all lines together.
func (e *entry) judge(d org.EmailDomain, known map[org.Domain]org.EmailDomain) {
	in := e.input()
	if e.listed {
		e.choose(&in, d, known)
	}
	e.samePrimary()
	if e.row.ID == 0 {
		e.dr = in.Read(d, known, &e.faults)
	} else {
		e.dr = in.Edit(e.row, known, &e.faults)
		e.keepSpelling()
	}
	if first, _ := e.cell(FieldFirst); in.Kind == mailbox.Functional && first != "" {
		e.faults.Add(string(FieldFirst), "mailbox.import.first_name")
	}
	for i, f := range e.faults {
		if f.Name == "person" { // there is nobody to ask
			e.faults[i] = fault.Field{Name: string(FieldName), ID: "mailbox.import.who"}
		}
	}
	switch {
	case len(e.faults) > 0:
		e.class = LineFaulty
	case e.row.ID == 0:
		e.class = LineNew
	case len(mailbox.Differences(e.row, e.dr)) > 0:
		e.class = LineChanged
	default:
		e.class = LineUnchanged
	}
	e.newAliases, e.newApplicant = e.dr.NewAliases(e.row), e.dr.NewApplicant(e.row)
}

// keepSpelling leaves addresses as they are where the file only writes them in
// another case, or in another order.
func (e *entry) keepSpelling() {
	old, read := org.Folded(e.row.Aliases), org.Folded(e.dr.Aliases)
	if !e.dr.NewAliases(e.row) {
		e.dr.Aliases = e.row.Aliases
		return
	}
	for i, a := range read {
		if at := slices.Index(old, a); at >= 0 {
			e.dr.Aliases[i] = e.row.Aliases[at]
		}
	}
}

// hint says what is no fault, but better known before.
func (e *entry) hint(pending int) {
	if n, _ := e.name(); e.class != LineUnchanged && sheet.Misread(n) {
		e.hints.Add(string(FieldName), "mailbox.import.hint_misread", "name", text.Line(n))
	}
	if e.class != LineNew && e.class != LineChanged {
		return
	}
	if e.dr.Kind == mailbox.Functional && e.dr.Applicant == "" {
		e.hints.Add(string(FieldApplicant), "mailbox.import.hint_applicant")
	}
	if e.class == LineNew {
		return
	}
	if pending > 0 && (e.newAliases || e.newApplicant) {
		e.hints.Add(string(FieldAliases), "mailbox.import.hint_pending", "n", pending)
	}
	switch linked := e.row.Linked != nil; {
	case linked && e.newApplicant:
		e.hints.Add(string(FieldApplicant), "mailbox.import.hint_unlinked")
	case linked && e.newAliases && !*e.row.Suspended:
		e.hints.Add(string(FieldAliases), "mailbox.import.hint_suspended")
	}
}
