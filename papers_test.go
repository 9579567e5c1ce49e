package arch

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// ran says of every block and every line in the papers that people copy which
// test runs it, or behind "not run:" why none does.
var ran = map[string]string{
	"README.md make run":                                  "TestTheDemoKeepsItsPeople",
	"README.md make run PORT=9000":                        "TestTheDemoKeepsItsPeople",
	"README.md make clean":                                "TestTheDemoKeepsItsPeople",
	"README.md make test":                                 "not run: it is what runs this test",
	"README.md make test T=./internal/org":                "TestOnlyWhatTheChosenTestsNeedIsLookedFor",
	"README.md make peers":                                "not run: CI runs it beside the tests (.ci/run)",
	"docs/signin.md make peers":                           "not run: CI runs it beside the tests (.ci/run)",
	"README.md make versions":                             "not run: it builds the version before from a history that CI may not have (lane four)",
	"README.md make lint":                                 "not run: CI runs it beside the tests (.ci/run)",
	"docs/operations.md make bench":                       "not run: it measures for a quarter of an hour, and wants the machine for itself",
	"README.md make bench":                                "not run: it measures for a quarter of an hour, and wants the machine for itself",
	"README.md make build":                                "not run: it compiles all anew, with other flags than the tests; CI builds the same program",
	"docs/operations.md make build":                       "not run: it compiles all anew, with other flags than the tests",
	"docs/operations.md make vulns":                       "not run: it asks a database outside, which tests must not need",
	"docs/operations.md make check":                       "not run: it is what runs this test",
	"docs/operations.md docker buildx imagetools inspect": "not run: tests have no engine for images",
	"README.md petschaft migrate":                         "TestTheFirstDayOfAnOperator",
	"README.md petschaft serve":                           "TestTheFirstDayOfAnOperator",
	"README.md petschaft help":                            "TestACommandLineIsAnswered",
	"docs/operations.md petschaft migrate":                "TestTheFirstDayOfAnOperator",
	"docs/operations.md petschaft serve":                  "TestTheFirstDayOfAnOperator",
	"docs/operations.md petschaft serve --migrate":        "TestOneRoleAndARootElsewhere",
	"docs/operations.md petschaft config":                 "TestOneRoleAndARootElsewhere",
	"docs/operations.md petschaft lint":                   "TestLintEndsWithAStatusThatScriptsUnderstand",
	"docs/operations.md petschaft lint FILE":              "TestLintEndsWithAStatusThatScriptsUnderstand",
	"docs/operations.md petschaft ca init":                "TestTheFirstDayOfAnOperator",
	`docs/operations.md petschaft ca init --organisation "Universität Beispiel"`:                                                             "TestTheFirstDayOfAnOperator",
	"docs/operations.md petschaft ca init --with-sign-in":                                                                                    "TestOneRoleAndARootElsewhere",
	"docs/operations.md petschaft ca renew-root-list --with-root-key FILE":                                                                   "TestOneRoleAndARootElsewhere",
	"docs/operations.md openssl rand -base64 32":                                                                                             "TestTheFirstDayOfAnOperator",
	"docs/operations.md openssl ocsp -signer":                                                                                                "TestWhoeverNamesOrSignsAQuestionIsAnswered",
	"docs/operations.md openssl ocsp -issuer mail.pem -cert some.pem -url <pki>/pki/ocsp/mail -CAfile root.pem":                              "TestOpenSSLAndCurlAreAnswered",
	"docs/operations.md select number, kind, authority, state, asked, attempts, said from intent where next_look is not null order by asked": "TestTheFirstDayOfAnOperator",
	"docs/operations.md select certificate, authority, state, since, attempts, said from withdrawal where state <> 'done' order by since":    "TestTheFirstDayOfAnOperator",
	"docs/operations.md select count(*) from ocsp_answer where due < now() - interval '1 hour'":                                              "TestTheFirstDayOfAnOperator",
	"docs/operations.md petschaft audit verify":                                                                                              "TestTheRecordIsVerifiedFromACommandLine",
	"docs/operations.md petschaft audit export":                                                                                              "TestTheRecordIsVerifiedFromACommandLine",
	"docs/operations.md petschaft audit verify --file FILE --key KEY":                                                                        "TestTheRecordIsVerifiedFromACommandLine",
	"docs/operations.md roles.sql":                                                                                                           "TestTheFirstDayOfAnOperator",
	"docs/operations.md grants.sh":                                                                                                           "TestTheFirstDayOfAnOperator",
	"docs/operations.md erase.sql":                                                                                                           "TestDetailIsErasedByAFunctionThatSaysSo",
	"docs/operations.md reindex.sql":                                                                                                         "TestTheFirstDayOfAnOperator",
	"docs/operations.md session.sql":                                                                                                         "TestTheFirstDayOfAnOperator",
	"docs/operations.md url.sh":                                                                                                              "TestOneRoleAndARootElsewhere",
	"docs/operations.md backup.sh":                                                                                                           "TestTheFirstDayOfAnOperator",
	"docs/operations.md restore.sh":                                                                                                          "TestTheFirstDayOfAnOperator",
	"docs/operations.md portal.conf":                                                                                                         "TestPeerNginxStandsBeforeThePortal",
	"docs/signin.md petschaft serve":                                                                                                         "TestTheFirstDayOfAnOperator",
	"docs/signin.md private-ca.sh":                                                                                                           "TestAProviderOfOnesOwnAuthority",
	"docs/signin.md officers.env":                                                                                                            "TestTheExamplesOfProvidersAreAccepted",
	"docs/signin.md fresh-off.env":                                                                                                           "TestTheExamplesOfProvidersAreAccepted",
	"docs/signin.md keycloak.env":                                                                                                            "TestTheExamplesOfProvidersAreAccepted",
	"docs/signin.md entra.env":                                                                                                               "TestTheExamplesOfProvidersAreAccepted",
	"docs/signin.md shibboleth.env":                                                                                                          "TestTheExamplesOfProvidersAreAccepted",
	"docs/signin.md authentik.env":                                                                                                           "TestTheExamplesOfProvidersAreAccepted",
	"docs/signin.md zitadel.env":                                                                                                             "TestTheExamplesOfProvidersAreAccepted",
	"docs/api.md start.sh":                                                                                                                   "TestTheFirstCallsOfTheDocumentationWork",
	"docs/api.md sync.sh":                                                                                                                    "TestTheNightlySyncChangesNothingTheSecondTime",
	"docs/api.md import.sh":                                                                                                                  "TestTheImportOfTheDocumentationIsReadAsItSays",
	"docs/api.md leave.sh":                                                                                                                   "TestTheScriptForALeaverDeactivatesAndRevokes",
	"docs/api.md renew.sh":                                                                                                                   "TestTheCronScriptRenewsAServerCertificate",
	"docs/api.md curl --retry":                                                                                                               "TestTheNightlySyncChangesNothingTheSecondTime",
	"docs/operations.md systemctl enable --now petschaft":                                                                                    "not run: tests have no systemd",
	"docs/operations.md rotate.sh":                                                                                                           "TestTheSecretIsChangedAsTheOperatorReads",
	"docs/operations.md credentials.conf":                                                                                                    "not run: tests have no systemd; that files are read, TestEverySecretMayLieInAFile",
	"docs/operations.md secret.yaml":                                                                                                         "not run: tests have no Kubernetes; that files are read, TestEverySecretMayLieInAFile",
	"docs/operations.md petschaft.service":                                                                                                   "not run: tests have no systemd; its times are held against the program's by TestTheUnitWaitsLongerThanAStopTakes",
}

var (
	fence  = regexp.MustCompile("(?ms)^ *```(\\w*) ?([\\w.-]*)\n(.*?)^ *```$")
	span   = regexp.MustCompile("`([^`\n]+)`")
	copied = regexp.MustCompile(`^(make|petschaft|openssl|curl|select|update|create|alter|grant|reindex|pg_dump|pg_restore|psql|docker|systemctl|apt-get|sudo|go) `)
)

// copyable are the blocks of a paper by their names, those of the shell without
// one by their lines, and the lines within text.
func copyable(t *testing.T, paper string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(paper)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
		lang, name, block := m[1], m[2], strings.TrimSpace(m[3])
		switch {
		case lang == "":
		case name != "":
			all = append(all, paper+" "+name)
		default:
			for line := range strings.SplitSeq(block, "\n") {
				line, _, _ = strings.Cut(line, "#")
				all = append(all, paper+" "+strings.TrimSpace(line))
			}
		}
	}
	for _, m := range span.FindAllStringSubmatch(fence.ReplaceAllString(string(text), ""), -1) {
		if copied.MatchString(m[1]) {
			all = append(all, paper+" "+m[1])
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestEveryLineThatPeopleCopyIsRun by a test, or it stands in ran why not.
func TestEveryLineThatPeopleCopyIsRun(t *testing.T) {
	t.Parallel()
	tests := testsIn(t)
	found := slices.Concat(copyable(t, "README.md"), copyable(t, "docs/operations.md"), copyable(t, "docs/signin.md"), copyable(t, "docs/api.md"))
	for _, line := range found {
		by, known := ran[line]
		if !known {
			t.Errorf("%s: no test runs it; add one, or say in ran why there is none", line)
		} else if !tests[by] && !strings.HasPrefix(by, "not run: ") {
			t.Errorf("%s: there is no test %s", line, by)
		}
		if command, ok := strings.CutPrefix(line, "README.md make "); ok {
			if out, err := exec.Command("make", append([]string{"--dry-run"}, strings.Fields(command)...)...).CombinedOutput(); err != nil {
				t.Errorf("make %s: %v\n%s", command, err, out)
			}
		}
	}
	for line := range ran {
		if !slices.Contains(found, line) {
			t.Errorf("%s: nobody is told to copy it any more", line)
		}
	}
}

// TestTheUnitWaitsLongerThanAStopTakes: serve has ended within 30 seconds. The unit
// says also as whom it runs, with which settings, and when.
func TestTheUnitWaitsLongerThanAStopTakes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"TimeoutStopSec=40\n", "StartLimitIntervalSec=0\n", "Restart=always\n", "\nUser=petschaft\n", "\nEnvironmentFile=/etc/petschaft/petschaft.env\n", "\n[Install]\nWantedBy=multi-user.target\n", "has ended\nwithin 30, whatever hangs"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("docs/operations.md lacks %q", want)
		}
	}
}
