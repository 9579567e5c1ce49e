package site_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/pki"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// told are the letters so far, KIND to ADDRESS in LANGUAGE, in order, and none of
// them any more.
func told(r *sitetest.Rig) []string {
	r.T.Helper()
	rows := trial.Must(r.Pool.Query(r.T.Context(), `delete from letter returning kind || ' to ' || recipient || ' in ' || coalesce(nullif(words->>'Lang', ''), 'both')`))
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		trial.Must(0, rows.Scan(&s))
		all = append(all, s)
	}
	slices.Sort(all)
	return all
}

// unverified makes an account one whose address the provider does not verify.
func unverified(r *sitetest.Rig, subs ...string) {
	r.T.Helper()
	trial.Must(r.Pool.Exec(r.T.Context(), `update account set email = subject || '@provider.example', email_verified = false, language = 'en' where subject = any($1)`, subs))
}

func wantTold(t *testing.T, r *sitetest.Rig, what string, want ...string) {
	t.Helper()
	if got := told(r); !slices.Equal(got, want) {
		t.Errorf("%s: got the letters %q, want %q", what, got, want)
	}
}

// TestHoldersHearAtTheAddressTheyConfirmed, whatever the provider says of
// another one.
func TestHoldersHearAtTheAddressTheyConfirmed(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	ctx := t.Context()
	row := r.LinkRow("a.adler", "ada", "adler.a@uni.example")
	office := r.LinkInput(mailbox.Input{Kind: mailbox.Functional, Name: "Bibliothek", Primary: "bibliothek@uni.example", Applicant: "ida@sonstwo.example"}, "ada")
	unverified(r, "ada")
	id := r.Certified("ada", row)
	wantTold(t, r, "issued", "issued to a.adler@uni.example in en")
	r.Certified("ada", office)
	wantTold(t, r, "issued for a function", "issued to ida@sonstwo.example in en")

	r.Known("ada") // the provider verifies another address by now
	trial.Must(0, r.Cert.Revoke(ctx, r.Actors["rita"], id, pki.Superseded))
	wantTold(t, r, "revoked", "revoked to a.adler@uni.example in en")

	another := r.Certified("ada", row)
	told(r)
	trial.Must(0, r.Mailbox.Deactivate(ctx, r.Actors["nora"], "uni.example", row))
	trial.Must(0, r.Cert.Revoke(ctx, r.Actors["nora"], another, pki.Superseded))
	wantTold(t, r, "the mailbox is gone, the provider knows another", "revoked to "+sitetest.Email("ada")+" in en")
}

func TestHoldersAreRemindedAtTheAddressTheyConfirmed(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	id := r.Certified("ada", r.LinkRow("a.adler", "ada"))
	unverified(r, "ada")
	told(r)
	c := trial.Must(r.Cert.One(t.Context(), r.Actors["ada"], id))
	r.Clock.Set(c.NotAfter.AddDate(0, 0, -10))
	trial.Must(0, r.Cert.Remind(t.Context()))
	wantTold(t, r, "ends soon", "mail_ending to a.adler@uni.example in en")
}

// TestWhoHasOneAddressOnlyHearsThere: a network contact revokes when the mailbox is
// out of use, and the holder is to know.
func TestWhoHasOneAddressOnlyHearsThere(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	ctx := t.Context()
	row := r.LinkRow("a.adler", "ada")
	unverified(r, "ada")
	id := r.Certified("ada", row)
	trial.Must(0, r.Mailbox.Deactivate(ctx, r.Actors["nora"], "uni.example", row))
	told(r)
	trial.Must(0, r.Cert.Revoke(ctx, r.Actors["nora"], id, pki.Superseded))
	wantTold(t, r, "no other address", "revoked to a.adler@uni.example in en")
}

// TestAMailboxOfSomebodyElseGetsNoLettersOfItsOldHolder: the address belongs to
// who is linked to it now.
func TestAMailboxOfSomebodyElseGetsNoLettersOfItsOldHolder(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row := r.LinkRow("kasse", "ada")
	id := r.Certified("ada", row)
	trial.Must(r.Pool.Exec(t.Context(), `update link set account = $1 where row_id = $2`, r.Actors["bob"].Account, row))
	unverified(r, "ada")
	told(r)
	trial.Must(0, r.Cert.Revoke(t.Context(), r.Actors["rita"], id, pki.Superseded))
	wantTold(t, r, "revoked")
}

// TestLettersAboutOrdersReachWhoConfirmedAnAddress: technical contacts and officers
// whose provider verifies none, in the language they chose.
func TestLettersAboutOrdersReachWhoConfirmedAnAddress(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	ctx := t.Context()
	unverified(r, "nora", "rita")
	r.Ordered("www.uni.example")
	trial.Must(0, r.Order.TellOfficers(ctx))
	wantTold(t, r, "nobody can be reached")

	r.LinkRow("n.netz", "nora")
	r.LinkRow("r.amt", "rita")
	trial.Must(r.Pool.Exec(ctx, `update account set groups = '{ra}' where subject = 'rita'`))
	reference := r.Ordered("mail.uni.example")
	trial.Must(0, r.Order.TellOfficers(ctx))
	wantTold(t, r, "ordered", "orders_waiting to r.amt@uni.example in en")
	trial.Must(0, r.Order.Return(ctx, r.Actors["rolf"], reference, order.Decision{Version: 1, Reason: "Bitte ergänzen"}))
	wantTold(t, r, "returned", "order_returned to n.netz@uni.example in en")
	r.Known("ada")
	trial.Must(r.Pool.Exec(ctx, `update account set language = 'de' where subject = 'ada'`))
	r.Offered("ada")
	wantTold(t, r, "offered", "handover_offered to "+sitetest.Email("ada")+" in de")
	o := r.Accepted("ada")
	wantTold(t, r, "accepted", "handover_accepted to n.netz@uni.example in en", "handover_offered to "+sitetest.Email("ada")+" in de")
	trial.Must(0, r.Handover.Decline(ctx, r.Actors["ada"], o.ID))
	wantTold(t, r, "declined", "handover_declined to n.netz@uni.example in en")
}

func TestAHandoverToAnUnverifiedAddressSaysWhatHelps(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	r.Known("nora", "ada")
	unverified(r, "ada")
	_, err := r.Handover.Find(t.Context(), r.Actors["nora"], []org.OrganisationID{r.Organisation}, "ada@provider.example")
	if err == nil || !strings.Contains(err.Error(), "handover.email.unverified") {
		t.Errorf("got %v, want that the address is not verified", err)
	}
	words := sitetest.German("handover.email.unverified")
	if strings.Contains(words, "einmal unter") || !strings.Contains(words, "Registrierungsstelle") {
		t.Errorf("got %q, want no advice to sign in again", words)
	}
	r.As("rita").Post(fmt.Sprintf("/office/groups/%d/members", r.Group), "who", "ada@provider.example").Is(http.StatusUnprocessableEntity).
		Has("hat sie nicht bestätigt", "Benutzernamen").Lacks("gibt es kein Konto")
}

// TestWhatTheProviderDoesNotSayIsSeen: by the person where it matters, and by the
// registration office.
func TestWhatTheProviderDoesNotSayIsSeen(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	const sentence = "Ihre Adresse ist beim Anmeldedienst nicht bestätigt. Mails des Portals gehen deshalb nur an Adressen, die Sie hier durch eine Challenge bestätigt haben."
	nora, ada, rita := r.As("nora"), r.As("ada"), r.As("rita")
	for _, path := range []string{"/", "/sessions"} {
		nora.Get(path).Is(http.StatusOK).Lacks("nicht bestätigt", "Ihre Gruppen fehlen")
	}
	unverified(r, "nora", "ada")
	for _, path := range []string{"/", "/sessions"} {
		nora.Get(path).Is(http.StatusOK).Has(sentence, "Zurzeit gibt es keine", "E-Mail-Adresse nicht bestätigt")
	}
	ada.Get("/").Lacks(sentence) // no letters are about anything of hers yet
	ada.Get("/sessions").Has(sentence)
	rita.Get(fmt.Sprintf("/office/people/%d", r.Actors["nora"].Account)).Is(http.StatusOK).Has("Beim Anmeldedienst ist keine Adresse dieser Person bestätigt", "Diese Person bekommt keine Mails")
	r.LinkRow("n.netz", "nora")
	nora.Get("/").Has(sentence, "Zurzeit gehen sie an n.netz@uni.example.")
	rita.Get(fmt.Sprintf("/office/people/%d", r.Actors["nora"].Account)).Has("Mails gehen an", "n.netz@uni.example")

	trial.Must(r.Pool.Exec(t.Context(), `update account set lost = case subject when 'ada' then 'elsewhere' else 'unsaid' end, lost_since = $1 where subject in ('ada', 'nora')`, r.Clock.Now()))
	ada.Get("/").Has("Ihre Gruppen fehlen", "weil es zu viele sind")
	nora.Get("/").Has("Ihre Gruppen fehlen", "keine Gruppen mehr von Ihnen")
	rita.Get(fmt.Sprintf("/office/people/%d", r.Actors["ada"].Account)).Has("Die Gruppen dieser Person fehlen", "weil es zu viele sind")
	r.Clock.Advance(15 * 24 * time.Hour)
	r.As("ada").Get("/").Lacks("Ihre Gruppen fehlen") // the provider names them again
	trial.Must(r.Pool.Exec(t.Context(), `update account set lost = 'elsewhere', lost_since = $1 where subject = 'ada'`, r.Clock.Now().AddDate(0, -1, 0)))
	again := r.As("nora")
	trial.Must(r.Pool.Exec(t.Context(), `update account set lost = 'unsaid', lost_since = $1 where subject = 'nora'`, r.Clock.Now().AddDate(0, -1, 0)))
	again.Get("/").Lacks("Ihre Gruppen fehlen") // it is meant so
}

// TestAFreshBrowserSpeaksTheAccountsLanguage, once one is chosen; what was chosen
// in the browser itself counts more.
func TestAFreshBrowserSpeaksTheAccountsLanguage(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	cookie := func(b *sitetest.Browser) string {
		for _, c := range b.Client.Jar.Cookies(trial.Must(http.NewRequest(http.MethodGet, r.Base, nil)).URL) {
			if c.Name == "lang" {
				return c.Value
			}
		}
		return ""
	}
	first := r.As("ada")
	if got := cookie(first); got != "" {
		t.Errorf("nobody chose: got the language %q remembered", got)
	}
	first.Post("/language", "lang", "en", "next", "/").Is(http.StatusSeeOther)
	fresh := r.As("ada")
	if got := cookie(fresh); got != "en" {
		t.Errorf("a fresh browser: got %q, want the account's language", got)
	}
	fresh.Lang = "de" // as its settings go on to ask for
	fresh.Get("/").Has(`<html lang="en"`)
	chosen := r.Anonymous()
	chosen.Post("/language", "lang", "de", "next", "/").Is(http.StatusSeeOther)
	chosen.SignIn(chosen.Get("/signin?next=/").Is(http.StatusSeeOther).To(), "ada")
	if got := cookie(chosen); got != "de" {
		t.Errorf("a browser in which German was chosen: got %q", got)
	}
}
