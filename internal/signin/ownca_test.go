package signin

import (
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"petschaft/internal/trial"
)

// reaching is what another process is told: a provider, and lines of a shell that
// set its environment.
type reaching struct{ Issuer, Script string }

func TestMain(m *testing.M) { trial.Main(m, trial.NewPart("reach", reachElsewhere)) }

// reachElsewhere is another process because the system's certificates are read
// once in each.
func reachElsewhere(ctx context.Context, in reaching) error {
	for line := range strings.Lines(in.Script) {
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		if !ok {
			return fmt.Errorf("%q sets nothing", line)
		}
		os.Setenv(name, value)
	}
	d := &Desk{cfg: Config{Issuer: in.Issuer}, client: newClient(), now: time.Now}
	d.cfg.BaseURL = trial.Must(http.NewRequest(http.MethodGet, "https://portal.example", nil)).URL
	_, err := d.reach(ctx)
	return err
}

var caScript = regexp.MustCompile("(?ms)^```sh private-ca.sh\n(.*?)^```$")

// TestAProviderOfOnesOwnAuthority is reached as docs/signin.md says: by the file in
// the variable, or by one beside those of the system.
func TestAProviderOfOnesOwnAuthority(t *testing.T) {
	t.Parallel()
	var issuer string
	s := httptest.NewTLSServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		out.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(out, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q,"jwks_uri":%q}`, issuer, issuer+"/a", issuer+"/t", issuer+"/k")
	}))
	defer s.Close()
	s.Config.ErrorLog = nil
	issuer = s.URL
	dir := t.TempDir()
	file := filepath.Join(dir, "own.pem")
	trial.Must(0, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600))
	m := caScript.FindStringSubmatch(string(trial.Must(os.ReadFile("../../docs/signin.md"))))
	if m == nil || !strings.Contains(m[1], "/etc/petschaft/ca.pem") {
		t.Fatal("docs/signin.md holds no private-ca.sh with its file")
	}
	for script, reached := range map[string]bool{
		"": false,
		strings.ReplaceAll(m[1], "/etc/petschaft/ca.pem", file): true,
		"export SSL_CERT_DIR=" + dir:                            true,
	} {
		if err := trial.NewChild(t, "reach", reaching{issuer, script}).Wait(); (err == nil) != reached {
			t.Errorf("%q: got %v, want reached %t", script, err, reached)
		}
	}
}
