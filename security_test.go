package arch

import (
	"fmt"
	"go/ast"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	namedTest   = regexp.MustCompile("`(Test[A-Z]\\w+)`")
	requirement = regexp.MustCompile(`\bV\d+\.\d+\.\d+\b`)
	inNumbers   = regexp.MustCompile(`(?m)^\| (V\d+) [^|]*\| (\d+) \| (\d+) \| (\d+) \|`)
)

// asvs are how many requirements of both levels ASVS 5.0.0 has.
const asvs = 253

// TestTheEvidenceOfSecurityExists: docs/security.md names no test that is not there,
// no requirement twice, and counts what it names.
func TestTheEvidenceOfSecurityExists(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range flawsOf(string(text), testsIn(t)) {
		t.Error("docs/security.md: " + wrong)
	}
}

func TestTheLawOfEvidenceSeesWhatBreaksIt(t *testing.T) {
	t.Parallel()
	good := "## Met\n| V2.1.1 | it holds | `TestIt` |\n## Not met\n| V1.1.1, V2.1.2 | to come |\n## In numbers\n| V1 One | 1 | 1 | 0 | x |\n| V2 Two | 250 | 1 | 0 | x |\n"
	tests := map[string]bool{"TestIt": true}
	if got := flawsOf(good, tests); len(got) != 0 {
		t.Errorf("got %q of a good one", got)
	}
	for what, bad := range map[string]string{
		"no test":           strings.Replace(good, "TestIt", "TestThat", 1),
		"no evidence":       strings.Replace(good, "`TestIt`", "surely", 1),
		"named twice":       strings.Replace(good, "V2.1.2", "V2.1.1", 1),
		"not counted":       strings.Replace(good, ", V2.1.2", "", 1),
		"a chapter unknown": strings.Replace(good, "V1.1.1", "V3.1.1", 1),
		"a wrong sum":       strings.Replace(good, "250", "249", 1),
	} {
		if got := flawsOf(bad, tests); len(got) == 0 {
			t.Errorf("%s: nothing was noticed", what)
		}
	}
}

// testsIn are the names of all tests of the tree.
func testsIn(t *testing.T) map[string]bool {
	t.Helper()
	tests := map[string]bool{}
	for _, s := range parsed(t) {
		for _, d := range s.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && strings.HasSuffix(s.path, "_test.go") {
				tests[f.Name.Name] = true
			}
		}
	}
	return tests
}

// flawsOf are what is wrong with the paper text, given the tests that there are.
func flawsOf(text string, tests map[string]bool) (wrong []string) {
	for _, m := range namedTest.FindAllStringSubmatch(text, -1) {
		if !tests[m[1]] {
			wrong = append(wrong, "there is no test "+m[1])
		}
	}
	notMet, seen, heading := map[string]int{}, map[string]bool{}, ""
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "## ") {
			heading = strings.TrimSpace(line[3:])
		}
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			continue
		}
		all := requirement.FindAllString(cells[1], -1)
		if strings.HasPrefix(heading, "Met") && len(all) > 0 && !namedTest.MatchString(line) {
			wrong = append(wrong, "no test holds "+cells[1])
		}
		for _, r := range all {
			if seen[r] {
				wrong = append(wrong, r+" stands there twice")
			}
			seen[r] = true
			if heading == "Not met" {
				chapter, _, _ := strings.Cut(r, ".")
				notMet[chapter]++
			}
		}
	}
	sum := 0
	for _, m := range inNumbers.FindAllStringSubmatch(text, -1) {
		for _, n := range m[2:] {
			i, _ := strconv.Atoi(n)
			sum += i
		}
		if m[3] != strconv.Itoa(notMet[m[1]]) {
			wrong = append(wrong, fmt.Sprintf("%s: %s are said not to be met, %d are named", m[1], m[3], notMet[m[1]]))
		}
		delete(notMet, m[1])
	}
	if sum != asvs {
		wrong = append(wrong, fmt.Sprintf("%d requirements are counted, there are %d", sum, asvs))
	}
	for _, chapter := range slices.Sorted(maps.Keys(notMet)) {
		wrong = append(wrong, chapter+" is not counted")
	}
	return wrong
}
