package order

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/cert"
	"petschaft/internal/compromise"
	"petschaft/internal/fault"
	"petschaft/internal/issuance"
	"petschaft/internal/lint"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

// right is what the right to a certificate for a mailbox rests on, as it is now.
type right struct {
	mailbox.Linked
	Locked      bool // the account
	Compromised bool // the key, by what was revoked or should be
	Elsewhere   bool // somebody else has a certificate for the key
	NowName     string
	NowGiven    string
	NowSurname  string
	NowOrg      string // that vouches for the row's domain
	NowOrgID    string
	NowCountry  string
}

// rightColumns read a right of the account a to the linked row l for the key, which
// is SQL; its domain is d, who vouches for it o.
func rightColumns(key string) string {
	return `l.*, a.locked is not null as locked,
		` + compromise.Of(key) + ` as compromised,
		exists (select from certificate k where k.key = ` + key + ` and k.account < a.id)
			or exists (select from certificate k where k.key = ` + key + ` and k.account > a.id)
			or exists (select from certificate k where k.key = ` + key + ` and k.account is null and k.unexpected is null) as elsewhere,
		a.name as now_name, a.given_name as now_given, a.family_name as now_surname,
		coalesce(o.name, '') as now_org, coalesce(o.identifier, '') as now_org_id, coalesce(o.country, '') as now_country`
}

const rightTables = ` join email_domain d on d.id = l.domain left join organisation o on o.id = d.organisation`

// subject is what a certificate for the row names now: a function's its mailbox
// alone; a person's also who vouches for the row's domain, where certificates can
// name them.
type subject struct {
	Profile    pki.ProfileID
	CommonName string
	GivenName  string
	Surname    string
	pki.Sponsor
	Emails []string
}

func (b *Book) subject(r right) (s subject) {
	for _, a := range r.Addresses() {
		s.Emails = append(s.Emails, string(a))
	}
	if r.Kind != mailbox.Personal {
		s.Profile = pki.MailMailbox
		return s
	}
	s.CommonName, s.GivenName, s.Surname = r.NowName, r.NowGiven, r.NowSurname
	s.Profile = pki.MailIndividual
	vouches := pki.Sponsor{Organisation: r.NowOrg, Identifier: r.NowOrgID, Country: r.NowCountry}
	if vouches.Usable() {
		s.Sponsor, s.Profile = vouches, pki.MailSponsored
		if b.Multipurpose {
			s.Profile = pki.MailMulti
		}
	}
	return s
}

func (s subject) equal(o subject) bool {
	return s.CommonName == o.CommonName && s.GivenName == o.GivenName && s.Surname == o.Surname && s.Sponsor == o.Sponsor &&
		slices.Equal(slices.Sorted(slices.Values(s.Emails)), slices.Sorted(slices.Values(o.Emails)))
}

// applied is an application with what was meant when it was made.
type applied struct {
	ID          ID
	Reference   string
	Row         mailbox.ID
	Account     person.ID
	Holder      string
	HolderEmail string
	State       State
	Reason      string
	SPKI        []byte
	Terms       string
	Created     time.Time
	Profile     string
	CommonName  string
	GivenName   string
	Surname     string
	pki.Sponsor
	Emails      []string
	Serial      []byte
	NotBefore   *time.Time
	Attempts    int
	Proof       []cert.AddressProof
	Certificate *cert.ID
}

const appliedColumns = `p.id, p.reference, p.row_id as row, p.account, a.label as holder, a.verified_email as holder_email, p.state, p.reason,
	p.spki, p.terms, p.created, p.profile, p.common_name, p.given_name, p.surname, p.organisation, p.identifier, p.country, p.emails, p.serial,
	p.not_before, p.attempts, p.proof, p.certificate`

// asked is what its columns say that an authority was asked for: the version before
// writes nothing else.
func (a applied) asked() issuance.Intent {
	p, _ := pki.ProfileID(a.Profile).Profile()
	i := issuance.Intent{
		Number: issuance.Number(a.ID), Kind: issuance.Application, Reference: a.Reference, Authority: p.Authority, SPKI: a.SPKI, Profile: a.Profile,
		CommonName: a.CommonName, GivenName: a.GivenName, Surname: a.Surname, Sponsor: a.Sponsor, Emails: a.Emails, Serial: a.Serial,
	}
	if a.NotBefore != nil {
		i.NotBefore = *a.NotBefore
	}
	return i
}

func (a applied) subject() subject {
	return subject{
		Profile: pki.ProfileID(a.Profile), CommonName: a.CommonName, GivenName: a.GivenName, Surname: a.Surname, Sponsor: a.Sponsor, Emails: a.Emails,
	}
}

// errChanged is that a certificate would say something else by now.
var errChanged = fault.New(fault.Conflict, "order.changed")

// holds tells whether there is a right at now to what was meant.
func (b *Book) holds(a applied, r right, now time.Time) error {
	if r.Locked {
		return person.ErrLocked
	}
	if err := mailbox.MayApply(r.Linked, now); err != nil {
		return err
	}
	present := b.subject(r)
	key, err := pki.ReadKey(a.SPKI)
	if err != nil {
		return fmt.Errorf("read the key of application %d: %w", a.ID, err)
	}
	request := present.request(key, now)
	if err := request.Check(); err != nil {
		return err
	}
	if found := r.facts().Check(request); len(found) > 0 {
		return fault.New(fault.Conflict, refusedFor(found)).Because(&lint.Refusal{Findings: found})
	}
	if a.Profile != "" && !present.equal(a.subject()) && a.Profile != string(pki.MailPersonal) {
		return errChanged
	}
	return nil
}

// request is a request for what s names, as good as the real one to be checked.
func (s subject) request(key pki.Key, now time.Time) pki.Request {
	return pki.Request{
		Profile: s.Profile, Key: key, CommonName: s.CommonName, GivenName: s.GivenName, Surname: s.Surname, Sponsor: s.Sponsor, Emails: s.Emails,
		Serial: pki.NewSerial(), NotBefore: pki.NotBefore(now),
	}
}

// facts are what the database knows: only what the link covers is validated.
func (r right) facts() lint.Facts {
	f := lint.Facts{Blocked: r.Compromised, Shared: r.Elsewhere}
	for _, a := range r.Addresses() {
		if slices.Contains(r.Covered, a.Folded()) {
			f.Validated = append(f.Validated, string(a))
		}
	}
	return f
}

// lookup is one statement about the application n with its right, which holds the
// row, the link and the application where lock says so; more are further columns.
func lookup[T any](ctx context.Context, q postgres.Querier, n ID, lock bool, more string, args pgx.NamedArgs) (found T, linked bool, err error) {
	within, without := "", ""
	if lock {
		within, without = ` for update of r, l`, ` for update of p`
	}
	args["id"] = n
	rows, err := q.Query(ctx, `select `+appliedColumns+`, `+rightColumns(`sha256(p.spki)`)+more+`
		from application p join account a on a.id = p.account
		join lateral (`+mailbox.Links+`l.account = p.account and l.row_id = p.row_id`+within+`) l on true`+rightTables+`
		where p.id = @id`+without, args)
	if err != nil {
		return found, false, fmt.Errorf("read application %d: %w", n, err)
	}
	found, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
	if errors.Is(err, pgx.ErrNoRows) {
		return found, false, nil
	}
	return found, err == nil, err
}
