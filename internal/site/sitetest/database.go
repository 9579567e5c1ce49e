package sitetest

import (
	"strings"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/mailbox"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// Count is a number that the database tells.
func (r *Rig) Count(sql string, args ...any) (n int) {
	r.T.Helper()
	trial.Must(0, r.Pool.QueryRow(r.T.Context(), sql, args...).Scan(&n))
	return n
}

// Dump is everything that the tables of the portal hold.
func (r *Rig) Dump() string {
	r.T.Helper()
	var all strings.Builder
	for _, table := range []string{"application", "certificate", "audit_line", "sessions", "river_job", "letter"} {
		var rows string
		trial.Must(0, r.Pool.QueryRow(r.T.Context(), `select coalesce(string_agg(x::text, ' '), '') || ' ' ||
			coalesce(string_agg(encode(convert_to(x::text, 'UTF8'), 'escape'), ' '), '') from `+table+` x`).Scan(&rows))
		all.WriteString(rows)
	}
	return all.String()
}

// Fail makes every statement on a table fail, as a broken database would.
func (r *Rig) Fail(table string) {
	r.T.Helper()
	if _, err := r.Pool.Exec(r.T.Context(), `alter table `+table+` rename to hidden_`+table); err != nil {
		r.T.Fatal(err)
	}
}

// Recorded is a certificate that somebody had of the row before, as changed.
func (r *Rig) Recorded(sub string, row mailbox.ID, change ...func(*cert.Issuance)) (id cert.ID) {
	r.T.Helper()
	r.recorded++
	signed := trial.Must(campus.Signed(r.T.Context(), r.CA, pki.Request{
		Intent: 1<<40 + r.recorded, Profile: pki.MailPersonal, Key: trial.Must(pki.NewKey(ECKey().Public())), CommonName: People[sub], Surname: People[sub],
		Emails: []string{"ada.adler@uni.example"}, Serial: pki.NewSerial(), NotBefore: pki.NotBefore(r.Clock.Now()),
	}))
	i := cert.Issuance{
		Reference: "FRUEHER" + strings.Repeat("R", int(r.recorded-1)), Authority: "mail", Account: r.Actors[sub].Account, Holder: People[sub], Row: row, Certificate: signed,
	}
	for _, f := range change {
		f(&i)
	}
	trial.Must(0, r.DB.Tx(r.T.Context(), func(tx pgx.Tx) (err error) {
		id, err = r.Cert.Record(r.T.Context(), tx, r.Clock.Now(), i)
		return err
	}))
	return id
}

// Everything stands for what all tables of the portal hold, but those of sessions,
// languages and kept forms: it changes with whatever is written.
func (r *Rig) Everything() (sum string) {
	r.T.Helper()
	if r.tables == "" {
		trial.Must(0, r.Pool.QueryRow(r.T.Context(), `select string_agg(format('select %L as t, count(*) as n, coalesce(sum(hashtextextended(x::text, 0)), 0) as h from %I x', relname, relname), ' union all ')
			from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and relname not in ('sessions', 'login', 'draft', 'account')
				and relname not like 'river%'`).Scan(&r.tables))
	}
	trial.Must(0, r.Pool.QueryRow(r.T.Context(), `select string_agg(t || ' ' || n || ' ' || h, E'\n' order by t) from (`+r.tables+`) x`).Scan(&sum))
	return sum
}
