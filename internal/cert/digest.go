package cert

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/web/paths"
)

// WantsDigest tells whether by hears once a week which certificates of their
// e-mail domains end, and how many links there want a look.
func (b *Book) WantsDigest(ctx context.Context, by person.Actor) (wants bool, err error) {
	err = b.DB.QueryRow(ctx, `select exists (select from digest where account = $1)`, by.Account).Scan(&wants)
	if err != nil {
		return false, fmt.Errorf("look for the digest of account %d: %w", by.Account, err)
	}
	return wants, nil
}

// SetDigest begins or ends it, for those who look after an e-mail domain; what
// is so already stays so. The first one comes on the next Monday.
func (b *Book) SetDigest(ctx context.Context, by person.Actor, wants bool) error {
	may, err := b.Mailbox.Org.Sections(ctx, by)
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

// digestBatch is how many digests one transaction writes.
const digestBatch = 100

// digestReader is somebody whose digest is due.
type digestReader struct {
	Account  person.ID
	Email    string
	Language string
}

// digestLine is a certificate that ends in a domain of the account.
type digestLine struct {
	Account  person.ID
	Address  string
	Holder   string
	NotAfter time.Time
	Total    int
}

// SendDigests writes those that are due, one letter for each reader, however
// many weeks were missed; who has nothing to hear gets none.
func (b *Book) SendDigests(ctx context.Context) error {
	for n := digestBatch; n == digestBatch; {
		err := b.DB.Tx(ctx, func(tx pgx.Tx) (err error) {
			n, err = b.sendDigests(ctx, tx)
			return err
		})
		if err != nil {
			return fmt.Errorf("send digests: %w", err)
		}
	}
	return nil
}

func (b *Book) sendDigests(ctx context.Context, tx pgx.Tx) (int, error) {
	now := b.Now()
	rows, err := tx.Query(ctx, `
		with d as (
			update digest set next = @next where account in (
				select account from digest where next <= @now order by next, account limit @batch for update skip locked)
			returning account)
		select d.account, case when a.locked is null then `+LettersTo+` else '' end as email, a.language
		from d join account a on a.id = d.account order by d.account`,
		pgx.NamedArgs{"next": nextMonday(now), "now": now, "batch": digestBatch})
	if err != nil {
		return 0, err
	}
	readers, err := pgx.CollectRows(rows, pgx.RowToStructByName[digestReader])
	if err != nil {
		return 0, err
	}
	lines, err := b.digestLines(ctx, tx, now, readers)
	if err != nil {
		return 0, err
	}
	doubts, err := digestDoubts(ctx, tx, readers)
	if err != nil {
		return 0, err
	}
	for _, r := range readers {
		some := lines[r.Account]
		if len(some) == 0 && doubts[r.Account] == 0 || r.Email == "" {
			continue
		}
		w := mail.DigestWords{Reader: mail.Reader{To: r.Email, Lang: r.Language}, Days: b.days()[0], Doubtful: doubts[r.Account], Link: b.Base + paths.EmailDomains}
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

// digestLines are what each reader hears of: the first of what ends before the
// earliest reminder's time is over, and how many there are.
func (b *Book) digestLines(ctx context.Context, tx pgx.Tx, now time.Time, readers []digestReader) (map[person.ID][]digestLine, error) {
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
			where a.id = any(@ids) and c.revoked is null and c.revoking is null and c.not_after > @now and c.not_after <= @until and not `+renewed+`) l
		where n <= @most order by account, n`,
		pgx.NamedArgs{"ids": ids, "now": now, "until": now.AddDate(0, 0, b.days()[0]), "most": mail.MostEnding})
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[digestLine])
	if err != nil {
		return nil, err
	}
	of := map[person.ID][]digestLine{}
	for _, l := range all {
		of[l.Account] = append(of[l.Account], l)
	}
	return of, nil
}

// digestDoubts are how many rows of their domains have a doubtful link, for each
// reader.
func digestDoubts(ctx context.Context, tx pgx.Tx, readers []digestReader) (map[person.ID]int, error) {
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
	doubts := map[person.ID]int{}
	var id person.ID
	var n int
	_, err = pgx.ForEachRow(rows, []any{&id, &n}, func() error { doubts[id] = n; return nil })
	return doubts, err
}
