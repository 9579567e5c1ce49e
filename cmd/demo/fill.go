package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/idp"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/portal"
	"petschaft/internal/sink"
	"petschaft/web/paths"
)

const (
	institute = "institut.example"
	faculty   = "fakultaet.example"
)

// refusals are mailboxes that the sample mail server does not know.
var refusals = map[string]string{"gregor.weiss@" + institute: "mailbox unavailable"}

// fate is what becomes of a sample row once it is added.
type fate string

const (
	left        fate = ""
	asked       fate = "asked"
	confirmed   fate = "confirmed"
	declined    fate = "declined"
	deactivated fate = "deactivated"
)

type sampleRow struct {
	domain string
	mailbox.Input
	fate fate
	who  string // sub of the account that answers
}

var rows = []sampleRow{
	{institute, personal("Çelik, Aylin", "aylin.celik@"+institute, "", "a.celik@"+institute), asked, ""},
	{institute, personal("Hörmann, Käthe", "kaethe.hoermann@"+institute, "30.06.2027"), left, ""},
	{institute, personal("Österreicher, Jörg", "joerg.oesterreicher@"+institute, "seit 2021; Büro 117"), left, ""},
	{institute, personal("O'Brien-Schäfer, Mary", "mary.obrien@"+institute, "14.03.2027", "m.obrien@"+institute), confirmed, "mary.obrien"},
	{institute, personal("Weiß, Gregor", "gregor.weiss@"+institute, ""), asked, ""},
	{institute, personal("Brandt, Ole", "ole.brandt@"+institute, "ausgeschieden"), deactivated, ""},
	{institute, personal("Zeidler, Ünal", "uenal.zeidler@"+institute, "01.12.2026"), declined, "otto"},
	{institute, functional("Bibliothek, Servicetheke", "bibliothek@"+institute, "mary.obrien@"+institute), confirmed, "mary.obrien"},
	{institute, functional("Prüfungsausschuss", "pruefungsausschuss@"+institute, "aylin.celik@"+institute), asked, ""},
	{institute, functional("Gästebetreuung", "gaeste@"+institute, ""), left, ""},
	{faculty, personal("Braun, Lea", "lea.braun@"+faculty, "", "l.braun@"+faculty), confirmed, "lea.braun"},
	{faculty, personal("Yıldız, Emre", "emre.yildiz@"+faculty, "2. Stock"), asked, ""},
	{faculty, personal("Ammer, Sophie", "sophie.ammer@"+faculty, ""), left, ""},
}

func personal(name, primary, comment string, aliases ...string) mailbox.Input {
	return mailbox.Input{Kind: mailbox.Personal, Name: name, Primary: primary, Comment: comment, Aliases: aliases}
}

func functional(name, primary, applicant string) mailbox.Input {
	return mailbox.Input{Kind: mailbox.Functional, Name: name, Primary: primary, Applicant: applicant}
}

// filler loads the samples by the same operations that the pages call.
type filler struct {
	*portal.Portal
	mails  *sink.Sink
	actors map[string]person.Actor
}

// fill loads the samples into a portal that has no domain yet.
func (w *world) fill(ctx context.Context, p *portal.Portal) error {
	var filled bool
	if err := p.DB.QueryRow(ctx, `select exists (select from email_domain)`).Scan(&filled); err != nil || filled {
		return err
	}
	f := filler{Portal: p, mails: w.mails, actors: map[string]person.Actor{}}
	for _, h := range people {
		if err := f.meet(ctx, h, w.issuer()); err != nil {
			return err
		}
	}
	office := f.actors["rita"]
	if err := f.domains(ctx, office); err != nil {
		return err
	}
	if err := f.Order.SetProductAuthority(ctx, office, "tls-multi", outsideName); err != nil {
		return err
	}
	if err := f.organisations(ctx, office); err != nil {
		return err
	}
	for _, r := range rows {
		if err := f.row(ctx, r); err != nil {
			return fmt.Errorf("%s: %w", r.Primary, err)
		}
	}
	return f.share(ctx, office)
}

// meet makes the account that a first sign-in would make.
func (f filler) meet(ctx context.Context, h idp.Person, issuer string) error {
	return f.DB.Tx(ctx, func(tx pgx.Tx) error {
		c := person.Claims{
			Issuer: issuer, Subject: h.Sub, Username: h.Username, Name: h.Name, GivenName: h.GivenName,
			FamilyName: h.FamilyName, Email: h.Email, EmailVerified: true, Groups: h.Groups,
		}
		a, err := f.People.SignedIn(ctx, tx, c, audit.Who{})
		f.actors[h.Username] = person.Actor{Account: a.ID, Name: a.Name, Email: a.Email, Groups: a.Groups, Officer: slices.Contains(h.Groups, officers)}
		return err
	})
}

func (f filler) domains(ctx context.Context, office person.Actor) error {
	now := f.People.Now()
	proof := org.Proof{Method: "DNS TXT (TLS BR 3.2.2.4.7)", By: office.Name, From: now.Add(-40 * 24 * time.Hour), Until: now.Add(350 * 24 * time.Hour)}
	for _, d := range []struct {
		group org.GroupInput
		org.DomainInput
	}{
		{org.GroupInput{Name: "Rechenzentrum", Notify: "netz@" + institute}, org.DomainInput{Name: institute, Validation: org.ByDomain, Proof: proof}},
		{org.GroupInput{Name: "Fakultät 1", Notify: "netz@" + faculty, Claims: []string{claimed}}, org.DomainInput{Name: faculty, Validation: org.ByMailbox, Authority: outsideName}},
	} {
		id, err := f.Org.AddGroup(ctx, office, d.group)
		if err != nil {
			return err
		}
		d.Group = id
		if _, err := f.Org.AddDomain(ctx, office, d.DomainInput); err != nil {
			return err
		}
		if d.Name == institute {
			if err := f.Org.AddMember(ctx, office, id, f.actors["nora"].Account); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f filler) row(ctx context.Context, r sampleRow) error {
	contact := f.actors[map[string]string{institute: "nora", faculty: "frank"}[r.domain]]
	added, err := f.Mailbox.Add(ctx, contact, r.domain, r.Input)
	if err != nil || r.fate == left {
		return err
	}
	id := added.ID
	if r.fate == deactivated {
		return f.Mailbox.Deactivate(ctx, contact, r.domain, id)
	}
	if _, err := f.Mailbox.Challenge(ctx, contact, r.domain, id); err != nil || r.fate == asked {
		return err
	}
	for _, address := range append([]string{r.Primary}, r.Aliases...) {
		recipient := address
		if r.Kind == mailbox.Functional {
			recipient = r.Applicant
		}
		digest, err := f.link(ctx, recipient, address)
		if err != nil {
			return err
		}
		if r.fate == declined {
			return f.Mailbox.Decline(ctx, f.actors[r.who], digest)
		}
		if _, err := f.Mailbox.Confirm(ctx, f.actors[r.who], digest); err != nil {
			return err
		}
		if r.Kind == mailbox.Functional {
			return nil // one challenge covers all addresses
		}
	}
	return nil
}

var token = regexp.MustCompile(regexp.QuoteMeta(paths.Link) + `([A-Za-z0-9_-]{43})`)

// link waits for the mail to recipient that asks about an address, as a person
// would, and returns the digest of its link.
func (f filler) link(ctx context.Context, recipient, about string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	m, err := f.mails.WaitFor(ctx, func(m sink.Mail) bool {
		return m.For(recipient) && strings.Contains(m.Text, "- "+about+"\n")
	})
	if err != nil {
		return nil, fmt.Errorf("wait for the mail to %s: %w", recipient, err)
	}
	found := token.FindStringSubmatch(m.Text)
	if found == nil {
		return nil, fmt.Errorf("the mail to %s has no link", recipient)
	}
	return mailbox.Digest(found[1]), nil
}
