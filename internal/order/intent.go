package order

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/pki"
)

// intent is what an authority is asked for: as written before the first call.
type intent struct {
	ID          ID
	Reference   string
	RowID       mailbox.ID
	Account     person.ID
	Holder      string
	HolderEmail string
	State       State
	SPKI        []byte
	Profile     string
	CommonName  string
	GivenName   string
	Surname     string
	pki.Sponsor
	Emails      []string
	Serial      []byte
	NotBefore   *time.Time
	Certificate *cert.ID
	Reason      string
	Compromised bool // its key, by a revocation
	Elsewhere   bool // somebody else has a certificate for its key
	Locked      bool // the applicant's account
}

// request is what the authority is asked for. A fault says why it may not be
// asked: a name that the provider does not know, say.
func (i intent) request() (pki.Request, error) {
	key, err := pki.ReadKey(i.SPKI)
	if err != nil {
		return pki.Request{}, err
	}
	if i.Profile == string(pki.MailPersonal) && i.GivenName == "" && i.Surname == "" { // S/MIME BR 7.1.4.2.5; today's profiles ask themselves
		return pki.Request{}, fault.New(fault.Invalid, "pki.request.no_name")
	}
	r := pki.Request{
		Intent: int64(i.ID), Profile: pki.ProfileID(i.Profile), Key: key, CommonName: i.CommonName,
		GivenName: i.GivenName, Surname: i.Surname, Sponsor: i.Sponsor, Emails: i.Emails, Serial: i.Serial, NotBefore: *i.NotBefore,
	}
	return r, r.Check()
}

const intentQuery = `select p.id, p.reference, p.row_id, p.account, a.label as holder,
	a.verified_email as holder_email, p.state, p.spki, p.profile, p.common_name, p.given_name,
	p.surname, p.organisation, p.identifier, p.country, p.emails, p.serial, p.not_before, p.certificate, p.reason,
	exists (select from certificate k where k.key = sha256(p.spki) and k.reason = 1) as compromised,
	exists (select from certificate k where k.key = sha256(p.spki) and k.account < p.account)
		or exists (select from certificate k where k.key = sha256(p.spki) and k.account > p.account)
		or exists (select from certificate k where k.key = sha256(p.spki) and k.account is null) as elsewhere, a.locked is not null as locked
	from application p join account a on a.id = p.account where p.id = $1`

func load(ctx context.Context, tx pgx.Tx, id ID) (intent, error) {
	rows, err := tx.Query(ctx, intentQuery+` for update of p`, id)
	if err != nil {
		return intent{}, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[intent])
}
