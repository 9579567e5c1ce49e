package view

import (
	"context"
	"strconv"

	"petschaft/web/locale"
)

// pageForms are the forms of a page, noted while it is put together: the buttons
// for the language, which stand above them, take along what was typed.
type pageForms struct {
	account string // whose page it is
	step    string // that a form of several is about, for the title
	all     []*pageForm
}

// pageForm is a form that somebody may type into.
type pageForm struct {
	id, action, method string
	submit             ButtonModel // that Enter presses
	typed, secret      bool        // it asks something; a password
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
	if p == nil || len(p.all) == 0 || m.ReadOnly || m.Type == File {
		return
	}
	f := p.all[len(p.all)-1]
	f.typed, f.secret = true, f.secret || m.Name == "password"
}

// main is the form that goes along with a change of language: the first that asks
// something and is posted, else the first search; nil for none. A script chooses
// the one that was typed into.
func (p *pageForms) main() *pageForm {
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
