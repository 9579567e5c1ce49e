package earlier

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

// LineState is what will become of a line of an import.
type LineState string

const (
	LineNew        LineState = "new"        // it can be taken over
	LineUnassigned LineState = "unassigned" // it is not known whose it is
	LineKnown      LineState = "known"      // the portal has it
	LineFaulty     LineState = "faulty"     // it cannot be taken over
	LineApplied    LineState = "applied"    // it was taken over
)

// LineStates are all of them, in the order of the chips.
var LineStates = [...]LineState{LineNew, LineUnassigned, LineKnown, LineFaulty, LineApplied}

// Line is a certificate of an import, with what the plan found out.
type Line struct {
	Line        int
	Source      string // the file and the place in it
	DER         []byte
	Fault       string // why it cannot be taken over; of unassigned ones what is missing
	Address     string // what somebody said of its owner
	Holder      string
	Institution string
	Certificate *cert.ID // that it became, or that it is

	pki.Earlier
	State     LineState
	Reference string // of what it became, or of the same one in the portal
	Above     [][]byte
	Whole     bool // the chain leads to a root
	Expired   bool
	Row       *foundRow
	Account   *foundAccount
	Of        *foundOrganisation
}

// foundRow is an address row that a certificate may belong to.
type foundRow struct {
	Folded  string
	ID      mailbox.ID
	Name    string
	Primary org.Address
	Domain  org.Domain
	Linked  *person.ID
}

// foundAccount is an account that may hold one.
type foundAccount struct {
	ID       person.ID
	Name     string
	Email    string // folded, empty unless verified
	Username string // folded
}

// foundOrganisation is one whose certificate it may be.
type foundOrganisation struct {
	ID   org.OrganisationID
	Name string
}

// Plan returns an import and what applying it now would do with each line.
func (b *Book) Plan(ctx context.Context, by person.Actor, id ID) (i Import, lines []Line, err error) {
	if err := person.OfficersOnly(by); err != nil {
		return i, nil, err
	}
	rows, err := b.DB.Query(ctx, `select `+columns+` from `+tables+` where i.id = $1`, id)
	if err != nil {
		return i, nil, fmt.Errorf("read import %d: %w", id, err)
	}
	if i, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Import]); err != nil {
		return i, nil, postgres.Fault(err)
	}
	lines, err = b.plan(ctx, b.DB, b.Now(), id)
	return i, lines, err
}

// plan reads the lines and looks up what they are about, all of them at once.
func (b *Book) plan(ctx context.Context, q postgres.Querier, now time.Time, id ID) ([]Line, error) {
	lines, authorities, err := readLines(ctx, q, id)
	if err != nil {
		return nil, err
	}
	for i := range lines {
		b.read(&lines[i], now, authorities)
	}
	for _, look := range []func(context.Context, postgres.Querier, []Line) error{known, findRows, findAccounts, findOrganisations} {
		if err := look(ctx, q, lines); err != nil {
			return nil, fmt.Errorf("plan import %d: %w", id, err)
		}
	}
	for i := range lines {
		lines[i].judge()
	}
	return lines, nil
}

func readLines(ctx context.Context, q postgres.Querier, id ID) (lines []Line, authorities [][]byte, err error) {
	rows, err := q.Query(ctx, `select authorities from certificate_import where id = $1`, id)
	if err != nil {
		return nil, nil, fmt.Errorf("read import %d: %w", id, err)
	}
	if authorities, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[[][]byte]); err != nil {
		return nil, nil, postgres.Fault(err)
	}
	rows, err = q.Query(ctx, `select l.line, l.source, l.der, l.fault, l.address, l.holder, l.organisation, l.certificate, coalesce(c.reference, '')
		from certificate_import_line l left join certificate c on c.id = l.certificate where l.import = $1 order by l.line`, id)
	if err != nil {
		return nil, nil, fmt.Errorf("read lines of import %d: %w", id, err)
	}
	lines, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (l Line, err error) {
		return l, row.Scan(&l.Line, &l.Source, &l.DER, &l.Fault, &l.Address, &l.Holder, &l.Institution, &l.Certificate, &l.Reference)
	})
	return lines, authorities, err
}

// read takes the certificate apart; one of the portal's own authorities was not
// from before it.
func (b *Book) read(l *Line, now time.Time, authorities [][]byte) {
	if l.Fault != "" {
		return
	}
	var err error
	if l.Earlier, err = pki.ParseEarlier(l.DER); err != nil {
		l.Fault = fault.Of(err).ID
		return
	}
	l.Expired = now.After(l.NotAfter)
	if own, _, _ := pki.Above(l.DER, b.Own...); len(own) > 0 {
		l.Fault = "cert.import.own"
	}
	l.Above, l.Whole, _ = pki.Above(l.DER, authorities...)
}

// known marks what the portal has by issuer and serial, and what an earlier line
// already is.
func known(ctx context.Context, q postgres.Querier, lines []Line) error {
	var issuers, serials [][]byte
	first := map[[2]string]int{}
	for i := range lines {
		l := &lines[i]
		key := [2]string{string(l.Issuer), string(l.Serial)}
		if l.Fault != "" || l.Certificate != nil {
			continue
		}
		if _, twice := first[key]; twice {
			l.Fault = "cert.import.twice"
			continue
		}
		first[key] = i
		issuers, serials = append(issuers, l.Issuer), append(serials, l.Serial)
	}
	rows, err := q.Query(ctx, `select c.issuer, c.serial, c.id, c.reference from unnest($1::bytea[], $2::bytea[]) u (issuer, serial)
		join certificate c on c.issuer = u.issuer and c.serial = u.serial`, issuers, serials)
	if err != nil {
		return err
	}
	var issuer, serial []byte
	var id cert.ID
	var reference string
	_, err = pgx.ForEachRow(rows, []any{&issuer, &serial, &id, &reference}, func() error {
		l := &lines[first[[2]string{string(issuer), string(serial)}]]
		l.State, l.Reference = LineKnown, reference
		return nil
	})
	return err
}

// open tells whether it is still to be found out whose the line's certificate is.
func (l *Line) open() bool { return l.Fault == "" && l.Certificate == nil && l.State == "" }

// wanted are the addresses of which one must be the row's: the one somebody said,
// else those that the certificate names.
func (l *Line) wanted() (all []string) {
	names := l.Emails
	if l.Address != "" {
		names = []string{l.Address}
	}
	for _, n := range names {
		all = append(all, org.Address(n).Folded())
	}
	return all
}

// judge says what becomes of the line, and what is missing.
func (l *Line) judge() {
	switch {
	case l.Certificate != nil:
		l.State, l.Fault = LineApplied, ""
	case l.Fault != "":
		l.State = LineFaulty
	case l.State == LineKnown:
	default:
		if l.Fault = l.missing(); l.Fault != "" {
			l.State = LineUnassigned
			return
		}
		l.State = LineNew
	}
}

// What is missing to know whose a certificate is, as message ids.
const (
	noRow               = "cert.import.no_row"
	unknownHolder       = "cert.import.unknown_holder"
	noHolder            = "cert.import.no_holder"
	unknownOrganisation = "cert.import.unknown_organisation"
	noOrganisation      = "cert.import.no_organisation"
)

func (l *Line) missing() string {
	switch {
	case l.Server && l.Of == nil && l.Institution != "":
		return unknownOrganisation
	case l.Server && l.Of == nil:
		return noOrganisation
	case l.Server:
		return ""
	case l.Row == nil:
		return noRow
	case l.Account == nil && l.Holder != "":
		return unknownHolder
	case l.Account == nil:
		return noHolder
	}
	return ""
}

// each calls f for every line that is open and of the kind.
func each(lines []Line, server bool, f func(l *Line)) {
	for i := range lines {
		if l := &lines[i]; l.open() && l.Server == server {
			f(l)
		}
	}
}

func collectWords(lines []Line, server bool, words func(l *Line) []string) []string {
	all := []string{}
	each(lines, server, func(l *Line) { all = append(all, words(l)...) })
	slices.Sort(all)
	return slices.Compact(all)
}
