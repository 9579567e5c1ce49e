package view

import (
	"context"
	"slices"
	"strconv"

	"petschaft/web/locale"
)

// pageForms are the forms of a page, noted while it is put together: the buttons
// for the language, which stand above them, take along what was typed.
type pageForms struct {
	account string // whose page it is
	step    string // that a form of several is about, for the title
	kept    string // where the form is sent to that came back, "" for none
	unsent  bool   // Frame.Unsent
	all     []*pageForm
}

// pageForm is a form that somebody may type into.
type pageForm struct {
	id, action, method string
	submit             ButtonModel // that Enter presses
	typed, secret      bool        // it asks something; a password
	file               bool        // it takes one
}

type formsKey struct{}

func formsOf(ctx context.Context) *pageForms {
	p, _ := ctx.Value(formsKey{}).(*pageForms)
	return p
}

// startForm notes a form of the page and returns its id, "" where no page is
// put together.
func startForm(ctx context.Context, method, action string, submit ButtonModel) string {
	p := formsOf(ctx)
	if p == nil {
		return ""
	}
	id := "form-" + strconv.Itoa(len(p.all)+1)
	p.all = append(p.all, &pageForm{id: id, action: action, method: method, submit: submit})
	return id
}

// asks notes that the form begun last asks m.
func asks(ctx context.Context, m FieldModel) {
	p := formsOf(ctx)
	if p == nil || len(p.all) == 0 || m.ReadOnly {
		return
	}
	f := p.all[len(p.all)-1]
	if f.file = f.file || m.Type == File; m.Type == File {
		return
	}
	f.typed, f.secret = true, f.secret || m.Name == "password"
}

// main is the form that goes along with a change of language: the one that came
// back, else the first that asks something and is posted, else the first search;
// nil for none. A script chooses the one that was typed into.
func (p *pageForms) main() *pageForm {
	if i := slices.IndexFunc(p.all, func(f *pageForm) bool {
		return f.action == p.kept && f.method == "post" && (f.typed || p.unsent) && !f.secret
	}); i >= 0 {
		return p.all[i]
	}
	var search *pageForm
	for _, f := range p.all {
		switch {
		case !f.typed || f.secret:
		case f.method == "post":
			return f
		case search == nil:
			search = f
		}
	}
	return search
}

// back says that the form main came back, and what did not come back with it.
func (p *pageForms) back(ctx context.Context, main *pageForm) string {
	words := locale.T(ctx, "kept.shown")
	if main == nil {
		return words
	}
	if slices.ContainsFunc(p.all, func(f *pageForm) bool { return f != main && f.typed && f.method == "post" }) {
		words = locale.T(ctx, "kept.shown_one", "button", main.submit.Label)
	}
	if main.file {
		words += " " + locale.T(ctx, "kept.shown_file")
	}
	return words
}

// stepNow notes which of several steps a page with a form is about: their pages
// have different titles.
func stepNow(ctx context.Context, steps []Step) {
	p := formsOf(ctx)
	for i, s := range steps {
		if p != nil && s.Current {
			p.step = locale.T(ctx, "steps.title", "place", i+1, "of", len(steps), "step", s.Label)
		}
	}
}

// owner is the account that a form says it belongs to, "" for nobody's.
func owner(ctx context.Context) string {
	if p := formsOf(ctx); p != nil {
		return p.account
	}
	return ""
}
