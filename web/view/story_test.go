package view

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"

	"petschaft/web/locale"
	"petschaft/web/locale/localetest"
	"petschaft/web/static"
)

// The story is a few made-up pages that use every component as real pages do.
// They are checked by machine here and by axe in the browser tests, and lie in
// out/story for the eye.

// sheet words the story in one language at one moment.
type sheet struct {
	ctx context.Context
	now time.Time
}

func (s sheet) say(de, en string) string {
	if locale.From(s.ctx).Lang() == "en" {
		return en
	}
	return de
}

func (s sheet) ago(d time.Duration) time.Time { return s.now.Add(-d) }

// with puts children into a component.
func with(parent templ.Component, children ...templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return parent.Render(templ.WithChildren(ctx, templ.Join(children...)), w)
	})
}

// words is plain text as a component.
func words(s string) templ.Component { return templ.Raw(templ.EscapeString(s)) }

func (s sheet) frame(title string) Frame {
	return Frame{
		Title: title,
		Path:  "/domains/3?state=open",
		Nav: []NavItem{
			{Label: s.say("Übersicht", "Overview"), Href: "/"},
			{Label: s.say("Meine E-Mail-Domains", "My e-mail domains"), Href: "/domains", Current: true},
			{Label: s.say("Meine Client-Zertifikate", "My client certificates"), Href: "/mine"},
			{Label: s.say("Meine offenen Aufträge", "My open orders"), Href: "/orders", Count: "3"},
			{Label: s.say("Verwaltung", "Administration"), Href: "/office"},
		},
		Crumbs: []Link{
			{Label: s.say("Meine E-Mail-Domains", "My e-mail domains"), Href: "/domains"},
			{Label: "uni-nordstadt.example", Href: "/domains/3"},
			{Label: title},
		},
		Person: &Person{
			Name: "Nele Ansprech", Detail: "nele.ansprech@uni-nordstadt.example", SignOut: "/sign-out",
			Links: []Link{{Label: s.say("Konto", "Account"), Href: "/account"}, {Label: s.say("Sitzungen", "Sessions"), Href: "/sessions"}},
		},
		Flash:   &NoticeModel{Kind: Good, Text: s.say("2 Challenges sind unterwegs.", "2 challenges are on their way.")},
		Version: "1.0.0",
	}
}

// stories are the bodies of the pages by name; each begins with its h1.
func (s sheet) stories() map[string]templ.Component {
	pages := map[string]templ.Component{
		"start":  s.start(),
		"domain": s.domain(),
		"row":    s.row(),
		"form":   s.form(),
		"dialog": s.dialog(),
		"keys":   s.keys(),
		"many":   s.many(),
		"help":   Prose("<h1>Hilfe</h1><p>Text</p><h2>Mehr</h2><ul><li>Eins</li></ul><blockquote><p>Wichtig</p></blockquote>"),
	}
	for _, status := range []int{400, 403, 404, 405, 409, 413, 422, 429, 500, 503} {
		pages[fmt.Sprintf("problem-%d", status)] = Problem(ProblemModel{Status: status, Reference: "h7kq-2m4x"})
	}
	return pages
}

func (s sheet) start() templ.Component {
	counts := []CountModel{
		{State: StateModel{Kind: Good, Word: s.say("bestätigt", "confirmed")}, Count: "1.100", Href: "/domains/3?state=confirmed"},
		{State: StateModel{Kind: Open, Word: s.say("offen", "open")}, Count: "72", Href: "/domains/3?state=open"},
		{State: StateModel{Kind: Paused, Word: s.say("keine Challenge", "no challenge")}, Count: "112"},
	}
	pill := StateModel{Kind: Warn, Word: s.say("Nachweis endet bald", "proof ends soon"), Pill: true}
	return templ.Join(
		PageHead(HeadModel{Title: s.say("Übersicht", "Overview"), Lead: s.say("Was jetzt zu tun ist und wie Ihre Domains stehen.", "What is to be done now and how your domains stand.")}),
		with(Section("todo", s.say("Zu erledigen", "To do")), Tasks([]Task{
			{Kind: Open, Text: s.say("72 Adressen warten auf eine Bestätigung.", "72 addresses wait for confirmation."), Link: Link{Label: s.say("Ansehen", "Look"), Href: "/domains/3?state=open"}},
			{Kind: Bad, Text: s.say("4 Mails konnten nicht zugestellt werden.", "4 mails could not be delivered."), Link: Link{Label: s.say("Prüfen", "Check"), Href: "/domains/3?state=failed"}},
		})),
		with(Section("domains", s.say("Ihre Domains", "Your domains")), with(Cards(),
			with(Card(CardModel{Title: "uni-nordstadt.example", Href: "/domains/3"}), Counts(counts)),
			with(Card(CardModel{Title: "bib.uni-nordstadt.example", Href: "/domains/4", State: &pill}), Counts(counts)),
			with(Card(CardModel{Title: "mail.uni-nordstadt.example"}), Counts(counts[:2])))),
		with(Section("", s.say("Noch leer", "Still empty")), Empty(EmptyModel{
			Title:  s.say("Noch keine Adressen", "No addresses yet"),
			Text:   s.say("Hier stehen die Adressen, für die jemand ein Zertifikat beantragen darf.", "Here stand the addresses for which somebody may apply for a certificate."),
			Action: &ButtonModel{Label: s.say("Adresse hinzufügen", "Add an address"), Href: "/domains/3/new", Kind: Primary, Icon: IconPlus},
		})),
		with(Section("", s.say("Im Gang", "Under way")), Progress(ProgressModel{Label: s.say("Challenges senden", "Send challenges"), Text: s.say("212 von 1.284 gesendet", "212 of 1,284 sent"), Done: "212", Total: "1284", Refresh: "/bulk/7"})),
	)
}

func (s sheet) domain() templ.Component {
	columns := []Column{
		{Label: s.say("Status", "State"), Sort: &SortModel{Href: "?sort=state"}, Tight: true},
		{Label: s.say("Anzeigename", "Display name"), Sort: &SortModel{Href: "?sort=-name", Order: "ascending"}},
		{Label: s.say("Primäre Adresse", "Primary address"), Sort: &SortModel{Href: "?sort=primary"}},
		{Label: s.say("Weitere Adressen", "Aliases")},
		{Label: s.say("Typ", "Type")},
		{Label: s.say("Gültig bis", "Valid until"), Sort: &SortModel{Href: "?sort=end"}, Tight: true},
		{Label: s.say("Kommentar", "Comment"), Sort: &SortModel{Href: "?sort=comment"}},
		{Label: s.say("Aktionen", "Actions"), Quiet: true, Tight: true},
	}
	return templ.Join(
		PageHead(HeadModel{
			Title: "uni-nordstadt.example", Lead: s.say("1.284 Adressen", "1,284 addresses"),
			Actions: []ButtonModel{{Label: s.say("Adresse hinzufügen", "Add an address"), Href: "/domains/3/new", Kind: Primary, Icon: IconPlus}},
		}),
		with(Tools(),
			Chips(s.say("Nach Stand filtern", "Filter by state"), []Chip{
				{Label: s.say("Alle", "All"), Count: "1.284", Href: "?", Current: true},
				{Label: s.say("Ohne Challenge", "Without challenge"), Count: "112", Href: "?state=none"},
				{Label: s.say("Offen", "Open"), Count: "72", Href: "?state=open"},
				{Label: s.say("Bestätigt", "Confirmed"), Count: "1.100", Href: "?state=confirmed"},
				{Label: s.say("Inaktiv", "Inactive"), Count: "0", Href: "?state=inactive"},
			}),
			Search(SearchModel{Label: s.say("Name oder Adresse", "Name or address"), Action: "/domains/3", Name: "q", Hidden: []Hidden{{"state", "open"}}})),
		with(Table(TableModel{Caption: s.say("Adressen der Domain", "Addresses of the domain"), Columns: columns}), s.rows(columns)...),
		Pager(PagerModel{Shown: s.say("51–57 von 1.284", "51–57 of 1,284"), First: "?", Prev: "?before=a", Next: "?after=z", Sizes: []Link{{Label: "50", Href: "?size=50", Current: true}, {Label: "100", Href: "?size=100"}}}),
	)
}

// rows has one row in each state.
func (s sheet) rows(columns []Column) []templ.Component {
	states := []StateModel{
		{Kind: Good, Word: s.say("bestätigt", "confirmed"), Since: "14. März 2027, 09:05 Uhr MEZ"},
		{Kind: Open, Word: s.say("offen", "open")},
		{Kind: Paused, Word: s.say("keine Challenge", "no challenge")},
		{Kind: Ended, Word: s.say("inaktiv", "inactive")},
		{Kind: Bad, Word: s.say("unzustellbar", "undeliverable")},
		{Kind: Warn, Word: s.say("endet bald", "ends soon"), Icon: IconClock},
		{Word: s.say("unbekannt", "unknown")},
	}
	names := [...]string{"Acker, Bettina", "Özdemir, Can", "Prüfungsamt Maschinenbau", "von der Heyden-Sonnenberg, Maximiliane", "Wróbel, Anna", "Zeller, Jörg", "Zentrale Studienberatung"}
	var rows []templ.Component
	for i, state := range states {
		var alias templ.Component = templ.NopComponent
		if i%2 == 0 {
			alias = Address(fmt.Sprintf("kontakt%d@uni-nordstadt.example", i))
		}
		var end templ.Component = templ.NopComponent
		if i%3 == 0 {
			end = Time(Day(s.ctx, s.now.AddDate(0, i+1, 0), s.now))
		}
		rows = append(rows, with(Row(),
			with(Cell(columns[0]), State(state)),
			with(RowHead(columns[1]), templ.Raw(`<a href="/rows/1">`+templ.EscapeString(names[i])+`</a>`)),
			with(Cell(columns[2]), Address(fmt.Sprintf("vorname.nachname%d@uni-nordstadt.example", i))),
			with(Cell(columns[3]), alias),
			with(Cell(columns[4]), words(s.say("persönlich", "personal"))),
			with(Cell(columns[5]), end),
			with(Cell(columns[6]), words([]string{"", "alt: 12/2026"}[i%2])),
			with(Cell(columns[7]), Buttons([]ButtonModel{
				{Label: s.say("Challenges senden", "Send challenges"), About: names[i], Icon: IconMail, IconOnly: true, Action: "/rows/1/rounds", Hidden: []Hidden{{"next", "/domains/3"}}},
				{Label: s.say("Bearbeiten", "Edit"), About: names[i], Icon: IconPencil, IconOnly: true, Href: "/rows/1/edit"},
				{Label: s.say("Löschen", "Delete"), About: names[i], Icon: IconBin, IconOnly: true, Href: "/rows/1/delete"},
			})),
		))
	}
	return rows
}

func (s sheet) row() templ.Component {
	state := StateModel{Kind: Open, Word: s.say("offen", "open"), Pill: true}
	side := templ.Join(
		Buttons([]ButtonModel{
			{Label: s.say("Challenges senden", "Send challenges"), Action: "/rows/1/rounds", Kind: Primary, Icon: IconMail},
			{Label: s.say("Bearbeiten", "Edit"), Href: "/rows/1/edit", Icon: IconPencil},
			{Label: s.say("Deaktivieren", "Deactivate"), Href: "/rows/1/deactivate", Kind: Danger},
		}))
	return templ.Join(
		PageHead(HeadModel{Title: "Acker, Bettina", State: &state, Lead: s.say("Eine von zwei Adressen ist bestätigt.", "One of two addresses is confirmed.")}),
		with(Notice(NoticeModel{Kind: Warn, Title: s.say("Zertifikat noch gültig", "Certificate still valid"), Text: s.say("Es unterschreibt weiter Dokumente.", "It still signs documents.")}),
			Button(ButtonModel{Label: s.say("Widerrufen", "Revoke"), Href: "/rows/1/revoke"})),
		Notice(NoticeModel{Kind: Bad, Text: s.say("Der Mailserver hat die Mail abgelehnt: 550 mailbox unavailable", "The mail server refused the mail: 550 mailbox unavailable")}),
		LinkNotices([]LinkNotice{{
			Notice: NoticeModel{Kind: Warn, Text: s.say("ada@uni.example steht in der Zeile „Ada“.", "ada@uni.example is in the row “Ada”.")},
			Link:   Link{Label: s.say("Zu dieser Zeile", "To that row"), Href: "/row"},
		}}),
		Notice(NoticeModel{Kind: Info, Text: s.say("Diese Domain ist bis 3. Mai 2027 nachgewiesen.", "This domain is proven until 3 May 2027.")}),
		Typed([]TypedModel{{Name: "comment", Label: s.say("Kommentar", "Comment"), Text: s.say("Büro 117,\nbis März", "Room 117,\nuntil March")}}),
		with(Split(s.say("Aktionen", "Actions"), side),
			with(Facts(),
				with(Fact(s.say("Typ", "Type")), words(s.say("persönlich", "personal"))),
				with(Fact(s.say("Primäre Adresse", "Primary address")), Address("bettina.acker@uni-nordstadt.example")),
				with(Fact(s.say("Angelegt", "Created")), Time(At(s.ctx, s.ago(50*time.Hour), s.now))),
				with(Fact(s.say("Fingerabdruck", "Fingerprint")), Copy("print", "3f:8a:11:0c:77:e1"))),
			with(Section("history", s.say("Verlauf", "History")), Timeline([]Event{
				{Kind: Open, Title: s.say("Wartet auf Bestätigung", "Waits for confirmation"), Text: "b.acker@uni-nordstadt.example"},
				{Kind: Good, Title: s.say("Adresse bestätigt", "Address confirmed"), When: Ago(s.ctx, s.ago(3*time.Hour), s.now), Who: "Bettina Acker"},
				{Kind: Info, Icon: IconMail, Title: s.say("2 Challenges gesendet", "2 challenges sent"), When: At(s.ctx, s.ago(26*time.Hour), s.now), Who: "Nele Ansprech", Notes: []string{"250 2.0.0 queued as 4F2A"}},
				{Kind: Quiet, Title: s.say("Zeile angelegt", "Row created"), When: At(s.ctx, s.ago(50*time.Hour), s.now), Who: "Nele Ansprech"},
			})),
			with(More(s.say("Was geschieht beim Senden?", "What happens on sending?")), words(s.say("Jede Adresse bekommt eine Mail.", "Each address gets a mail.")))),
	)
}

func (s sheet) form() templ.Component {
	name := FieldModel{Name: "name", Label: s.say("Anzeigename", "Display name"), Hint: s.say("Steht nie im Zertifikat.", "Never enters a certificate."), Value: "Acker, Bettina", MaxLength: "200", Autocomplete: "off"}
	primary := FieldModel{Name: "primary", Label: s.say("Primäre Adresse", "Primary address"), Type: Email, Value: "bettina.acker@uni-nordstatd.example", Error: s.say("„uni-nordstatd.example“ ist keine Ihrer Domains.", "“uni-nordstatd.example” is none of your domains.")}
	kind := FieldModel{Name: "kind", Label: s.say("Typ", "Type"), Type: Radios, Error: s.say("Bitte wählen Sie den Typ.", "Please choose the type."), Choices: []Choice{
		{Value: "personal", Label: s.say("persönlich", "personal"), Hint: s.say("gehört einem Menschen", "belongs to one person")},
		{Value: "functional", Label: s.say("funktional", "functional"), Hint: s.say("gehört einer Stelle", "belongs to an office")},
	}}
	return templ.Join(
		ErrorSummary(FormFails(s.say("Jemand hat die Zeile inzwischen geändert.", "Somebody has changed the row in the meantime."), []FieldModel{name, primary, kind})),
		PageHead(HeadModel{Title: s.say("Adresse hinzufügen", "Add an address")}),
		Steps([]Step{{Label: s.say("Deaktivieren", "Deactivate"), Done: true}, {Label: s.say("Widerrufen", "Revoke"), Done: true, LeftOut: true}, {Label: s.say("Neuer Name", "New name"), Current: true}, {Label: s.say("Challenges senden", "Send challenges")}}),
		with(Form(FormModel{Action: "/domains/3/rows", Upload: true, Hidden: []Hidden{{"version", "4"}}, Submit: ButtonModel{Label: s.say("Speichern", "Save")}, Cancel: "/domains/3"}),
			Field(name), Field(primary), Field(kind),
			Field(FieldModel{Name: "method", Label: s.say("Nachweis", "Proof"), Type: Select, Value: "dns", Width: "medium", Choices: []Choice{{Value: "dns", Label: "DNS"}, {Value: "mail", Label: "Mail"}}}),
			Field(FieldModel{Name: "until", Label: s.say("Gültig bis", "Valid until"), Type: Date, Value: "2027-05-03", Width: "short"}),
			Field(FieldModel{Name: "code", Label: "Code", Value: "4711", Mono: true, ReadOnly: true, Width: "short"}),
			Field(FieldModel{Name: "comment", Label: s.say("Kommentar", "Comment"), Type: TextArea, Optional: true}),
			Field(FieldModel{Name: "file", Label: s.say("Datei", "File"), Type: File, Optional: true, Accept: ".csv"}),
			Field(FieldModel{Name: "groups", Label: s.say("Gruppen", "Groups"), Type: Checkboxes, Optional: true, Choices: []Choice{{Value: "a", Label: "Rechenzentrum", Ticked: true}, {Value: "b", Label: "Bibliothek"}}}),
			Field(FieldModel{Name: "send", Label: s.say("Gleich Challenges senden", "Send challenges at once"), Type: Checkbox, Value: "on", Hint: s.say("Je Adresse eine Mail.", "One mail for each address.")})),
	)
}

func (s sheet) dialog() templ.Component {
	return with(Dialog(DialogModel{
		Title: s.say("Zeile löschen?", "Delete the row?"),
		What:  []string{s.say("Die Zeile „Acker, Bettina“ und ihre beiden Adressen verschwinden aus der Domain.", "The row “Acker, Bettina” and its two addresses vanish from the domain.")},
		Final: s.say("Das lässt sich nicht rückgängig machen.", "This cannot be undone."),
		Verb:  s.say("Zeile löschen", "Delete the row"), Danger: true, Action: "/rows/1/delete", Cancel: "/rows/1",
	}), Field(FieldModel{Name: "reason", Label: s.say("Grund", "Reason"), Optional: true}))
}

// stage renders every story in both languages and hands each to see.
func stage(t *testing.T, see func(name, lang, page string)) {
	t.Helper()
	for _, lang := range locale.Languages {
		ctx := locale.With(t.Context(), locale.For(lang))
		s := sheet{ctx, time.Date(2027, 3, 14, 8, 5, 0, 0, time.UTC)}
		for name, body := range s.stories() {
			f := s.frame(name)
			f.Failed = name == "form"
			if strings.HasPrefix(name, "problem") {
				f.Person, f.Nav, f.Crumbs, f.Flash, f.SignIn = nil, nil, nil, nil, "/sign-in"
			}
			var b strings.Builder
			if err := with(Page(f), body).Render(ctx, &b); err != nil {
				t.Fatalf("%s %s: %v", name, lang, err)
			}
			if missing := localetest.Missing(b.String()); missing != "" {
				t.Errorf("%s %s: %s", name, lang, missing)
			}
			see(name, lang, b.String())
		}
	}
}

var update = flag.Bool("update", false, "write the golden files anew")

func TestComponentsLookAsAgreed(t *testing.T) {
	t.Parallel()
	for _, lang := range locale.Languages {
		ctx := locale.With(t.Context(), locale.For(lang))
		s := sheet{ctx, time.Date(2027, 3, 14, 8, 5, 0, 0, time.UTC)}
		var b strings.Builder
		if err := templ.Join(s.start(), s.domain(), s.row(), s.form(), s.dialog(), s.keys(), s.many()).Render(ctx, &b); err != nil {
			t.Fatal(err)
		}
		if missing := localetest.Missing(b.String()); missing != "" {
			t.Error(missing)
		}
		got := strings.ReplaceAll(b.String(), "><", ">\n<") + "\n"
		golden := filepath.Join("testdata", "components."+lang+".html")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, string(want)); diff != "" {
			t.Errorf("%s differs (-got +want); if it is meant, run go test ./web/view -update\n%s", golden, diff)
		}
	}
}

func TestTheStoryLiesInOutForTheEye(t *testing.T) {
	t.Parallel()
	out := filepath.Join("..", "..", "out", "story")
	css := filepath.Join(out, "app.css")
	style, err := os.ReadFile(filepath.Join("..", "static", "app.css"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(css, style, 0o644); err != nil {
		t.Fatal(err)
	}
	stage(t, func(name, lang, page string) {
		page = strings.ReplaceAll(page, static.Path("app.css"), "app.css")
		if err := os.WriteFile(filepath.Join(out, name+"."+lang+".html"), []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	})
}
