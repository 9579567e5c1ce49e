package portal_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"petschaft/internal/portal"
	"petschaft/internal/trial"
)

var envFiles = regexp.MustCompile("(?ms)^```ini ([a-z]+\\.env)\n(.*?)^```$")

// TestTheExamplesOfProvidersAreAccepted: each of docs/signin.md is a configuration
// without a mistake, and names settings that there are. Those that name an issuer are
// of providers.
func TestTheExamplesOfProvidersAreAccepted(t *testing.T) {
	t.Parallel()
	all := envFiles.FindAllStringSubmatch(string(trial.Must(os.ReadFile("../../docs/signin.md"))), -1)
	providers := 0
	for _, m := range all {
		c := good()
		for line := range strings.Lines(m[2]) {
			set(t, &c, m[1], strings.TrimSpace(line))
		}
		if err := c.Check(); err != nil {
			t.Errorf("%s: %v", m[1], err)
		}
		if c.OIDCIssuer == good().OIDCIssuer {
			continue
		}
		if providers++; c.RAGroup == "" {
			t.Errorf("%s: want the officers' group", m[1])
		}
	}
	if providers != 5 {
		t.Errorf("found %d examples that name an issuer, want one for each of five providers", providers)
	}
}

func set(t *testing.T, c *portal.Config, file, line string) {
	t.Helper()
	name, value, _ := strings.Cut(line, "=")
	for i := range reflect.TypeFor[portal.Config]().NumField() {
		if reflect.TypeFor[portal.Config]().Field(i).Tag.Get("env") != name {
			continue
		}
		if f := reflect.ValueOf(c).Elem().Field(i); f.Kind() == reflect.Slice {
			f.Set(reflect.ValueOf(strings.Split(value, ",")))
		} else {
			f.SetString(value)
		}
		return
	}
	t.Errorf("%s: there is no setting %s", file, name)
}

// TestEverySettingIsDocumented: the table of docs/operations.md names them all.
func TestEverySettingIsDocumented(t *testing.T) {
	t.Parallel()
	page := string(trial.Must(os.ReadFile("../../docs/operations.md")))
	names := portal.Names()
	for _, name := range portal.Secrets() {
		names = append(names, name+"_FILE")
	}
	for _, name := range names {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("%s stands nowhere in docs/operations.md", name)
		}
	}
}
