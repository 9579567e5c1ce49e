package compromise

import (
	"context"
	"fmt"
	netmail "net/mail"
	"net/netip"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/text"
	"petschaft/web/paths"
)

const (
	mostReports  = 100  // shown at once
	mostCounted  = 1000 // counted
	longestWords = 4000 // characters
)

// Reasons are those for which anybody may report a certificate.
func Reasons() []pki.Reason {
	return []pki.Reason{pki.KeyCompromise, pki.PrivilegeWithdrawn, pki.AffiliationChanged, pki.Unspecified}
}

// Telling is what somebody reports, as typed.
type Telling struct {
	Sought
	Reason pki.Reason
	Words  string
	Email  string // where to ask; may be empty
}

// Report is something for the officers to look at.
type Report struct {
	ID          int64
	Reference   string
	Key         Digest
	Certificate *cert.ID
	Called      string // the certificate's reference number, "" where it is not known here
	Server      bool
	Nobodys     bool
	Word        bool // of a holder or a contact: about the other certificates of their key
	Reason      int16
	Words       string
	Email       string
	ByName      string // who was signed in
	Created     time.Time
	Due         time.Time
	Ended       *time.Time
	EndedByName string
	Answer      string
	Fell        bool // with its key
}

const reportColumns = `r.id, r.reference, r.key, r.certificate, coalesce(c.reference, '') as called,
	coalesce(c.organisation, c.meant_organisation) is not null as server, c.unexpected is not null as nobodys, r.word, r.reason, r.words, r.email,
	coalesce(a.label, '') as by_name, r.created, r.due, r.ended, coalesce(e.label, '') as ended_by_name, r.answer, r.fell`

const reportTables = `key_report r left join certificate c on c.id = r.certificate left join account a on a.id = r.account left join account e on e.id = r.ended_by`

// reports are those for which SQL holds, what is due first.
func (b *Book) reports(ctx context.Context, by person.Actor, where string, args pgx.NamedArgs) ([]Report, error) {
	if err := person.OfficersOnly(by); err != nil {
		return nil, err
	}
	rows, err := b.DB.Query(ctx, `select `+reportColumns+` from `+reportTables+` where `+where+`
		order by r.ended desc nulls first, r.due, r.id limit @limit`, args)
	if err != nil {
		return nil, fmt.Errorf("list reports: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Report])
}

// OpenReports returns to a registration officer what is to be looked at, what is due
// first, at most 100.
func (b *Book) OpenReports(ctx context.Context, by person.Actor) ([]Report, error) {
	return b.reports(ctx, by, `r.ended is null`, pgx.NamedArgs{"limit": mostReports})
}

// Waiting is how many reports are to be looked at, each number at most 1,000.
type Waiting struct {
	Overdue, Open int       // Open ones still have time
	Since         time.Time // when the first of those was due that are overdue
	Due           time.Time // when the first of the others is
}

// Waiting counts for a registration officer.
func (b *Book) Waiting(ctx context.Context, by person.Actor) (w Waiting, err error) {
	if err := person.OfficersOnly(by); err != nil {
		return w, err
	}
	err = b.DB.QueryRow(ctx, `with late as (select due from key_report where ended is null and due < @now order by due limit @most),
			open as (select due from key_report where ended is null and due >= @now order by due limit @most)
		select (select count(*)::int from late), (select count(*)::int from open), coalesce((select min(due) from late), @now), coalesce((select min(due) from open), @now)`,
		pgx.NamedArgs{"now": b.Now(), "most": mostCounted}).Scan(&w.Overdue, &w.Open, &w.Since, &w.Due)
	if err != nil {
		return w, fmt.Errorf("count reports: %w", err)
	}
	return w, nil
}

// Answered are the reports that were answered last.
func (b *Book) Answered(ctx context.Context, by person.Actor) ([]Report, error) {
	return b.reports(ctx, by, `r.ended is not null`, pgx.NamedArgs{"limit": 20})
}

// OneReport returns a report to a registration officer.
func (b *Book) OneReport(ctx context.Context, by person.Actor, id int64) (Report, error) {
	all, err := b.reports(ctx, by, `r.id = @id`, pgx.NamedArgs{"id": id, "limit": 1})
	if err == nil && len(all) == 0 {
		err = fault.New(fault.Missing, "fault.missing")
	}
	if err != nil {
		return Report{}, err
	}
	return all[0], nil
}

// MayAnswer tells whether a report still waits.
func MayAnswer(r Report) error {
	if r.Ended != nil {
		return fault.New(fault.Conflict, "compromise.report.answered")
	}
	return nil
}

// Answer ends a report with what came of it; nothing falls by this.
func (b *Book) Answer(ctx context.Context, by person.Actor, id int64, answer string) error {
	if err := person.OfficersOnly(by); err != nil {
		return err
	}
	var bad fault.Fields
	if answer = text.Lines(answer); answer == "" {
		bad.Add("answer", "field.required")
	} else if pki.HoldsPrivateKey([]byte(answer)) {
		bad.Add("answer", pki.ErrPrivateKey.ID)
	} else if utf8.RuneCountInString(answer) > longestNote {
		bad.Add("answer", "field.too_long", "max", longestNote)
	}
	if err := bad.Err(); err != nil {
		return err
	}
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		now := b.Now()
		_, err := person.Once(ctx, tx, by, now, func() (cert.ID, error) { return 0, b.answer(ctx, tx, now, by, id, answer) })
		return err
	})
}

func (b *Book) answer(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, id int64, answer string) error {
	var reference string
	err := tx.QueryRow(ctx, `with u as (update key_report set ended = @now, ended_by = @by, answer = @answer where id = @id and ended is null returning reference)
		select coalesce((select reference from u), '')`, pgx.NamedArgs{"id": id, "now": now, "by": by.Account, "answer": answer}).Scan(&reference)
	if err != nil {
		return fmt.Errorf("answer report %d: %w", id, err)
	}
	if reference == "" {
		return fault.New(fault.Conflict, "compromise.report.answered")
	}
	return b.noteReport(ctx, tx, now, by.Who(), id, "compromise.answered", audit.Detail{"reference": reference, "comment": answer})
}

// Report makes a task of officers, due within ReportLife, of what anybody says about a
// certificate, and writes to them, at most once an hour. It revokes nothing. by is whoever is signed in, if
// anybody is. It returns the report's reference number.
func (b *Book) Report(ctx context.Context, by person.Actor, from netip.Addr, in Telling) (reference string, err error) {
	if err := b.tried(ctx, by, from); err != nil {
		return "", err
	}
	if err := in.check(); err != nil {
		return "", err
	}
	f, err := in.find(ctx, b.DB)
	if err != nil {
		return "", err
	}
	return reference, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		now := b.Now()
		if err := written(ctx, tx, now, reports, by, from); err != nil {
			return err
		}
		reference = text.NewReference()
		return b.report(ctx, tx, now, by, from, reference, in, f)
	})
}

func (in *Telling) check() error {
	var bad fault.Fields
	if !slices.Contains(Reasons(), in.Reason) {
		bad.Add("reason", "field.required")
	}
	if in.Words = text.Lines(in.Words); in.Words == "" {
		bad.Add("words", "field.required")
	} else if pki.HoldsPrivateKey([]byte(in.Words)) {
		bad.Add("words", pki.ErrPrivateKey.ID)
	} else if utf8.RuneCountInString(in.Words) > longestWords {
		bad.Add("words", "field.too_long", "max", longestWords)
	}
	if in.Email = text.Line(in.Email); in.Email != "" {
		if a, err := netmail.ParseAddress(in.Email); err != nil || a.Name != "" || len(in.Email) > 254 {
			bad.Add("email", "compromise.report.email")
		}
	}
	return bad.Err()
}

func (b *Book) report(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, from netip.Addr, reference string, in Telling, f found) error {
	var id int64
	var account *person.ID
	if by.Account != 0 {
		account = &by.Account
	}
	due := now.Add(ReportLife)
	err := tx.QueryRow(ctx, `insert into key_report (reference, key, certificate, word, reason, words, email, account, created, due)
			values (@reference, @key, @certificate, false, @reason, @words, @email, @account, @now, @due) returning id`, pgx.NamedArgs{
		"reference": reference, "key": f.key[:], "certificate": f.certificate, "reason": int16(in.Reason), "words": in.Words, "email": in.Email,
		"account": account, "now": now, "due": due,
	}).Scan(&id)
	if err != nil {
		return fmt.Errorf("report a certificate: %w", err)
	}
	who := by.Who()
	who.From = netip.Addr{} // that is forgotten after a week, and an audit line is for good
	if err := b.noteReport(ctx, tx, now, who, id, "compromise.reported", audit.Detail{"reference": reference, "reason": int(in.Reason)}); err != nil {
		return err
	}
	return b.tellReports(ctx, tx, now, &mail.KeyReportWords{
		Reference: reference, Compromise: in.Reason == pki.KeyCompromise, By: by.Name, Due: due, Link: b.Cert.Base + paths.OfficeReport(id),
	})
}
