package site_test

import (
	"net/http"
	"testing"
	"time"

	"petschaft/internal/ca/catest"
	"petschaft/internal/issuance"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
	"petschaft/web/paths"
)

// TestOfficersReadWhatHappenedOnTheWayInWords and never the text of an error, as if the
// authority had said it: of what waits, what is revoked, and what failed.
func TestOfficersReadWhatHappenedOnTheWayInWords(t *testing.T) {
	t.Parallel()
	o := atOnce(t)
	ctx, texts := t.Context(), []string{"ca.unavailable", "unavailable:", "issuance.trouble", "500 Internal"}
	held := o.certified("bob", "bob.bach")
	o.outside.Always(catest.Broken)
	n := looked(o.Rig, "ada", "ada.adler")
	trial.Must(0, o.Cert.Revoke(ctx, o.Actors["bob"], held, pki.Superseded))
	o.outside.NextRevoke(catest.Broken)
	o.asked(held)
	path := paths.Application(n)
	o.As("rita").Get(path).Is(http.StatusOK).Has("Nachfragen ohne Antwort", "antwortet gerade nicht").Lacks(texts...)
	o.As("ada").Get(path).Is(http.StatusOK).Lacks(append(texts, "antwortet gerade nicht")...)
	for range 30 {
		o.Clock.Advance(2 * time.Hour)
		trial.Must(0, o.Issuance.Look(ctx, issuance.Application, issuance.Number(n)))
	}
	rita := o.As("rita")
	rita.Get(path).Is(http.StatusOK).Has("zwei Tage lang nicht zu erreichen", "antwortet gerade nicht").Lacks(texts...)
	rita.Get(paths.OfficeWaits).Is(http.StatusOK).Has("bob.bach@uni.example", "Eine Nachfrage ohne Antwort", "antwortet gerade nicht").Lacks(texts...)
}

// TestOfficersReadWhyAnAuthoritySaidNo on the page of what failed; whoever applied does not.
func TestOfficersReadWhyAnAuthoritySaidNo(t *testing.T) {
	t.Parallel()
	o := atOnce(t)
	o.outside.Next(catest.Refusing)
	path := paths.Application(looked(o.Rig, "ada", "ada.adler"))
	o.As("rita").Get(path).Is(http.StatusOK).Has("Die Zertifizierungsstelle sagt: „")
	o.As("ada").Get(path).Is(http.StatusOK).Lacks("Die Zertifizierungsstelle sagt")
}
