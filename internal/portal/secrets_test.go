package portal_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"petschaft/internal/portal"
	"petschaft/internal/trial"
)

// TestEverySecretMayLieInAFile: systemd's credentials and Kubernetes' secrets are
// files; who made one by hand ended it with a newline.
func TestEverySecretMayLieInAFile(t *testing.T) {
	t.Parallel()
	dir, env := t.TempDir(), map[string]string{}
	for _, name := range portal.Secrets() {
		env[name+"_FILE"] = filepath.Join(dir, name)
		trial.Must(0, os.WriteFile(env[name+"_FILE"], []byte("in "+name+"\r\n"), 0o600))
	}
	c := portal.Config{}.WithSecrets(func(name string) string { return env[name] })
	got := []string{c.DatabaseURL, c.OIDCClientSecret, c.SMTPURL, c.Secret, c.SecretOld}
	if want := "in DATABASE_URL,in PETSCHAFT_OIDC_CLIENT_SECRET,in PETSCHAFT_SMTP_URL,in PETSCHAFT_SECRET,in PETSCHAFT_SECRET_OLD"; strings.Join(got, ",") != want || c.Unread != nil {
		t.Errorf("got %q and %v, want %s", got, c.Unread, want)
	}
	for _, s := range portal.Strangers([]string{"PETSCHAFT_SECRET_FILE=x", "PETSCHAFT_SMTP_URL_FILE=x"}) {
		t.Errorf("%s is no setting", s.Name)
	}
}

func TestAFileThatDoesNotHoldASecretIsRefusedInWords(t *testing.T) {
	t.Parallel()
	empty, large := filepath.Join(t.TempDir(), "empty"), filepath.Join(t.TempDir(), "large")
	trial.Must(0, os.WriteFile(empty, []byte("\n"), 0o600))
	trial.Must(0, os.WriteFile(large, make([]byte, 1<<20), 0o600))
	for file, want := range map[string]string{
		empty: "PETSCHAFT_SECRET_FILE names " + empty + ", which is empty", large: "is larger than 64 KiB",
		t.TempDir(): "PETSCHAFT_SECRET_FILE cannot be read: ", "/none": "no such file",
	} {
		c := good().WithSecrets(func(name string) string { return map[string]string{"PETSCHAFT_SECRET_FILE": file}[name] })
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "PETSCHAFT_SECRET is missing") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
