package site_test

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	chromium "petschaft/internal/browser"
	"petschaft/internal/lane"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

var scripts = regexp.MustCompile("(?ms)^ *```sh ([a-z]+\\.sh)\n(.*?)^ *```$")

// shop runs the scripts of docs/api.md against the portal, with a token of nora.
type shop struct {
	*sitetest.Rig
	dir string
}

func newShop(t *testing.T, verbs ...person.Verb) *shop {
	t.Helper()
	for _, program := range []string{"curl", "jq", "openssl"} {
		if lane.Find(program) == "" {
			t.Fatalf("the scripts need %s: make need T=./internal/site", program)
		}
	}
	s := &shop{sitetest.NewOn(t, trial.Machine()), t.TempDir()} // the scripts know the machine's day
	s.StartJobs()
	page := trial.Must(os.ReadFile(filepath.Join(trial.Must(chromium.Root()), "docs", "api.md")))
	for _, m := range scripts.FindAllSubmatch(page, -1) {
		trial.Must(0, os.WriteFile(filepath.Join(s.dir, string(m[1])), m[2], 0o600))
	}
	secret, _ := token(s.Rig, "nora", verbs)
	trial.Must(0, os.WriteFile(filepath.Join(s.dir, "header"), []byte("Authorization: Bearer "+secret+"\n"), 0o600))
	return s
}

// run runs a script and returns what it wrote.
func (s *shop) run(script string, args ...string) (string, error) {
	s.T.Helper()
	c := exec.CommandContext(s.T.Context(), "sh", append([]string{filepath.Join(s.dir, script)}, args...)...)
	c.Env = append(os.Environ(), "PETSCHAFT="+s.Base, "HEADER="+filepath.Join(s.dir, "header"), "DOMAIN=uni.example", "LC_ALL=C.UTF-8")
	c.Dir = s.dir
	out, err := c.CombinedOutput()
	return string(out), err
}

func (s *shop) must(script string, args ...string) string {
	s.T.Helper()
	out, err := s.run(script, args...)
	if err != nil {
		s.T.Fatalf("%s %v: %v\n%s", script, args, err, out)
	}
	return out
}

func (s *shop) write(name string, lines ...string) string {
	s.T.Helper()
	path := filepath.Join(s.dir, name)
	trial.Must(0, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	return path
}

// rows says how all rows of uni.example stand.
func (s *shop) rows() (all []string) {
	s.T.Helper()
	ctx, by := s.T.Context(), s.Actors["nora"]
	d := trial.Must(s.Org.Domain(ctx, by, "uni.example"))
	for _, r := range trial.Must(s.Mailbox.Rows(ctx, by, d, mailbox.View{Size: 200, Sort: mailbox.ByPrimary})).Rows {
		all = append(all, fmt.Sprintf("%s %q %v active %v", r.Primary, r.Name, r.Aliases, r.Active))
	}
	return all
}

// lines counts the audit lines that are not about a call alone, and the mails.
func (s *shop) lines() (lines, mails int) {
	s.T.Helper()
	trial.Must(0, s.Pool.QueryRow(s.T.Context(), `select (select count(*) from audit_line where action not like 'api.%'), (select count(*) from challenge)`).Scan(&lines, &mails))
	return lines, mails
}

func TestTheFirstCallsOfTheDocumentationWork(t *testing.T) {
	t.Parallel()
	s := newShop(t, person.ReadAddresses, person.WriteAddresses)
	for range 2 {
		out := s.must("start.sh")
		for _, want := range []string{`"name":"uni.example"`, `"primary":"alice.lee@uni.example"`} {
			if !strings.Contains(out, want) {
				t.Errorf("%s is missing in:\n%s", want, out)
			}
		}
	}
	if got := s.rows(); len(got) != 1 {
		t.Errorf("run twice: got %v, want alice once", got)
	}
}

func TestTheNightlySyncChangesNothingTheSecondTime(t *testing.T) {
	t.Parallel()
	s := newShop(t, person.ReadAddresses, person.WriteAddresses, person.SendChallenges)
	s.AddRow(mailbox.Input{Kind: mailbox.Functional, Name: "Bibliothek", Primary: "bibliothek@uni.example", Applicant: "ida@uni.example"})
	s.Add("bob.bach")
	people := s.write("people", "Ada.Adler@uni.example\tAdler, Ada\ta.adler@uni.example,ada@uni.example", "bob.bach@uni.example\tBach, Bob\t", "ozlem@uni.example\tÖztürk, \"Özlem\" \\ Süß")
	s.must("sync.sh", "uni.example", people)
	want := []string{
		`ada.adler@uni.example "Adler, Ada" [a.adler@uni.example ada@uni.example] active true`, `bibliothek@uni.example "Bibliothek" [] active true`,
		`bob.bach@uni.example "Bach, Bob" [] active true`, `ozlem@uni.example "Öztürk, \"Özlem\" \\ Süß" [] active true`,
	}
	if got := s.rows(); !slices.Equal(got, want) {
		t.Errorf("the first night:\ngot  %q\nwant %q", got, want)
	}
	if _, mails := s.lines(); mails != 5 {
		t.Errorf("got %d challenges, want 5: one for each address of who is new, and bob's, whom nobody had asked", mails)
	}
	s.still(people, want)

	// bob is gone, ada has one alias less, and the others stay.
	people = s.write("people", "ada.adler@uni.example\tAdler, Ada\tada@uni.example", "ozlem@uni.example\tÖztürk, \"Özlem\" \\ Süß\t")
	s.must("sync.sh", "uni.example", people)
	want[0], want[2] = `ada.adler@uni.example "Adler, Ada" [ada@uni.example] active true`, `bob.bach@uni.example "Bach, Bob" [] active false`
	if got := s.rows(); !slices.Equal(got, want) {
		t.Errorf("the second night:\ngot  %q\nwant %q", got, want)
	}
	s.still(people, want)
}

func TestTheImportOfTheDocumentationIsReadAsItSays(t *testing.T) {
	t.Parallel()
	s := newShop(t, person.WriteImports)
	s.write("export.csv", "Liste vom Montag", "Wer,Wo,Art,Raum,Alle", "J\xf6rg,joerg@uni.example,personal,117,SMTP:joerg@uni.example")
	out := s.must("import.sh")
	for _, want := range []string{`"encoding":"windows-1252"`, `"separator":"comma"`, `"state":"planning"`} {
		if !strings.Contains(out, want) {
			t.Errorf("%s is missing in\n%s", want, out)
		}
	}
}

// people are the lines of a file of the domain institut.example, in uni.example.
func (s *shop) people(file string, more ...string) string {
	s.T.Helper()
	lines := strings.Split(strings.TrimSpace(string(trial.Must(os.ReadFile(filepath.Join("testdata", file))))), "\n")
	for i, l := range lines {
		lines[i] = strings.ReplaceAll(l, "@institut.example", "@uni.example")
	}
	return s.write("people", append(lines, more...)...)
}

func TestTheNightlySyncMindsNeitherCapitalsNorWhatNobodySees(t *testing.T) {
	t.Parallel()
	s := newShop(t, person.ReadAddresses, person.WriteAddresses, person.SendChallenges)
	for _, local := range []string{"UPPER.Case", "Gabi.Gross", "Hans.Hahn"} {
		s.Add(local, strings.ToUpper(local)+"2@uni.example")
	}
	people := s.people("60-people-upper.tsv")
	s.must("sync.sh", "uni.example", people)
	want := s.rows()
	if len(want) != 31 {
		t.Errorf("got %d rows, want those of the 31 people:\n%q", len(want), want)
	}
	for _, row := range []string{
		`UPPER.Case@uni.example "Upper, A" [] active true`, `carl.cordes@uni.example "Cordes, Carl" [] active true`, `cem.clasen@uni.example "Clasen, Cem" [] active true`,
		`doerte.doering@uni.example "Döring, Dörte" [] active true`, `cd.czech@uni.example "Czech, C D" [] active true`, `rt.l@uni.example "Rtl, A" [] active true`,
	} {
		if !slices.Contains(want, row) {
			t.Errorf("%s is missing in\n%q", row, want)
		}
	}
	s.still(people, want)

	// Gabi has left. One address is a functional row's by now, so its line is
	// refused each night.
	s.AddRow(mailbox.Input{Kind: mailbox.Functional, Name: "Bibliothek", Primary: "bibliothek@uni.example"})
	people = s.people("60c-people-leaver.tsv", "Bibliothek@uni.example\tBibliothek\t", "zuletzt@uni.example\tZuletzt, Zoe\tz@ünï.example")
	for range 2 {
		out, err := s.run("sync.sh", "uni.example", people)
		if err == nil || strings.Count(out, "refused: ") != 2 || !strings.Contains(out, "mailbox.address.taken") || !strings.Contains(out, "mailbox.alias.domain") {
			t.Errorf("got %v and\n%s\nwant the two lines that are refused to be told", err, out)
		}
		got := s.rows()
		for _, row := range []string{`Gabi.Gross@uni.example "Gross, Gabi" [] active false`, `Hans.Hahn@uni.example "Hahn, Johann" [] active true`, `karl.koenig@uni.example "König, Karl" [] active true`} {
			if !slices.Contains(got, row) {
				t.Errorf("%s is missing in\n%q", row, got)
			}
		}
	}
}

func TestTheNightlySyncKnowsDomainsByAnyOfTheirNames(t *testing.T) {
	t.Parallel()
	s := newShop(t, person.ReadAddresses, person.WriteAddresses, person.SendChallenges)
	trial.Must(s.Org.AddDomain(t.Context(), s.Actors["rita"], org.DomainInput{Name: "bücher.example", Group: s.Group, Validation: org.ByMailbox}))
	secret, _ := token(s.Rig, "nora", []person.Verb{person.ReadAddresses, person.WriteAddresses, person.SendChallenges}, "xn--bcher-kva.example")
	trial.Must(0, os.WriteFile(filepath.Join(s.dir, "header"), []byte("Authorization: Bearer "+secret+"\n"), 0o600))
	people := s.write("people", "Ada@bücher.example\tAdler, Ada\tAdler@BÜCHER.example,a@xn--bcher-kva.example\r")
	s.must("sync.sh", "xn--bcher-kva.example", people)
	ctx, by := t.Context(), s.Actors["nora"]
	all := trial.Must(s.Mailbox.Rows(ctx, by, trial.Must(s.Org.Domain(ctx, by, "xn--bcher-kva.example")), mailbox.View{})).Rows
	if len(all) != 1 || all[0].Primary != "ada@xn--bcher-kva.example" || len(all[0].Aliases) != 2 {
		t.Fatalf("got the rows %+v", all)
	}
	if out := s.must("sync.sh", "xn--bcher-kva.example", people); out != "" {
		t.Errorf("run again: it did\n%s", out)
	}
}

// TestTheNightlySyncAsksWhomItDidNotComeTo: the run before broke off after the
// row was made; who was asked long ago, or by somebody else, is left in peace.
func TestTheNightlySyncAsksWhomItDidNotComeTo(t *testing.T) {
	t.Parallel()
	s := newShop(t, person.ReadAddresses, person.WriteAddresses, person.SendChallenges)
	new, _ := s.Add("neu")
	asked, _ := s.Add("gefragt")
	old, _ := s.Add("alt")
	trial.Must(s.Mailbox.Challenge(t.Context(), s.Actors["nora"], "uni.example", asked))
	trial.Must(s.Pool.Exec(t.Context(), `update challenge_round set outcome = 'expired', ended = now() where row_id = $1`, asked))
	trial.Must(s.Pool.Exec(t.Context(), `update challenge set state = 'expired', ended = now() where row_id = $1`, asked))
	trial.Must(s.Pool.Exec(t.Context(), `update address_row set status = 'none' where id = $1`, asked))
	trial.Must(s.Pool.Exec(t.Context(), `update address_row set created = now() - interval '8 days' where id = $1`, old))
	people := s.write("people", "neu@uni.example\tneu\t", "gefragt@uni.example\tgefragt\t", "alt@uni.example\talt\t")
	for range 2 {
		s.must("sync.sh", "uni.example", people)
		var rows []mailbox.ID
		trial.Must(0, s.Pool.QueryRow(t.Context(), `select array_agg(row_id order by id) from challenge_round`).Scan(&rows))
		if !slices.Equal(rows, []mailbox.ID{asked, new}) {
			t.Errorf("got challenges of the rows %v, want %v: by hand, and for the new one", rows, []mailbox.ID{asked, new})
		}
	}
}

// still runs the sync again and holds that nothing changed by it.
func (s *shop) still(people string, want []string) {
	s.T.Helper()
	linesBefore, mailsBefore := s.lines()
	if out := s.must("sync.sh", "uni.example", people); out != "" {
		s.T.Errorf("run again: it did\n%s", out)
	}
	lines, mails := s.lines()
	if lines != linesBefore || mails != mailsBefore || !slices.Equal(s.rows(), want) {
		s.T.Errorf("run again: got %d audit lines and %d challenges, want %d and %d, and the rows unchanged:\n%q", lines, mails, linesBefore, mailsBefore, s.rows())
	}
}

func TestTheNightlySyncStopsBeforeABrokenFile(t *testing.T) {
	t.Parallel()
	s := newShop(t, person.ReadAddresses, person.WriteAddresses, person.SendChallenges)
	for i := range 220 { // more than a page
		s.Add(fmt.Sprintf("p%03d", i))
	}
	before := s.rows()
	if out, err := s.run("sync.sh", "uni.example", s.write("people", "p000@uni.example\tp000\t")); err == nil || !strings.Contains(out, "219 of 220 people are missing") {
		t.Errorf("got %v and %q, want it to stop", err, out)
	}
	if got := s.rows(); !slices.Equal(got, before) {
		t.Error("something was changed all the same")
	}
}

func TestTheScriptForALeaverDeactivatesAndRevokes(t *testing.T) {
	t.Parallel()
	s := newShop(t, person.ReadAddresses, person.WriteAddresses, person.ReadClientCertificates, person.RevokeClientCertificates)
	row := s.LinkRow("niko", "niko")
	s.Certified("niko", row)
	out := s.must("leave.sh", "Niko@uni.example")
	for _, want := range []string{`"active":false`, `"state":"revoked"`} {
		if !strings.Contains(out, want) {
			t.Errorf("%s is missing in:\n%s", want, out)
		}
	}
	if out := s.must("leave.sh", "niko@uni.example"); out != "" {
		t.Errorf("run again: it did\n%s", out)
	}
}

func TestTheCronScriptRenewsAServerCertificate(t *testing.T) {
	t.Parallel()
	s := newShop(t, person.ReadOrders, person.WriteOrders, person.ReadCertificates)
	autoApprove(s.Rig, true)
	key := sitetest.ECKey()
	reference := s.Served(s.Organisation, key.Public(), 90, "www.uni.example")
	s.write("reference", reference)
	trial.Must(0, os.WriteFile(filepath.Join(s.dir, "key.pem"), sitetest.KeyPEM(key), 0o600))
	renew := func() string { return s.must("renew.sh", s.dir, "echo reloaded") }
	if out := renew(); out != "" {
		t.Fatalf("too early: it did\n%s", out)
	}
	s.Clock.Advance(75 * 24 * time.Hour)
	s.As("nora") // else her tokens sleep
	if out := renew(); !strings.Contains(out, "reloaded") {
		t.Fatalf("got\n%s\nwant a new certificate", out)
	}
	next := strings.TrimSpace(string(trial.Must(os.ReadFile(filepath.Join(s.dir, "reference")))))
	c := trial.Must(s.Cert.Server(t.Context(), s.Actors["nora"], next))
	if old := trial.Must(s.Cert.Server(t.Context(), s.Actors["nora"], reference)); old.ReplacedBy == nil || *old.ReplacedBy != next {
		t.Errorf("the old certificate is replaced by %v, want %s", old.ReplacedBy, next)
	}
	chain := trial.Must(os.ReadFile(filepath.Join(s.dir, "fullchain.pem")))
	if want := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.DER}); !bytes.HasPrefix(chain, want) {
		t.Errorf("got the file\n%s", chain)
	}
	if bytes.Equal(trial.Must(os.ReadFile(filepath.Join(s.dir, "key.pem"))), sitetest.KeyPEM(key)) {
		t.Error("the key is the old one")
	}
	if out := renew(); out != "" {
		t.Errorf("the next night: it did\n%s", out)
	}
}

func TestTheCronScriptWaitsForTheOfficeAndSaysWhenItRefuses(t *testing.T) {
	t.Parallel()
	s := newShop(t, person.ReadOrders, person.WriteOrders, person.ReadCertificates)
	autoApprove(s.Rig, false)
	key := sitetest.ECKey()
	reference := s.Served(s.Organisation, key.Public(), 90, "www.uni.example")
	s.write("reference", reference)
	trial.Must(0, os.WriteFile(filepath.Join(s.dir, "key.pem"), sitetest.KeyPEM(key), 0o600))
	s.Clock.Advance(75 * 24 * time.Hour)
	s.As("nora") // else her tokens sleep
	script := filepath.Join(s.dir, "renew.sh")
	text := trial.Must(os.ReadFile(script))
	trial.Must(0, os.WriteFile(script, bytes.Replace(text, []byte("tries=30"), []byte("tries=1"), 1), 0o600))
	if out := s.must("renew.sh", s.dir, "echo reloaded"); out != "" {
		t.Fatalf("before the office decided: it did\n%s", out)
	}
	ordered := strings.TrimSpace(string(trial.Must(os.ReadFile(filepath.Join(s.dir, "ordered")))))
	trial.Must(0, s.rejectOrder(ordered))
	if out, err := s.run("renew.sh", s.dir, "echo reloaded"); err == nil || !strings.Contains(out, "is rejected") {
		t.Errorf("after it refused: got %v and %q", err, out)
	}
}

func autoApprove(r *sitetest.Rig, on bool) {
	r.T.Helper()
	trial.Must(0, r.Org.EditOrganisation(r.T.Context(), r.Actors["rita"], r.Organisation, org.OrganisationInput{Name: "Universität Probe", Country: "DE", AutoApprove: on}))
}

func (s *shop) rejectOrder(reference string) error {
	o := trial.Must(s.Order.Server(s.T.Context(), s.Actors["rita"], reference))
	return s.Order.Reject(s.T.Context(), s.Actors["rita"], reference, order.Decision{Version: o.Version, Reason: "Nein"})
}
