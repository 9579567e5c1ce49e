package site_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	chromium "petschaft/internal/browser"
	"petschaft/internal/mailbox"
	"petschaft/internal/trial"
)

var update = flag.Bool("update", false, "write docs/screenshot.png")

// TestScreenshotInABrowserForTheReadme makes the picture in the README of the real table
// page; it writes it with -update only.
func TestScreenshotInABrowserForTheReadme(t *testing.T) {
	t.Parallel()
	s := newSight(t, "de")
	populate(s.Rig)
	personal := func(name, local, comment string, aliases ...string) {
		s.AddRow(mailbox.Input{Kind: mailbox.Personal, Name: name, Primary: local + "@uni.example", Aliases: aliases, Comment: comment})
	}
	personal("Çelik, Aylin", "aylin.celik", "", "a.celik@uni.example")
	personal("Hörmann, Käthe", "kaethe.hoermann", "Büro 117")
	personal("O'Brien-Schäfer, Mary", "mary.obrien", "14.03.2027")
	nora := s.page("nora")
	nora.Goto(s.At("/email-domains/uni.example"))
	png := nora.Picture()
	if got, most := len(png), 240_000; got > most {
		t.Errorf("got a picture of %d bytes, want at most %d", got, most)
	}
	if !*update {
		return
	}
	root := trial.Must(chromium.Root())
	trial.Must(0, os.WriteFile(filepath.Join(root, "docs", "screenshot.png"), png, 0o644))
}
