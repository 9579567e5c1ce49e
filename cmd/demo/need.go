package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"petschaft/internal/cluster"
)

// NeedCmd installs what is missing, all of it at once, or says the one line that
// does.
type NeedCmd struct {
	Peers    bool     `help:"The foreign programs that some tests ask; outside of CI the tests can do without."`
	Packages []string `arg:"" optional:"" help:"Go packages that are to be tested; only what these need is looked for. All, unless said."`
}

// program is one beside the Postgres server: any of the names will do.
type program struct {
	names    []string
	packages []string
	asked    *regexp.Regexp // in the tests that need it; nil: all do
	lacks    func() bool    // nil: it is missing when none of the names is there
}

// named finds calls of a program by one of its names.
func named(names ...string) *regexp.Regexp {
	return regexp.MustCompile(`[(,{]\s*"(` + strings.Join(names, "|") + `)"`)
}

// needs are what tests cannot do without. OpenSSL judges what the portal issues,
// curl and jq run the scripts of docs/api.md; the race detector needs a C compiler.
var needs = []program{
	{names: chromium, packages: []string{"chromium"}, asked: inBrowser},
	{names: []string{"chrome-sandbox"}, packages: []string{"chromium-sandbox"}, asked: inBrowser, lacks: lacksSandbox},
	{names: []string{"openssl"}, packages: []string{"openssl"}, asked: named("openssl")},
	{names: []string{"curl"}, packages: []string{"curl"}, asked: named("curl")},
	{names: []string{"jq"}, packages: []string{"jq"}, asked: named("jq")},
	{names: []string{"gcc", "cc", "clang"}, packages: []string{"gcc", "libc6-dev"}},
}

var (
	chromium  = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}
	inBrowser = regexp.MustCompile(`(?m)^func Test\w*(InABrowser|Journey)`)
)

// peers are foreign programs. GnuTLS, Java, NSS and GnuPG judge what the portal
// issues and what browsers make with it, nginx serves with it, Postfix refuses
// and bounces its mails, PgBouncer stands before its database; Node runs the judge of the API's description, and a provider
// of sign-ins that other people wrote.
var peers = []program{
	{names: []string{"nginx", "/usr/sbin/nginx"}, packages: []string{"nginx"}, asked: named("nginx")},
	{names: []string{"postfix", "/usr/sbin/postfix"}, packages: []string{"postfix"}, asked: named("postfix")},
	{names: []string{"certtool"}, packages: []string{"gnutls-bin"}, asked: named("certtool", "gnutls-cli", "ocsptool")},
	{names: []string{"keytool"}, packages: []string{"default-jre-headless"}, asked: named("keytool", "java")},
	{names: []string{"node"}, packages: []string{"nodejs"}, asked: named("node")},
	{names: []string{"vfychain"}, packages: []string{"libnss3-tools"}, asked: named("vfychain", "certutil", "pk12util")},
	{names: []string{"pgbouncer", "/usr/sbin/pgbouncer"}, packages: []string{"pgbouncer"}, asked: named("pgbouncer")},
	{names: []string{"gpgsm"}, packages: []string{"gpgsm", "gpg-agent"}, asked: named("gpgsm")},
}

// Run says nothing when everything is there.
func (n NeedCmd) Run() error {
	ctx := context.Background()
	tests, err := testsOf(ctx, n.Packages)
	if err != nil {
		return err
	}
	if !n.Peers {
		return cluster.Need(ctx, os.Stderr, missing(needs, tests)...)
	}
	own, foreign := missing(needs, tests), missing(peers, tests)
	err = cluster.Need(ctx, os.Stderr, slices.Concat(own, foreign)...)
	if err != nil && len(own) == 0 && cluster.Need(ctx, io.Discard) == nil && os.Getenv("CI") != "true" {
		fmt.Fprintln(os.Stderr, "NOT TESTED with some foreign programs:", err)
		return nil
	}
	return err
}

// missing are the packages of those programs that tests ask and that are not here.
func missing(programs []program, tests []byte) (packages []string) {
	for _, p := range programs {
		if (p.asked == nil || p.asked.Match(tests)) && p.missing() {
			packages = append(packages, p.packages...)
		}
	}
	return packages
}

func (p program) missing() bool {
	if p.lacks != nil {
		return p.lacks()
	}
	return !slices.ContainsFunc(p.names, func(name string) bool {
		_, err := exec.LookPath(name)
		return err == nil
	})
}

// lacksSandbox reports whether Debian's Chromium, here or about to be installed,
// would not start for want of its helper: an ordinary user needs it where the
// kernel gives away no user namespaces, as in many containers. Other Chromiums
// bring their own.
func lacksSandbox() bool {
	release, _ := os.ReadFile("/etc/os-release")
	_, err := os.Stat("/usr/lib/chromium/chrome-sandbox")
	return os.Getuid() != 0 && err != nil && regexp.MustCompile(`(?m)^ID=debian$`).Match(release) && exec.Command("unshare", "--user", "true").Run() != nil
}

// testsOf is what stands in the test files of Go packages.
func testsOf(ctx context.Context, packages []string) ([]byte, error) {
	const files = `{{$d := .Dir}}{{range .TestGoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}`
	if len(packages) == 0 {
		packages = []string{"./..."}
	}
	list, err := exec.CommandContext(ctx, "go", append([]string{"list", "-f", files}, packages...)...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("%s", strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil {
		return nil, err
	}
	var all []byte
	for file := range strings.FieldsFuncSeq(string(list), func(r rune) bool { return r == '\n' }) {
		if filepath.Base(filepath.Dir(file)) == "demo" {
			continue // these tests talk of all the programs
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		all = append(all, text...)
	}
	return all, nil
}
