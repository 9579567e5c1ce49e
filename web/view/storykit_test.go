package view

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
)

// keys is the story of what pages of certificates of people and of servers share.
func (s sheet) keys() templ.Component {
	print := strings.Repeat("3f:8a:", 15) + "3f:8a"
	addresses := []string{"bettina.acker@uni-nordstadt.example", "b.acker@uni-nordstadt.example"}
	checks := []CheckModel{
		{State: StateModel{Kind: Good, Word: s.say("erfüllt", "met")}, Text: s.say("Der Schlüssel ist lang genug.", "The key is long enough.")},
		{State: StateModel{Kind: Warn, Word: s.say("Hinweis", "notice")}, Text: s.say("Der Name endet bald.", "The name ends soon."), Link: &Link{Label: s.say("Zum Namen", "Go to the name"), Href: "/organisations/1"}},
	}
	key := KeyModel{From: "csr", Command: "openssl req -new"}
	waits := WaitingModel{Title: s.say("Ein Schlüssel wartet", "A key waits"), Text: s.say("Er liegt in diesem Browser.", "It lies in this browser."), Label: s.say("Weiter", "Go on"), Href: "/certificates/7", Forget: true}
	return templ.Join(
		PageHead(HeadModel{Title: s.say("Zertifikate", "Certificates")}),
		WaitingKeys("7", waits),
		with(Form(FormModel{Action: "/apply", Submit: ButtonModel{Label: s.say("Beantragen", "Apply")}, Cancel: "/"}),
			with(KeyChoice(key), Field(key.Kind(s.ctx)), with(Said("making", NoticeModel{Kind: Open, Text: s.say("Der Schlüssel entsteht.", "The key is being made.")}), words("…")))),
		Certificates(CertificatesModel{Caption: s.say("Zertifikate", "Certificates"), Holders: true, Lines: []CertificateLine{
			{Reference: "C-7", Href: "/certificates/7", Holder: "Bettina Acker", HolderHref: "/people/7", Addresses: addresses, Serial: "3f:8a", Ends: Day(s.ctx, s.now.AddDate(1, 0, 0), s.now), State: StateModel{Kind: Good, Word: s.say("gültig", "valid")}, Actions: []ButtonModel{{Label: s.say("Widerrufen", "Revoke"), About: "C-7", Href: "/certificates/7/revoke"}}},
			{Reference: "C-6", Href: "/certificates/6", Holder: "Can Özdemir", Addresses: addresses[:1], Serial: "3f:8b", Ends: Day(s.ctx, s.ago(50*time.Hour), s.now), State: StateModel{Kind: Ended, Word: s.say("abgelaufen", "expired")}},
		}}),
		with(Facts(), with(Fact(s.say("Adressen", "Addresses")), AddressLines(addresses)), with(Fact(s.say("Fingerabdruck", "Fingerprint")), Hex(print)), with(Fact(s.say("Rechte", "Rights")), Lines([]string{s.say("lesen", "read"), s.say("schreiben", "write")}))),
		with(Section("checks", s.say("Geprüft", "Checked")), Checks(checks)),
		Findings(checks[1:]),
		History([]Event{{Kind: Good, Title: s.say("Ausgestellt", "Issued"), When: At(s.ctx, s.ago(3*time.Hour), s.now), Who: "Bettina Acker"}}),
		HelpLinks(),
	)
}

// many is the story of a step for many rows.
func (s sheet) many() templ.Component {
	columns := []Column{{Label: s.say("Auswahl", "Selection"), Quiet: true, Tight: true}, {Label: s.say("Name", "Name")}}
	bar := BulkBarModel{
		Action: "/domains/3/bulk", Hidden: []Hidden{{"state", "open"}}, Page: s.say("Alle auf dieser Seite", "All on this page"), Counted: s.say("# ausgewählt", "# selected"),
		All: s.say("Alle 72 Zeilen", "All 72 rows"), Verbs: []Choice{{Value: "challenge", Label: s.say("Challenges senden", "Send challenges")}}, Verb: "challenge", Export: "/domains/3/export.csv",
	}
	return templ.Join(
		PageHead(HeadModel{Title: s.say("Mehrere Zeilen", "Several rows")}),
		with(Bulk(bar), with(Table(TableModel{Caption: s.say("Adressen", "Addresses"), Columns: columns}),
			with(Row(), with(Cell(columns[0]), Tick(TickModel{ID: "row-1", Value: "1", Label: "Acker, Bettina", On: true})), with(RowHead(columns[1]), words("Acker, Bettina"))),
			with(Row(), with(Cell(columns[0]), Tick(TickModel{ID: "row-2", Value: "2", Label: "Özdemir, Can"})), with(RowHead(columns[1]), words("Özdemir, Can"))))),
	)
}

// TestEveryComponentIsInAStory, by itself or as a part of another. What makes a
// whole page of one has its stories in those of the component.
func TestEveryComponentIsInAStory(t *testing.T) {
	t.Parallel()
	told := ""
	for _, name := range []string{"story_test.go", "storykit_test.go"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		told += string(text)
	}
	kit, err := filepath.Glob("*.templ")
	if err != nil || len(kit) == 0 {
		t.Fatalf("got no components: %v", err)
	}
	var names []string
	for _, file := range kit {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^templ ([A-Z]\w*)\((?:[^f]|f F\w+\)|\))`).FindAllStringSubmatch(string(text), -1) {
			names = append(names, m[1])
		}
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(strings.TrimSpace(line), "@") {
				told += line
			}
		}
	}
	for _, name := range names {
		if !regexp.MustCompile(`\b` + name + `\(`).MatchString(told) {
			t.Errorf("%s is in no story: add it, so that it is judged", name)
		}
	}
}
