package compromise_test

import (
	"testing"

	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

func TestAnOfficersWordAboutOneCertificateEndsAllOfItsKeyAndWaitsForNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := newKey()
	hers := r.record(t, r.mailbox(t, key, r.ada, "ada@uni.example"))
	www := r.record(t, r.server(t, key, r.institute, "www.uni.example"))
	strange := r.server(t, key, r.faculty, "anders.uni.example")
	strange.Unexpected = []pki.Difference{{Code: "pki.differs.names", Wanted: "a", Came: "b"}}
	nobodys := r.record(t, strange)
	if o := trial.Must(r.keys.Others(t.Context(), r.officer, hers)); len(o.Falling) != 2 || o.Waiting != 0 {
		t.Errorf("the page says before that %d fall and %d wait, want 2 and none", len(o.Falling), o.Waiting)
	}
	ok(t, r.Book.Revoke(t.Context(), r.officer, hers, pki.KeyCompromise))
	if got := r.stands(t, hers) + r.stands(t, www) + r.stands(t, nobodys); got != "111" {
		t.Errorf("got %s, want all revoked for it", got)
	}
	if all := trial.Must(r.keys.OpenReports(t.Context(), r.officer)); len(all) != 0 || r.letters("key_report") != 0 {
		t.Errorf("%d tasks and %d letters ask officers what one of them decided", len(all), r.letters("key_report"))
	}
}

func TestATokenEndsOnlyWhatItsVerbsNameHoweverItBegins(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := newKey()
	mail := r.mailbox(t, key, r.ada, "ada@uni.example")
	hers, www := r.record(t, mail), r.record(t, r.server(t, key, r.institute, "www.uni.example"))
	ok(t, r.Mailbox.Deactivate(t.Context(), r.contact, "uni.example", mail.Row))
	// Netz looks after the domain, and now after the institute, too.
	_, err := r.Campus.DB.Exec(t.Context(), `update organisation set contact = $1 where id = $2`, r.contact.Account, r.institute)
	ok(t, err)
	token := r.contact
	token.Reach = &person.Reach{
		Domains: []int64{int64(r.Scalar(`select id from email_domain`))}, Organisations: []int64{int64(r.institute)}, Verbs: []person.Verb{person.RevokeClientCertificates},
	}
	if o := trial.Must(r.keys.Others(t.Context(), token, hers)); len(o.Falling) != 0 || o.Waiting != 1 {
		t.Errorf("%d fall and %d wait, want none and the server's", len(o.Falling), o.Waiting)
	}
	ok(t, r.Book.Revoke(t.Context(), token, hers, pki.KeyCompromise))
	if got := r.stands(t, hers) + r.stands(t, www); got != "1valid" {
		t.Errorf("got %s, want the server's left to an officer", got)
	}
	if all := trial.Must(r.keys.OpenReports(t.Context(), r.officer)); len(all) != 1 {
		t.Errorf("%d tasks, want one", len(all))
	}
}
