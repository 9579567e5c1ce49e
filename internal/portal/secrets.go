package portal

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
)

// mostSecret is how long a file with a secret may be.
const mostSecret = 64 << 10

// Secrets are the variables of settings that hold secrets, in their order. None is
// a flag: command lines are read by everybody on the machine.
func Secrets() (all []string) {
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		if _, secret := t.Field(i).Tag.Lookup("secret"); secret {
			all = append(all, t.Field(i).Tag.Get("env"))
		}
	}
	return all
}

// SecretOfFlag is the variable that took the place of a flag of the command line,
// as in --smtp-url=…; "" where arg is no such flag.
func SecretOfFlag(arg string) string {
	flag, _, _ := strings.Cut(arg, "=")
	for _, name := range Secrets() {
		if flag == "--"+strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, prefix)), "_", "-") {
			return name
		}
	}
	return ""
}

// WithSecrets is c with its secrets from the environment, or from the files that
// the variables with _FILE name, without the newline at their end. What is wrong
// with that, Check and Database say.
func (c Config) WithSecrets(lookup func(name string) string) Config {
	t, fields := reflect.TypeFor[Config](), reflect.ValueOf(&c).Elem()
	var wrong []error
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("env")
		if !slices.Contains(Secrets(), name) {
			continue
		}
		value, err := secret(name, lookup(name), lookup(name+"_FILE"))
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		fields.Field(i).SetString(value)
	}
	c.Unread = errors.Join(wrong...)
	return c
}

// secret is the value of a variable, or what the file holds.
func secret(name, value, file string) (string, error) {
	switch {
	case file == "":
		return value, nil
	case value != "":
		return "", fmt.Errorf("%s and %s_FILE are both set: take one of them away", name, name)
	}
	text, err := readSecretFile(file)
	if err != nil {
		return "", fmt.Errorf("%s_FILE cannot be read: %w", name, err)
	}
	if text == "" {
		return "", fmt.Errorf("%s_FILE names %s, which is empty", name, file)
	}
	return text, nil
}

func readSecretFile(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, mostSecret+1))
	if err != nil {
		return "", err
	}
	if len(text) > mostSecret {
		return "", fmt.Errorf("%s is larger than %d KiB", file, mostSecret>>10)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"), nil
}

// checkNeeded names what is missing; of a secret whose file could not be read that
// is said already.
func (c Config) checkNeeded(say sayer) {
	for _, needed := range [][2]string{
		{"DATABASE_URL", c.DatabaseURL},
		{"PETSCHAFT_BASE_URL", c.BaseURL},
		{"PETSCHAFT_OIDC_ISSUER", c.OIDCIssuer},
		{"PETSCHAFT_OIDC_CLIENT_ID", c.OIDCClientID},
		{"PETSCHAFT_SMTP_URL", c.SMTPURL},
		{"PETSCHAFT_MAIL_FROM", c.MailFrom},
		{"PETSCHAFT_MAIL_BOUNCE", c.MailBounce},
		{"PETSCHAFT_SECRET", c.Secret},
	} {
		if needed[1] == "" && (c.Unread == nil || !strings.Contains(c.Unread.Error(), needed[0]+"_FILE")) {
			say(needed[0], "is missing")
		}
	}
}

// readSecrets are the secret that seals and, while it is rotated, the one before.
func (c Config) readSecrets(say sayer) (secret []byte, old [][]byte) {
	read := func(name, value string) []byte {
		b, err := base64.StdEncoding.DecodeString(value)
		if err != nil || len(b) != 32 {
			say(name, "must be 32 bytes in base64 (make one with: openssl rand -base64 32)")
		}
		return b
	}
	if c.Secret != "" {
		secret = read("PETSCHAFT_SECRET", c.Secret)
	}
	if c.SecretOld != "" {
		old = [][]byte{read("PETSCHAFT_SECRET_OLD", c.SecretOld)}
		if c.SecretOld == c.Secret {
			say("PETSCHAFT_SECRET_OLD", "is the same as PETSCHAFT_SECRET: it holds the secret before")
		}
	}
	return secret, old
}
