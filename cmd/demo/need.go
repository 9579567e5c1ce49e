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
type NeedCmd struct{}

// needs are programs beside the Postgres server: any of the names will do.
// OpenSSL, GnuTLS, Java, NSS and GnuPG judge what the portal issues and what
// browsers make with it, nginx serves with it, Postfix refuses and bounces its
// mails, curl and jq run the scripts of docs/api.md; Node runs the judge of the API's description; the race detector
// needs a C compiler.
var needs = []struct {
	names    []string
	packages []string
}{
	{[]string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}, []string{"chromium"}},
	{[]string{"openssl"}, []string{"openssl"}},
	{[]string{"curl"}, []string{"curl"}},
	{[]string{"jq"}, []string{"jq"}},
	{[]string{"nginx", "/usr/sbin/nginx"}, []string{"nginx"}},
	{[]string{"postfix", "/usr/sbin/postfix"}, []string{"postfix"}},
	{[]string{"certtool"}, []string{"gnutls-bin"}},
	{[]string{"keytool"}, []string{"default-jre-headless"}},
	{[]string{"node", "nodejs"}, []string{"nodejs"}},
	{[]string{"pk12util"}, []string{"libnss3-tools"}},
	{[]string{"gpgsm"}, []string{"gpgsm", "gpg-agent"}},
	{[]string{"gcc", "cc", "clang"}, []string{"gcc", "libc6-dev"}},
}

// Run says nothing when everything is there.
func (NeedCmd) Run() error {
	ctx := context.Background()
	if err := cluster.Need(ctx, os.Stderr); err != nil {
		return err
	}
	for _, n := range needs {
		if anyOf(n.names) {
			continue
		}
		if err := apt.May(ctx, n.packages...); err != nil {
			return fmt.Errorf("%s is %w", n.names[0], err)
		}
		fmt.Fprintln(os.Stderr, "installing", n.names[0])
		if err := apt.Install(ctx, os.Stderr, n.packages...); err != nil {
			return err
		}
	}
	return nil
}

func anyOf(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		_, err := exec.LookPath(name)
		return err == nil
	})
}
