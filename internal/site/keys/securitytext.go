package keys

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"petschaft/web/paths"
)

// Security is who is told of flaws in the portal (RFC 9116). Without a contact there is
// no file.
type Security struct {
	Contacts  []string // mailto: or https:, the best first
	Languages []string
}

// securityLife is how long the file says that it is good: RFC 9116, 2.5.5, advises less
// than a year.
const securityLife = 180 * 24 * time.Hour

// SecurityText is /.well-known/security.txt.
func (s *Section) SecurityText(w http.ResponseWriter, r *http.Request) {
	if len(s.Security.Contacts) == 0 {
		http.NotFound(w, r)
		return
	}
	var b strings.Builder
	for _, c := range s.Security.Contacts {
		fmt.Fprintf(&b, "Contact: %s\n", c)
	}
	expires := s.Now().UTC().Truncate(24 * time.Hour).Add(securityLife)
	fmt.Fprintf(&b, "Expires: %s\n", expires.Format(time.RFC3339))
	if len(s.Security.Languages) > 0 {
		fmt.Fprintf(&b, "Preferred-Languages: %s\n", strings.Join(s.Security.Languages, ", "))
	}
	fmt.Fprintf(&b, "Canonical: %s\n", s.Base.Scheme+"://"+s.Base.Host+paths.SecurityText)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "max-age=3600")
	_, _ = w.Write([]byte(b.String()))
}
