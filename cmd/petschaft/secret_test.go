package main

import (
	"strings"
	"testing"
)

// TestTheSecretIsChangedAsTheOperatorReads: with the command as it stands in the papers.
func TestTheSecretIsChangedAsTheOperatorReads(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.sql("", "", o.paper("roles.sql"))
	t.Cleanup(func() { o.leave(o.owner) })
	database := o.url(o.owner, o.owner)
	o.must(database, "petschaft migrate && petschaft ca init --organisation Uni")
	if got := o.must(database, "petschaft secret rotate"); !strings.Contains(got, "Everything is sealed under PETSCHAFT_SECRET, as key 1.") {
		t.Errorf("with nothing to do: got %q", got)
	}
	was := o.secret
	o.secret = strings.TrimSpace(o.must("", "openssl rand -base64 32"))
	if _, errs, status := o.says(database, "petschaft secret rotate"); status != 1 || !strings.Contains(errs, "PETSCHAFT_SECRET is not the one this database was sealed with; nothing was changed") {
		t.Errorf("without the old secret: got status %d and %q", status, errs)
	}
	if _, errs, status := o.says(database, "PETSCHAFT_SECRET_OLD=$PETSCHAFT_SECRET petschaft secret rotate"); status != 1 || !strings.Contains(errs, "PETSCHAFT_SECRET_OLD is the same as PETSCHAFT_SECRET") {
		t.Errorf("with the same secret twice: got status %d and %q", status, errs)
	}
	o.must("", "printf '%s\\n' "+was+" > old")
	if got := o.must(database, "export PETSCHAFT_SECRET_OLD_FILE=old; "+o.paper("rotate.sh")); !strings.Contains(got, "authority.key: 3 sealed anew\n") || !strings.Contains(got, "as key 2. Take PETSCHAFT_SECRET_OLD away") {
		t.Errorf("rotate says %q", got)
	}
	o.serves(database, "petschaft serve", "")
	if shown := o.must(database, "PETSCHAFT_SECRET_OLD="+was+" petschaft config"); strings.Contains(shown, was) || strings.Contains(shown, o.secret) {
		t.Errorf("config shows a secret:\n%s", shown)
	}
}
