package api_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	random "crypto/rand"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/ca"
	"petschaft/internal/campus"
	"petschaft/internal/cert"
	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// sample is a file to import.
const sample = "Name,Primäre Adresse,Postfachtyp\nAdler,ada.adler@uni.example,persönlich\nBach,bob.bach@uni.example,persönlich\n"

// svensRow is a row of institut.example.
func (r *rig) svensRow() mailbox.ID {
	r.t.Helper()
	return trial.Must(r.Mailbox.Add(r.t.Context(), r.actors["sven"], "institut.example",
		mailbox.Input{Kind: mailbox.Personal, Name: "Fremd", Primary: rand() + "@institut.example"})).ID
}

// planned is an import with a plan that adds one row.
func (r *rig) planned(who, domain string) imports.ID {
	r.t.Helper()
	ctx, by := r.t.Context(), r.actors[who]
	file := fmt.Sprintf("Name,Primäre Adresse,Postfachtyp\nNeu,%s@%s,persönlich\n", rand(), domain)
	id := trial.Must(r.Imports.UploadPlan(ctx, by, domain, "staff.csv", strings.NewReader(file), imports.Wish{})).ID
	r.until(func() bool { return trial.Must(r.Imports.One(ctx, by, domain, id)).State == imports.Planned })
	return id
}

// until works off what is queued until done.
func (r *rig) until(done func() bool) {
	r.t.Helper()
	r.work()
	trial.Until(r.t, "it has come to an end", done)
}

func ofImport(below string) func(*rig) (string, any) {
	return func(r *rig) (string, any) {
		var body any
		if below == "/apply" {
			body = map[string]any{}
		}
		return fmt.Sprintf(uni+"/imports/%d%s", r.planned("nora", "uni.example"), below), body
	}
}

func foreignImport(below string) func(*rig) string {
	return func(r *rig) string {
		return fmt.Sprintf(theirs+"/imports/%d%s", r.planned("sven", "institut.example"), below)
	}
}

// client is a certificate of ada's for an address of a row that is inactive by
// now.
func (r *rig) client(address string) cert.ID {
	r.t.Helper()
	return r.clientIn("nora", "uni.example", address)
}

func (r *rig) clientIn(contact, domain, address string) (id cert.ID) {
	r.t.Helper()
	ctx, by := r.t.Context(), r.actors[contact]
	added, err := r.Mailbox.Add(ctx, by, domain, mailbox.Input{Kind: mailbox.Personal, Name: "Row of " + address, Primary: address})
	row := added.ID
	if err != nil { // it is there
		row = trial.Must(r.Mailbox.RowByPrimary(ctx, r.DB, by, org.Address(address))).ID
	} else {
		trial.Must(0, r.Mailbox.Deactivate(ctx, by, domain, row))
	}
	trial.Must(0, r.DB.Tx(ctx, func(tx pgx.Tx) (err error) {
		if err := r.Mailbox.LockRow(ctx, tx, row); err != nil {
			return err
		}
		id, err = r.Cert.Record(ctx, tx, r.Cert.Now(), r.signed(row, address))
		return err
	}))
	return id
}

// signed is a certificate as the portal's own authority makes it.
func (r *rig) signed(row mailbox.ID, address string) cert.Issuance {
	ada := r.actors["ada"]
	key := trial.Must(ecdsa.GenerateKey(elliptic.P256(), random.Reader))
	c := trial.Must(campus.Signed(r.t.Context(), r.CA, pki.Request{
		Intent: counted.Add(1), Profile: pki.MailPersonal, Key: trial.Must(pki.NewKey(key.Public())), CommonName: "Ada Adler", Surname: "Adler",
		Emails: []string{address}, Serial: pki.NewSerial(), NotBefore: pki.NotBefore(r.clock.Now()),
	}))
	return cert.Issuance{
		Reference: "REF-" + random.Text(), Authority: ca.Mail, Account: ada.Account, Holder: "Ada Adler", HolderEmail: ada.Email, Row: row, Certificate: c,
	}
}

func ofClient(below string, body any) func(*rig) (string, any) {
	return func(r *rig) (string, any) {
		return fmt.Sprintf("/client-certificates/%d%s", r.client(rand()+"@uni.example"), below), body
	}
}

func foreignClient(below string) func(*rig) string {
	return func(r *rig) string {
		return fmt.Sprintf("/client-certificates/%d%s", r.clientIn("sven", "institut.example", rand()+"@institut.example"), below)
	}
}
