package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"

	"petschaft/internal/apt"
	"petschaft/internal/cluster"
)

// NeedCmd installs what is missing, or says the one line that does.
type NeedCmd struct {
	Peers bool `help:"Also the foreign programs that some tests ask; outside of CI the tests can do without."`
}

// program is one beside the Postgres server: any of the names will do.
type program struct {
	names    []string
	packages []string
}

// needs are what the tests cannot do without. OpenSSL judges what the portal
// issues, curl and jq run the scripts of docs/api.md; the race detector needs a
// C compiler.
var needs = []program{
	{[]string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}, []string{"chromium"}},
	{[]string{"openssl"}, []string{"openssl"}},
	{[]string{"curl"}, []string{"curl"}},
	{[]string{"jq"}, []string{"jq"}},
	{[]string{"gcc", "cc", "clang"}, []string{"gcc", "libc6-dev"}},
}

// peers are foreign programs. GnuTLS, Java, NSS and GnuPG judge what the portal
// issues and what browsers make with it, nginx serves with it, Postfix refuses
// and bounces its mails; Node runs the judge of the API's description.
var peers = []program{
	{[]string{"nginx", "/usr/sbin/nginx"}, []string{"nginx"}},
	{[]string{"postfix", "/usr/sbin/postfix"}, []string{"postfix"}},
	{[]string{"certtool"}, []string{"gnutls-bin"}},
	{[]string{"keytool"}, []string{"default-jre-headless"}},
	{[]string{"node"}, []string{"nodejs"}},
	{[]string{"vfychain"}, []string{"libnss3-tools"}},
	{[]string{"gpgsm"}, []string{"gpgsm", "gpg-agent"}},
}

// Run says nothing when everything is there.
func (n NeedCmd) Run() error {
	ctx := context.Background()
	if err := cluster.Need(ctx, os.Stderr); err != nil {
		return err
	}
	for _, p := range needs {
		if err := p.need(ctx); err != nil {
			return err
		}
	}
	if !n.Peers {
		return nil
	}
	for _, p := range peers {
		err := p.need(ctx)
		if err != nil && os.Getenv("CI") == "true" {
			return err
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "NOT TESTED with", p.names[0]+":", err)
		}
	}
	return nil
}

// need installs p where it is missing.
func (p program) need(ctx context.Context) error {
	if anyOf(p.names) {
		return nil
	}
	if err := apt.May(ctx, p.packages...); err != nil {
		return fmt.Errorf("%s is %w", p.names[0], err)
	}
	fmt.Fprintln(os.Stderr, "installing", p.names[0])
	return apt.Install(ctx, os.Stderr, p.packages...)
}

func anyOf(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		_, err := exec.LookPath(name)
		return err == nil
	})
}
