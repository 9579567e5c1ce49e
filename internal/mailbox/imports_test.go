package mailbox_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"petschaft/internal/fault"
	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/trial"
)

// importer walks with files too: a model of rows is what a file is held against,
// so this test of the room on the left stands here.
type importer struct {
	*walker
	imports *imports.Book
}

func newImporter(t *testing.T, seed uint64) *importer {
	t.Helper()
	m := newWalker(t, seed)
	return &importer{walker: m, imports: &imports.Book{DB: m.db, Mailbox: m.Book, Queue: m.Queue, Now: m.Now}}
}

// plan uploads a file and makes its plan.
func (m *importer) plan(by person.Actor, domain, file string) imports.Import {
	m.t.Helper()
	ctx := m.t.Context()
	id := trial.Must(m.imports.Upload(ctx, by, domain, "Liste.csv", strings.NewReader(file)))
	m.ok(m.t, m.imports.Plan(ctx, by, domain, id, trial.Must(m.imports.One(ctx, by, domain, id)).Recognised()))
	im := m.work(by, domain, id)
	if im.State != imports.Planned {
		m.t.Fatalf("got state %s (%s), want planned", im.State, im.Trouble)
	}
	return im
}

// apply applies a plan, typing the number that is asked for.
func (m *importer) apply(by person.Actor, im imports.Import) imports.Import {
	m.t.Helper()
	trial.Must(m.imports.Apply(m.t.Context(), by, string(im.DomainName), im.ID, im.Changed))
	return m.work(by, string(im.DomainName), im.ID)
}

// work lets the job do what was ordered.
func (m *importer) work(by person.Actor, domain string, id imports.ID) imports.Import {
	m.t.Helper()
	m.ok(m.t, m.imports.Work(m.t.Context(), id))
	return trial.Must(m.imports.One(m.t.Context(), by, domain, id))
}

// refLine is a line of a random file, as somebody would type it by hand.
type refLine struct {
	line  int
	in    mailbox.Input
	row   *refRow // as it is, nil: a new one
	alone error   // what doing it by hand, alone, says
}

// TestAPlanSaysWhatDoingItByHandWouldSay walks a random world, makes random
// files for it and compares each line's verdict with Add and Edit.
func TestAPlanSaysWhatDoingItByHandWouldSay(t *testing.T) {
	t.Parallel()
	seed := number(t, "PETSCHAFT_SEED", rand.Uint64())
	t.Logf("repeat with PETSCHAFT_SEED=%d", seed)
	m := newImporter(t, seed)
	seen := map[string]int{}
	for round := range int(number(t, "PETSCHAFT_IMPORT_ROUNDS", 40)) {
		for range 40 {
			m.clock.Advance(time.Duration(m.rnd.IntN(90)) * time.Second)
			m.w.now = m.Now()
			m.act()
		}
		domain := m.domain()
		lines := m.file(domain)
		m.compareImport(round, domain, m.keeper(domain), lines, seen)
		if t.Failed() {
			t.Fatalf("seed %d, round %d", seed, round)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(seen)) {
		t.Logf("%5d %s", seen[k], k)
	}
}

// file is a random file for a domain: some lines for rows there are, some new.
func (m *walker) file(domain string) []refLine {
	var lines []refLine
	used := map[string]bool{}
	for range 2 + m.rnd.IntN(7) {
		in := m.input(domain)
		if len(in.Aliases) > 0 && m.rnd.IntN(3) == 0 {
			in.Aliases = in.Aliases[:1]
		}
		key := strings.ToLower(in.Primary)
		if used[key] {
			continue
		}
		used[key] = true
		l := refLine{line: len(lines) + 2, in: in}
		for _, id := range m.ids {
			r := m.w.rows[id]
			if !strings.EqualFold(r.primary, in.Primary) {
				continue
			}
			l.row = r
			if m.rnd.IntN(4) > 0 { // mostly only a little changes
				l.in = r.input()
				l.in.Primary, l.in.Comment = in.Primary, in.Comment
				switch m.rnd.IntN(4) {
				case 0, 1:
					l.in.Aliases = in.Aliases
				case 2:
					l.in.Name = in.Name
				}
			}
		}
		lines = append(lines, l)
	}
	return lines
}

func (r *refRow) input() mailbox.Input {
	return mailbox.Input{Kind: r.kind, Name: r.name, Primary: r.primary, Aliases: r.aliases, Applicant: r.applicant, Comment: r.comment}
}

func csv(lines []refLine) string {
	var b strings.Builder
	b.WriteString("Anzeigename;Primäre E-Mail;Alias 1;Alias 2;Postfachtyp;Antragsteller;Kommentar\n")
	for _, l := range lines {
		a := append(slices.Clone(l.in.Aliases), "", "")
		fmt.Fprintf(&b, "\"%s\";%s;%s;%s;%s;%s;\"%s\"\n", l.in.Name, l.in.Primary, a[0], a[1], l.in.Kind, l.in.Applicant, l.in.Comment)
	}
	return b.String()
}

func (m *importer) compareImport(round int, domain string, by person.Actor, lines []refLine, seen map[string]int) {
	t := m.t
	before := map[int]mailbox.Input{}
	for i, l := range lines {
		if l.row != nil {
			before[l.line] = l.row.input()
		}
		if l.row == nil {
			lines[i].alone = mailbox.TryAdd(t.Context(), m.Book, by, domain, l.in)
		} else {
			lines[i].alone = mailbox.TryEdit(t.Context(), m.Book, by, domain, l.row.id, l.in)
		}
	}
	im := m.plan(by, domain, csv(lines))
	verdict := map[int]imports.Line{}
	for _, c := range imports.Classes {
		for _, l := range trial.Must(m.imports.Lines(t.Context(), im, c, 0, 100)) {
			verdict[l.Line] = l
		}
	}
	for _, l := range lines {
		v := verdict[l.line]
		good := v.Class != imports.LineFaulty
		others := m.met(l, lines)
		seen[fmt.Sprintf("%s, by hand %q, meets others: %v", v.Class, said(l.alone), others)]++
		if v.Class == imports.LineUnchanged && l.alone != nil && onlyAddresses(l.alone) {
			continue // what is there stays, though it could not be entered again
		}
		if !others && good != (l.alone == nil) || good && l.alone != nil && !onlyAddresses(l.alone) {
			t.Errorf("round %d, line %d %+v\ngot %s %s, but by hand %v\n%s", round, l.line, l.in, v.Class, fields(v.Faults), l.alone, csv(lines))
		}
	}
	if im.New+im.Changed > 0 {
		if im = m.apply(by, im); im.State != imports.Applied {
			t.Errorf("round %d: got state %s (%s) at once after the plan\n%s", round, im.State, im.Trouble, csv(lines))
		}
		m.reload()
	}
	for _, l := range lines {
		m.compareAfter(round, domain, by, l, verdict)
	}
	m.CountsAreTrue(t)
	if im.State == imports.Applied && m.rnd.IntN(2) == 0 {
		seen["undone"]++
		m.ok(t, m.imports.Undo(t.Context(), by, domain, im.ID))
		im = m.work(by, domain, im.ID)
		for _, l := range trial.Must(m.imports.Stays(t.Context(), im, 0, 100)) {
			seen["stays"]++
			if err := mailbox.TryEdit(t.Context(), m.Book, by, domain, l.Row, before[l.Line]); err == nil {
				t.Errorf("round %d: line %d stays (%s), but can be undone by hand", round, l.Line, l.Stays)
			}
		}
		m.CountsAreTrue(t)
		m.reload()
	}
}

// met tells whether another line wants an address of l, or the row of another
// line has one.
func (m *walker) met(l refLine, lines []refLine) bool {
	mine := fold(append([]string{l.in.Primary}, l.in.Aliases...)...)
	for _, o := range lines {
		if o.line == l.line {
			continue
		}
		theirs := fold(append([]string{o.in.Primary}, o.in.Aliases...)...)
		if o.row != nil {
			theirs = append(theirs, o.row.addresses()...)
		}
		if slices.ContainsFunc(mine, func(a string) bool { return slices.Contains(theirs, a) }) {
			return true
		}
	}
	return false
}

// onlyAddresses tells whether only other rows' addresses stand in the way.
func onlyAddresses(err error) bool {
	return !slices.ContainsFunc(fault.Of(err).Fields, func(f fault.Field) bool {
		return f.ID != "mailbox.address.taken" && f.ID != "mailbox.address.held"
	})
}

// compareAfter: a good line is in the portal now, a faulty one is refused by
// hand too.
func (m *importer) compareAfter(round int, domain string, by person.Actor, l refLine, verdict map[int]imports.Line) {
	t, v := m.t, verdict[l.line]
	var err error
	switch {
	case v.Class == imports.LineFaulty && l.row == nil:
		err = mailbox.TryAdd(t.Context(), m.Book, by, domain, l.in)
	case v.Class == imports.LineFaulty:
		err = mailbox.TryEdit(t.Context(), m.Book, by, domain, l.row.id, l.in)
	default:
		row, err := m.Row(t.Context(), by, domain, v.Row)
		m.ok(t, err)
		got := fmt.Sprint(row.Kind, row.Name, fold(string(row.Primary)), sorted(strs(row)), fold(string(row.Applicant)), row.Comment)
		applicant := l.in.Applicant
		if l.in.Kind == mailbox.Personal {
			applicant = ""
		}
		want := fmt.Sprint(l.in.Kind, l.in.Name, fold(l.in.Primary), sorted(fold(l.in.Aliases...)), fold(applicant), l.in.Comment)
		if got != want {
			t.Errorf("round %d, line %d: got the row %s, want %s", round, l.line, got, want)
		}
		return
	}
	lost := slices.ContainsFunc(v.Faults, func(f fault.Field) bool { // against a line that was refused itself
		var winner int
		if f.ID == "mailbox.import.claimed" {
			fmt.Sscan(fmt.Sprint(f.Args[1]), &winner)
		}
		return verdict[winner].Class == imports.LineFaulty
	})
	if err == nil && !lost {
		t.Errorf("round %d, line %d %+v\ngot faulty %s, but after the import it can be done by hand", round, l.line, l.in, fields(v.Faults))
	}
}

func strs(r mailbox.Row) (all []string) {
	for _, a := range r.Aliases {
		all = append(all, a.Folded())
	}
	return all
}

// reload takes what the import wrote into the model, so that the walk goes on.
func (m *walker) reload() {
	rows, err := m.db.Query(m.t.Context(), `select id, domain, kind, name, primary_address, aliases, applicant, comment, version from address_row order by id`)
	m.ok(m.t, err)
	defer rows.Close()
	there := map[mailbox.ID]bool{}
	for rows.Next() {
		r := &refRow{active: true}
		var d int64
		var version int64
		m.ok(m.t, rows.Scan(&r.id, &d, &r.kind, &r.name, &r.primary, &r.aliases, &r.applicant, &r.comment, &version))
		there[r.id] = true
		old := m.w.rows[r.id]
		if old == nil {
			r.domain, r.version = domainOf(r.primary), version
			m.w.rows[r.id] = r
			m.ids = append(m.ids, r.id)
			continue
		}
		in := mailbox.Input{Kind: r.kind, Name: r.name, Applicant: r.applicant, Comment: r.comment}
		newApplicant := !strings.EqualFold(old.applicant, r.applicant)
		old.become(in, r.aliases)
		if old.version = version; newApplicant {
			old.end("invalidated", mailbox.Invalidated)
			old.link = nil
		}
	}
	for id := range m.w.rows {
		if !there[id] {
			delete(m.w.rows, id)
			m.ids = slices.DeleteFunc(m.ids, func(x mailbox.ID) bool { return x == id })
		}
	}
}

func fields(fs []fault.Field) string {
	s := ""
	for _, f := range fs {
		s += " " + f.Name + ":" + strings.TrimPrefix(f.ID, "mailbox.")
	}
	return s
}
