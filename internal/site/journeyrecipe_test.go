package site_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	chromium "petschaft/internal/browser"
	"petschaft/internal/mailbox"
	"petschaft/internal/recipe"
	"petschaft/internal/site/sitetest"
)

// guided is one recipe as nora goes through it: what she fills in by step.
type guided struct {
	kind  recipe.Kind
	typed map[recipe.Step]map[string]string // label ids to what is typed
}

var guides = []guided{
	{recipe.Reuse, map[recipe.Step]map[string]string{recipe.Name: {"recipe.name_new": "Bach, Bob"}}},
	{recipe.RenameSame, map[recipe.Step]map[string]string{recipe.Name: {"recipe.name_new": "Bussard, Ada", "form.alias1": "ada.bussard@uni.example"}}},
	{recipe.RenameNew, map[recipe.Step]map[string]string{recipe.NewRow: {"recipe.name_new": "Bussard, Ada", "recipe.row_primary": "bussard@uni.example"}}},
	{recipe.Applicant, map[recipe.Step]map[string]string{recipe.NewApplicant: {"recipe.applicant_new": "bob.bach@uni.example"}}},
	{recipe.Left, nil},
}

// verbs are the buttons that do the steps.
var verbs = map[recipe.Step]string{
	recipe.Deactivate: "step.deactivate_verb", recipe.Revoke: "recipe.revoke_verb", recipe.Name: "recipe.name_verb", recipe.NewRow: "recipe.row_verb",
	recipe.NewApplicant: "recipe.applicant_verb", recipe.Activate: "step.activate_verb", recipe.Challenge: "step.challenges_verb", recipe.Hand: "recipe.hand_verb",
}

// TestRecipesInABrowser walks each recipe to its end by its buttons, and one of
// them without script and in English, and looks at every page on the way.
func TestRecipesInABrowser(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"de", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			s := newSight(t, lang)
			s.pages["nora"] = s.room.Visitor("nora", chromium.Speaking(lang), func(p *chromium.Page) {
				if lang == "en" {
					chromium.NoScript(p)
				}
			})
			s.pages["nora"].Goto(s.At("/signin"))
			s.pages["nora"].Press(sitetest.People["nora"])
			all := guides
			if lang == "en" {
				all = guides[1:2]
			}
			for _, w := range all {
				s.guide(w)
			}
		})
	}
}

func (s *sight) guide(w guided) {
	s.T.Helper()
	local := "ada-" + string(w.kind)
	in := mailbox.Input{Kind: mailbox.Personal, Name: "Adler, Ada", Primary: local + "@uni.example"}
	if w.kind == recipe.Applicant {
		in = mailbox.Input{Kind: mailbox.Functional, Name: "Sekretariat", Primary: local + "@uni.example", Applicant: "ada.adler@uni.example"}
	}
	if w.kind == recipe.Left {
		s.AddRow(mailbox.Input{Kind: mailbox.Functional, Name: "Bibliothek, Servicetheke", Primary: "bibliothek@uni.example", Applicant: local + "@uni.example"})
	}
	row := s.LinkInput(in, "ada")
	s.Certified("ada", row)
	s.Clock.Advance(2 * time.Minute)
	page := s.look("nora", "recipe-"+string(w.kind)+"-row", fmt.Sprintf("/email-domains/uni.example/rows/%d", row), http.StatusOK)
	page.Follow(s.say("recipe." + string(w.kind) + "_button"))
	s.judge(page, "recipe-"+string(w.kind)+"-start", http.StatusOK)
	begin := "recipe.start"
	if w.kind == recipe.Reuse {
		begin = "recipe.start_anyway"
	}
	page.Press(s.say(begin))
	for _, step := range w.kind.Steps() {
		s.judge(page, "recipe-"+string(w.kind)+"-"+string(step), http.StatusOK)
		for label, text := range w.typed[step] {
			page.Fill(s.say(label), text)
		}
		page.Press(s.say(verbs[step]))
		s.Clock.Advance(2 * time.Minute)
	}
	page.Has(s.say("recipe.over"))
	s.judge(page, "recipe-"+string(w.kind)+"-over", http.StatusOK)
	s.look("nora", "recipe-"+string(w.kind)+"-row-after", fmt.Sprintf("/email-domains/uni.example/rows/%d", row), http.StatusOK)
}
