package site

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"

	"petschaft/internal/person"
	"petschaft/web/view"
)

// formName is the hidden field by which doing knows a form that comes twice.
func formName() view.Hidden { return view.Hidden{Name: "form", Value: rand.Text()} }

// doing is who acts, with the deed that the form asks for: pressed twice, or sent
// again because no answer came, it happens once. A form that was changed since
// then is another one.
func (s *Site) doing(r *http.Request) person.Actor {
	by := s.actor(r)
	if r.PostFormValue("form") == "" {
		return by
	}
	asked := sha256.Sum256([]byte(r.URL.Path + "?" + r.PostForm.Encode()))
	by.Deed = &person.Deed{Key: fmt.Sprintf("form %x", asked), Digest: func() []byte { return asked[:] }}
	return by
}
