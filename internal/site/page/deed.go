package page

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"

	"petschaft/internal/person"
	"petschaft/web/view"
)

// FormField is the hidden field by which Doing knows a form that comes twice.
func FormField() view.Hidden { return view.Hidden{Name: "form", Value: rand.Text()} }

// Doing is who acts, with the deed that the form asks for: pressed twice, or sent
// again because no answer came, it happens once. A form that was changed since
// then is another one.
func (p *Page) Doing(r *http.Request) person.Actor {
	by := p.Actor(r)
	if r.PostFormValue("form") == "" {
		return by
	}
	asked := sha256.Sum256([]byte(r.URL.Path + "?" + r.PostForm.Encode()))
	by.Deed = &person.Deed{Key: fmt.Sprintf("form %x", asked), Digest: func() []byte { return asked[:] }}
	return by
}
