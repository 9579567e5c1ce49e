package portal_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"petschaft/internal/bulk"
	"petschaft/internal/ca"
	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/handover"
	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pgtest"
	"petschaft/internal/pki"
	"petschaft/internal/portal"
	"petschaft/internal/sink"
	"petschaft/internal/trial"
)

func TestMain(m *testing.M) {
	trial.Main(m, trial.NewPart("answer", answerElsewhere), trial.NewPart("keep", keepElsewhere), trial.NewPart("rotate", rotateElsewhere))
}

// asked is what another process of the portal is asked for.
type asked struct {
	Database, Mail string // addresses
	Does           string // a key of answers
	By             person.ID
	To             string
}

// answerElsewhere is that other process: a whole portal that works its jobs, does
// what one request asks for, says so, and waits to be killed.
func answerElsewhere(ctx context.Context, a asked) error {
	p, err := portal.Open(ctx, killConfig(a.Database, a.Mail), slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		return err
	}
	if err := p.Work(ctx); err != nil {
		return err
	}
	fmt.Println("open")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil { // until it is told to
		return err
	}
	by := person.Actor{Account: a.By, Name: "Somebody", Officer: a.Does == "approve"}
	if err := answers[a.Does](ctx, p, by, a.To); err != nil {
		return err
	}
	fmt.Println("answered")
	<-ctx.Done()
	return ctx.Err()
}

// answers are what requests do before they are answered.
var answers = map[string]func(ctx context.Context, p *portal.Portal, by person.Actor, to string) error{
	"revoke": func(ctx context.Context, p *portal.Portal, by person.Actor, to string) error {
		return p.Cert.Revoke(ctx, by, cert.ID(number(to)), pki.Superseded)
	},
	"revoke server": func(ctx context.Context, p *portal.Portal, by person.Actor, to string) error {
		return p.Cert.RevokeServer(ctx, by, to, pki.Superseded)
	},
	"approve": func(ctx context.Context, p *portal.Portal, by person.Actor, to string) error {
		return p.Order.Approve(ctx, by, to, 1)
	},
	"apply": func(ctx context.Context, p *portal.Portal, by person.Actor, to string) error {
		_, err := p.Order.Apply(ctx, by, mailbox.ID(number(to)), order.Input{CSR: request(), Terms: p.Order.Terms})
		return err
	},
	"challenge": func(ctx context.Context, p *portal.Portal, by person.Actor, to string) error {
		_, err := p.Mailbox.Challenge(ctx, by, domain, mailbox.ID(number(to)))
		return err
	},
	"offer": func(ctx context.Context, p *portal.Portal, by person.Actor, to string) error {
		_, err := p.Handover.Offer(ctx, by, handover.Wish{Organisations: []org.OrganisationID{org.OrganisationID(number(to))}, Email: "ada@people.example"})
		return err
	},
	"import": func(ctx context.Context, p *portal.Portal, by person.Actor, to string) error {
		_, err := p.Imports.Apply(ctx, by, domain, imports.ID(number(to)), 1)
		return err
	},
	"bulk": func(ctx context.Context, p *portal.Portal, by person.Actor, to string) error {
		return p.Bulk.Start(ctx, by, domain, bulk.ID(number(to)), "")
	},
}

const domain = "uni.example"

func number(s string) int64 { return trial.Must(strconv.ParseInt(s, 10, 64)) }

// request is one for a certificate, with a key of its own.
func request() string {
	key := trial.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	der := trial.Must(x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key))
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

func killConfig(database, smtp string) portal.Config {
	c := onDatabase(database)
	c.SMTPURL, c.PKIURL, c.RAGroup = "smtp://"+smtp+"?tls=none", "http://pki.example", "ra"
	return c
}

// killRig is a university whose portal is killed.
type killRig struct {
	*portal.Portal
	t                        *testing.T
	database                 string
	inbox                    *sink.Sink
	officer, nora, ada, tina person.Actor
	organisation             org.OrganisationID
}

// newKillRig has a mail server that answers for all but the killed process.
func newKillRig(t *testing.T) *killRig {
	t.Helper()
	ctx := t.Context()
	r := &killRig{t: t, database: pgtest.URL(t), inbox: trial.Must(sink.New(sink.Config{}))}
	r.ok(r.inbox.Start("127.0.0.1:0"))
	t.Cleanup(func() { r.inbox.Close() })
	c := killConfig(r.database, r.inbox.Addr())
	db, sealer, err := c.Database(ctx)
	r.ok(err)
	r.ok(ca.Init(ctx, db, sealer, ca.Options{Organisation: "Uni Beispiel", Country: "DE", Now: time.Now(), PKIURL: trial.Must(url.Parse(c.PKIURL))}))
	db.Close()
	r.Portal = trial.Must(portal.Open(ctx, c, slog.New(slog.NewTextHandler(t.Output(), nil)), time.Now))
	t.Cleanup(r.Close)
	r.ok(r.Cert.RefreshResponses(ctx)) // somebody is at hand to answer
	f := campus.Founder{T: t, DB: r.DB, People: r.People, Org: r.Org}
	at := func(name string) person.Claims {
		c := campus.WithEmail(name+" Beispiel", name+"@people.example")
		c.Issuer, c.Subject = "http://localhost:1", name
		return c
	}
	r.officer, r.nora, r.ada, r.tina = f.SignInOfficer(at("rita")), f.SignIn(at("nora")), f.SignIn(at("ada")), f.SignIn(at("tina"))
	f.Domain(domain, f.Group(org.GroupInput{Name: "Netz"}, r.nora), org.ByDomain)
	r.organisation = f.Organisation("Uni", r.tina)
	f.ServerName(r.organisation, domain, false)
	return r
}

func (r *killRig) ok(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *killRig) count(sql string, args ...any) (n int) {
	r.t.Helper()
	r.ok(r.DB.QueryRow(r.t.Context(), sql, args...).Scan(&n))
	return n
}

func (r *killRig) row() mailbox.ID {
	r.t.Helper()
	return trial.Must(r.Mailbox.Add(r.t.Context(), r.nora, domain, mailbox.Input{Kind: mailbox.Personal, Name: "Ada", Primary: "ada@" + domain})).ID
}

// linked is a row that ada confirmed, as if the mail had come.
func (r *killRig) linked() mailbox.ID {
	r.t.Helper()
	ctx, id := r.t.Context(), r.row()
	trial.Must(r.Mailbox.Challenge(ctx, r.nora, domain, id))
	digest := mailbox.Digest(rand.Text())
	trial.Must(r.DB.Exec(ctx, `with c as (update challenge set state = 'sent', token = $1, expires = now() + interval '1 day' returning id)
		insert into challenge_token (hash, challenge, made) select $1, id, now() from c`, digest))
	trial.Must(r.Mailbox.Confirm(ctx, r.ada, digest))
	return id
}

// issued is ada's certificate.
func (r *killRig) issued() cert.ID {
	r.t.Helper()
	ctx := r.t.Context()
	id := trial.Must(r.Order.Apply(ctx, r.ada, r.linked(), order.Input{CSR: request(), Terms: r.Order.Terms})).ID
	r.ok(r.Order.Issue(ctx, id))
	return *trial.Must(r.Order.One(ctx, r.officer, id)).Certificate
}

// ordered is tina's order of a server certificate.
func (r *killRig) ordered() string {
	r.t.Helper()
	return trial.Must(r.Order.Submit(r.t.Context(), r.tina, order.Submission{
		Wish: order.Wish{Organisation: r.organisation, Product: "tls-single", CSR: request(), Names: []string{domain}},
	}))
}

// planned is an import of one new row, waiting to be applied.
func (r *killRig) planned() imports.ID {
	r.t.Helper()
	file := "Display Name;Primary E-Mail;Mailbox Type\nNeu;neu@" + domain + ";personal\n"
	id := trial.Must(r.Imports.UploadPlan(r.t.Context(), r.nora, domain, "rows.csv", strings.NewReader(file), imports.Wish{})).ID
	before := trial.Must(portal.Open(r.t.Context(), killConfig(r.database, "127.0.0.1:1"), slog.New(slog.DiscardHandler), time.Now))
	defer before.Close()
	r.ok(before.Work(r.t.Context()))
	trial.Until(r.t, "the import is planned", func() bool {
		return trial.Must(r.Imports.One(r.t.Context(), r.nora, domain, id)).State == imports.Planned
	})
	r.ok(before.Queue.Stop(r.t.Context()))
	return id
}

// came tells whether a mail to the address did.
func (r *killRig) came(to string) bool {
	return slices.ContainsFunc(r.inbox.Mails(), func(m sink.Mail) bool { return m.For(to) })
}

// mute is a mail server that takes connections and never says a word.
func mute(t *testing.T) (addr string) {
	t.Helper()
	l := trial.Must(net.Listen("tcp", "127.0.0.1:0"))
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
		}
	}()
	return l.Addr().String()
}

// killed has another process answer a request, and kills it (SIGKILL) while its
// job of that kind runs. hold is the lock that keeps the job from its end.
func (r *killRig) killed(does, kind, hold string, by person.Actor, to any) {
	r.t.Helper()
	c := trial.NewChild(r.t, "answer", asked{r.database, mute(r.t), does, by.Account, fmt.Sprint(to)})
	c.Expect("open")
	block := trial.Must(r.DB.Begin(r.t.Context()))
	defer block.Rollback(context.WithoutCancel(r.t.Context()))
	if hold != "" {
		trial.Must(block.Exec(r.t.Context(), hold))
	}
	c.Tell()
	c.Expect("answered")
	trial.Until(r.t, "its job runs", func() bool {
		return r.count(`select count(*) from river_job where kind = $1 and state = 'running'`, kind) > 0
	})
	c.Kill()
}
