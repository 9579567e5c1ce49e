// Package digest writes once a week, to those who asked for it, which certificates
// of their e-mail domains end and how many links there want a look. It decides who
// may ask, when the letter comes and what it names; never whether a certificate has
// a successor (cert does) nor who looks after a domain (org does).
package digest

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
	"petschaft/internal/queue"
	"petschaft/web/paths"
)

// Book keeps who wants digests, and sends them.
type Book struct {
	DB     *postgres.DB
	Org    *org.Book
	Cert   *cert.Book
	Outbox *mail.Outbox
	Now    func() time.Time
	Base   string
}

type args struct{}

// Kind names the room that digests came from: jobs of the version before are queued under it.
func (args) Kind() string { return "cert_digest" }

// Jobs registers that digests are written and returns when: every hour it looks for
// those that are due, so that what a night missed is caught up.
func (b *Book) Jobs(w *river.Workers) []queue.Task {
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[args]) error { return b.Send(ctx) }))
	return []queue.Task{queue.Every(time.Hour, args{})}
}

// Wants tells whether by hears once a week which certificates of their
// e-mail domains end, and how many links there want a look.
func (b *Book) Wants(ctx context.Context, by person.Actor) (wants bool, err error) {
	err = b.DB.QueryRow(ctx, `select exists (select from digest where account = $1)`, by.Account).Scan(&wants)
	if err != nil {
		return false, fmt.Errorf("look for the digest of account %d: %w", by.Account, err)
	}
	return wants, nil
}

// Set begins or ends it, for those who look after an e-mail domain; what
// is so already stays so. The first one comes on the next Monday.
func (b *Book) Set(ctx context.Context, by person.Actor, wants bool) error {
	may, err := b.Org.Sections(ctx, by)
	if err != nil {
		return err
	}
	if wants && !may.Domains {
		return fault.New(fault.Denied, "mailbox.section_closed")
	}
	return b.DB.Tx(ctx, func(tx pgx.Tx) error {
		sql, action := `delete from digest where account = @account`, "cert.digest_ended"
		if wants {
			sql, action = `insert into digest (account, next) values (@account, @next) on conflict do nothing`, "cert.digest_begun"
		}
		now := b.Now()
		tag, err := tx.Exec(ctx, sql, pgx.NamedArgs{"account": by.Account, "next": nextMonday(now)})
		if err != nil {
			return fmt.Errorf("set digest of account %d: %w", by.Account, err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		return audit.Write(ctx, tx, audit.Line{Who: by.Who(), At: now, Action: action, About: []audit.Thing{by.Account.Thing()}})
	})
}

// nextMonday is the Monday after now, five o'clock UTC: early in the morning of
// those who read it.
func nextMonday(now time.Time) time.Time {
	day := time.Date(now.Year(), now.Month(), now.Day(), 5, 0, 0, 0, time.UTC)
	day = day.AddDate(0, 0, (int(time.Monday)-int(day.Weekday())+7)%7)
	if !day.After(now) {
		day = day.AddDate(0, 0, 7)
	}
	return day
}

// batch is how many digests one transaction writes.
const batch = 100

// reader is somebody whose digest is due.
type reader struct {
	Account  person.ID
	Email    string
	Language string
}

// line is a certificate that ends in a domain of the account.
type line struct {
	Account  person.ID
	Address  string
	Holder   string
	NotAfter time.Time
	Total    int
}

// Send writes those that are due, one letter for each reader, however
// many weeks were missed; who has nothing to hear gets none.
func (b *Book) Send(ctx context.Context) error {
	for n := batch; n == batch; {
		err := b.DB.Tx(ctx, func(tx pgx.Tx) (err error) {
			n, err = b.send(ctx, tx)
			return err
		})
		if err != nil {
			return fmt.Errorf("send digests: %w", err)
		}
	}
	return nil
}

func (b *Book) send(ctx context.Context, tx pgx.Tx) (int, error) {
	now := b.Now()
	rows, err := tx.Query(ctx, `
		with d as (
			update digest set next = @next where account in (
				select account from digest where next <= @now order by next, account limit @batch for update skip locked)
			returning account)
		select d.account, case when a.locked is null then `+cert.LettersTo+` else '' end as email, a.language
		from d join account a on a.id = d.account order by d.account`,
		pgx.NamedArgs{"next": nextMonday(now), "now": now, "batch": batch})
	if err != nil {
		return 0, err
	}
	readers, err := pgx.CollectRows(rows, pgx.RowToStructByName[reader])
	if err != nil {
		return 0, err
	}
	ending, err := b.lines(ctx, tx, now, readers)
	if err != nil {
		return 0, err
	}
	doubtful, err := doubts(ctx, tx, readers)
	if err != nil {
		return 0, err
	}
	for _, r := range readers {
		some := ending[r.Account]
		if len(some) == 0 && doubtful[r.Account] == 0 || r.Email == "" {
			continue
		}
		w := mail.DigestWords{Reader: mail.Reader{To: r.Email, Lang: r.Language}, Days: b.Cert.FirstReminder(), Doubtful: doubtful[r.Account], Link: b.Base + paths.EmailDomains}
		for _, l := range some {
			w.More = l.Total - len(some)
			w.Certificates = append(w.Certificates, mail.DigestLine{Address: l.Address, Holder: l.Holder, Until: l.NotAfter})
		}
		if err := b.Outbox.Post(ctx, tx, w); err != nil {
			return 0, err
		}
	}
	return len(readers), nil
}

// lines are what each reader hears of: the first of what ends before the
// earliest reminder's time is over, and how many there are.
func (b *Book) lines(ctx context.Context, tx pgx.Tx, now time.Time, readers []reader) (map[person.ID][]line, error) {
	ids := make([]person.ID, len(readers))
	for i, r := range readers {
		ids[i] = r.Account
	}
	rows, err := tx.Query(ctx, `
		select account, address, holder, not_after, total from (
			select a.id as account, r.primary_address as address, h.label as holder, c.not_after,
				count(*) over (partition by a.id)::int as total, row_number() over (partition by a.id order by c.not_after, c.id) as n
			from account a join email_domain d on `+org.LooksAfter+`
				join address_row r on r.domain = d.id join certificate c on c.row_id = r.id join account h on h.id = c.account
			where a.id = any(@ids) and c.revoked is null and c.revoking is null and not c.unwanted and c.not_after > @now and c.not_after <= @until and not `+cert.Renewed+`) l
		where n <= @most order by account, n`,
		pgx.NamedArgs{"ids": ids, "now": now, "until": now.AddDate(0, 0, b.Cert.FirstReminder()), "most": mail.MostEnding})
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[line])
	if err != nil {
		return nil, err
	}
	of := map[person.ID][]line{}
	for _, l := range all {
		of[l.Account] = append(of[l.Account], l)
	}
	return of, nil
}

// doubts are how many rows of their domains have a doubtful link, for each
// reader.
func doubts(ctx context.Context, tx pgx.Tx, readers []reader) (map[person.ID]int, error) {
	ids := make([]person.ID, len(readers))
	for i, r := range readers {
		ids[i] = r.Account
	}
	rows, err := tx.Query(ctx, `
		select a.id, count(*)::int from account a join email_domain d on `+org.LooksAfter+`
			join address_row r on r.domain = d.id and r.doubtful
		where a.id = any($1) group by a.id`, ids)
	if err != nil {
		return nil, err
	}
	of := map[person.ID]int{}
	var id person.ID
	var n int
	_, err = pgx.ForEachRow(rows, []any{&id, &n}, func() error { of[id] = n; return nil })
	return of, err
}
