package recipe_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/ca"
	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/recipe"
	"petschaft/internal/trial"
)

const uni = "uni.example"

// rig is a small university: nora and nils look after uni.example, sven after
// institut.example, rita is an officer, ada and bob are users.
type rig struct {
	*recipe.Book
	t                                *testing.T
	campus                           *campus.Campus
	db                               *postgres.DB
	clock                            *trial.Clock
	intents, tokens                  atomic.Int64
	local                            *ca.Local
	nora, nils, sven, rita, ada, bob person.Actor
}

func newRig(t *testing.T) *rig {
	t.Helper()
	c := campus.New(t)
	r := &rig{t: t, campus: c, db: c.DB, clock: c.Clock, local: c.Local()}
	r.Book = &recipe.Book{DB: c.DB, Mailbox: c.Books.Mailbox, Cert: c.Books.Cert, Now: c.Clock.Now}
	r.rita = c.SignInOfficer(campus.Named("Rita"))
	for name, a := range map[string]*person.Actor{"Nora": &r.nora, "Nils": &r.nils, "Sven": &r.sven, "Ada": &r.ada, "Bob": &r.bob} {
		*a = c.SignIn(campus.Named(name))
	}
	c.Domain(uni, c.Group(org.GroupInput{Name: uni}, r.nora, r.nils), org.ByDomain)
	c.Domain("institut.example", c.Group(org.GroupInput{Name: "institut.example"}, r.sven), org.ByDomain)
	return r
}

// said is the message id of an error, of its first field if it has any.
func said(err error) string {
	f := fault.Of(err)
	switch {
	case f == nil:
		return ""
	case len(f.Fields) > 0:
		return f.Fields[0].Name + ": " + f.Fields[0].ID
	case f.ID == "":
		return "internal " + err.Error()
	}
	return f.ID
}

func wants(t *testing.T, err error, id string) {
	t.Helper()
	if got := said(err); got != id {
		t.Errorf("got %q (%v), want %q", got, err, id)
	}
}

// add makes a row; a functional one when it has an applicant.
func (r *rig) add(name, primary, applicant string, aliases ...string) mailbox.ID {
	r.t.Helper()
	in := mailbox.Input{Kind: mailbox.Personal, Name: name, Primary: primary, Aliases: aliases, Applicant: applicant}
	if applicant != "" {
		in.Kind = mailbox.Functional
	}
	return trial.Must(r.Mailbox.Add(r.t.Context(), r.nora, uni, in)).ID
}

func (r *rig) row(id mailbox.ID) mailbox.Row {
	r.t.Helper()
	return trial.Must(r.Mailbox.Row(r.t.Context(), r.rita, uni, id))
}

// confirm answers the open round of a row as somebody who holds all its links.
func (r *rig) confirm(id mailbox.ID, by person.Actor) {
	r.t.Helper()
	ctx := r.t.Context()
	open := trial.Must(pgx.CollectRows(trial.Must(r.db.Query(ctx, `select id from challenge where row_id = $1 and state = 'queued' order by id`, id)), pgx.RowTo[int64]))
	for _, c := range open {
		digest := sha256.Sum256(fmt.Append(nil, r.tokens.Add(1)))
		trial.Must(r.db.Exec(ctx, `insert into challenge_token (hash, challenge, made) values ($1, $2, $3)`, digest[:], c, r.clock.Now()))
		trial.Must(r.db.Exec(ctx, `update challenge set token = $2, state = 'sent', sent = $3::timestamptz, expires = $3::timestamptz + interval '14 days' where id = $1`, c, digest[:], r.clock.Now()))
		trial.Must(r.Mailbox.Confirm(ctx, by, digest[:]))
	}
	if len(open) == 0 {
		r.t.Fatalf("row %d has no challenge to confirm", id)
	}
}

// link makes somebody the one to whom a row is linked.
func (r *rig) link(id mailbox.ID, by person.Actor) {
	r.t.Helper()
	trial.Must(r.Mailbox.Challenge(r.t.Context(), r.nora, uni, id))
	r.confirm(id, by)
	r.clock.Advance(2 * time.Minute)
}

// issue gives somebody a certificate for a row.
func (r *rig) issue(id mailbox.ID, by person.Actor) cert.ID {
	r.t.Helper()
	ctx, row := r.t.Context(), r.row(id)
	var emails []string
	for _, a := range row.Addresses() {
		emails = append(emails, string(a))
	}
	key := trial.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	c := trial.Must(campus.Signed(ctx, r.local, pki.Request{
		Intent: r.intents.Add(1), Profile: pki.MailPersonal, Key: trial.Must(pki.NewKey(key.Public())), CommonName: by.Name, Surname: by.Name,
		Emails: emails, Serial: pki.NewSerial(), NotBefore: pki.NotBefore(r.clock.Now()),
	}))
	var n cert.ID
	trial.Must(0, r.db.Tx(ctx, func(tx pgx.Tx) (err error) {
		n, err = r.Cert.Record(ctx, tx, r.Now(), cert.Issuance{
			Reference: "REF-" + rand.Text(), Authority: ca.Mail, Account: by.Account, Holder: by.Name, Row: id, Certificate: c,
		})
		return err
	}))
	return n
}

func (r *rig) start(id mailbox.ID, k recipe.Kind) recipe.ID {
	r.t.Helper()
	n, err := r.Start(r.t.Context(), r.nora, uni, id, k)
	if err != nil {
		r.t.Fatalf("start %s: %v", k, err)
	}
	return n
}

// do does a step; what the form would hold of the row is put in.
func (r *rig) do(by person.Actor, id recipe.ID, step recipe.Step, change ...func(*recipe.Input)) error {
	r.t.Helper()
	r.clock.Advance(2 * time.Minute)
	s := trial.Must(r.One(r.t.Context(), by, id))
	in := recipe.Input{Version: s.Row.Version, Name: s.Row.Name, Reason: pki.AffiliationChanged}
	for _, a := range s.Row.Aliases {
		in.Aliases = append(in.Aliases, string(a))
	}
	for _, f := range change {
		f(&in)
	}
	return r.Do(r.t.Context(), by, id, step, in)
}

func (r *rig) mustDo(id recipe.ID, step recipe.Step, change ...func(*recipe.Input)) {
	r.t.Helper()
	if err := r.do(r.nora, id, step, change...); err != nil {
		r.t.Fatalf("%s: %v", step, err)
	}
}

func name(s string) func(*recipe.Input)      { return func(in *recipe.Input) { in.Name = s } }
func applicant(s string) func(*recipe.Input) { return func(in *recipe.Input) { in.Applicant = s } }
func aliases(ss ...string) func(*recipe.Input) {
	return func(in *recipe.Input) { in.Aliases = ss }
}

// stands is the recipe's steps as one line: "+deactivate >revoke name", then its
// outcome unless it is open.
func (r *rig) stands(id recipe.ID) string {
	r.t.Helper()
	s := trial.Must(r.One(r.t.Context(), r.nora, id))
	var out []string
	for _, x := range s.Standings() {
		mark := ""
		switch {
		case x.Done:
			mark = "+"
		case x.Step == s.Current():
			mark = ">"
		}
		out = append(out, mark+string(x.Step))
	}
	if s.Outcome != recipe.Open {
		out = append(out, string(s.Outcome))
	}
	return strings.Join(out, " ")
}

func (r *rig) wantStands(id recipe.ID, want string) {
	r.t.Helper()
	if got := r.stands(id); got != want {
		r.t.Errorf("got steps %q, want %q", got, want)
	}
}

func (r *rig) wantLinked(id mailbox.ID, who person.Actor) {
	r.t.Helper()
	if got := r.row(id).Linked; got == nil || *got != who.Account {
		r.t.Errorf("got row linked to account %v, want to %s (%d)", got, who.Name, who.Account)
	}
}

func (r *rig) revoked(id cert.ID) (reason int) {
	r.t.Helper()
	c := trial.Must(r.Cert.One(r.t.Context(), r.rita, id))
	if c.Revoked == nil {
		return -1
	}
	return int(*c.Reason)
}
