package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"petschaft/internal/ca"
	"petschaft/internal/org"
	"petschaft/internal/pki"
	"petschaft/internal/portal"
)

type authority struct {
	Init authorityInit `cmd:"" help:"Make a root and the issuing authorities for mail and TLS, keys sealed in the database. Restart serve afterwards."`
	List authorityList `cmd:"" name:"renew-root-list" help:"Sign the next revocation list of a root whose key is kept elsewhere."`
}

type authorityInit struct {
	Organisation string `required:"" help:"Name of the organisation, as it stands in the authorities' names."`
	Country      string `default:"DE" help:"Two letters, or the name of the country."`
	WithRootKey  string `type:"existingfile" placeholder:"FILE" help:"PEM file with the root's private key, which is used and not kept."`
	Multipurpose bool   `name:"with-sign-in" help:"The authority for mail may also let people sign in with their certificates (PETSCHAFT_MAIL_MULTIPURPOSE)."`
}

func (a authorityInit) Run(c portal.Config) error {
	ctx := context.Background()
	country, known := org.ParseCountry(a.Country)
	if !known {
		return fmt.Errorf("--country: %q is no country; give the two letters of ISO 3166, as in DE", a.Country)
	}
	o := ca.Options{Organisation: a.Organisation, Country: country, Now: time.Now().UTC(), Multipurpose: a.Multipurpose}
	if a.WithRootKey != "" {
		file, err := os.ReadFile(a.WithRootKey)
		if err != nil {
			return err
		}
		if o.RootKey, err = ca.ReadRootKey(file); err != nil {
			return fmt.Errorf("%s: %w", a.WithRootKey, err)
		}
	}
	if c.PKIURL == "" {
		return fmt.Errorf("PETSCHAFT_PKI_URL is missing: certificates say there where revocation lists are")
	}
	if err := c.Check(); err != nil {
		return err
	}
	u, err := url.Parse(c.PKIURL)
	if err != nil {
		return err
	}
	o.PKIURL = u
	db, sealer, err := c.Database(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := ca.Init(ctx, db, sealer, o); err != nil {
		return err
	}
	made, err := ca.Open(ctx, db, sealer, func() time.Time { return o.Now }, u)
	if err != nil {
		return err
	}
	root, err := pki.ParseCertificate(made.Chain(ca.Mail)[1])
	if err != nil {
		return err
	}
	fmt.Printf(done, root.Subject, root.Fingerprints().SHA256, strings.TrimSuffix(c.PKIURL, "/"))
	if o.RootKey != nil {
		fmt.Printf("4. Before %s renew the root's list:  petschaft ca renew-root-list --with-root-key %s\n", lasts(o.Now), a.WithRootKey)
	}
	return nil
}

// done is what there is now and what comes next.
const done = `Made a root authority and below it one for mail and one for servers.

Root:    %[1]s
SHA-256: %[2]s

Next:
1. Start serve again: only then it issues.
2. The root is at %[3]s/pki/root.pem (and .crt), without TLS. From another machine this must print the digest above:
   curl -s %[3]s/pki/root.pem | openssl x509 -noout -fingerprint -sha256
3. Give the root to all devices that shall trust it, and publish the digest where people can compare it.
`

// lasts is the day until which a list of a root whose key is elsewhere is good.
func lasts(from time.Time) string { return from.AddDate(0, 0, ca.OfflineDays).Format(time.DateOnly) }

type authorityList struct {
	WithRootKey string `required:"" type:"existingfile" placeholder:"FILE" help:"PEM file with the root's private key."`
}

func (a authorityList) Run(c portal.Config) error {
	ctx := context.Background()
	file, err := os.ReadFile(a.WithRootKey)
	if err != nil {
		return err
	}
	key, err := ca.ReadRootKey(file)
	if err != nil {
		return fmt.Errorf("%s: %w", a.WithRootKey, err)
	}
	db, err := c.OpenDatabase(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	now := time.Now().UTC()
	if err := ca.RenewRootCRL(ctx, db, key, now); err != nil {
		return err
	}
	fmt.Printf("The root's revocation list is renewed; renew it again before %s.\n", lasts(now))
	return nil
}
