package mailboxes

import (
	"context"
	"net/http"
	"slices"

	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/mailboxview"
)

// digestModel is the switch of the weekly letter, for those who look after one of the
// domains.
func (s *Section) digestModel(ctx context.Context, by person.Actor, all []org.EmailDomain) (*mailboxview.DigestModel, error) {
	if !slices.ContainsFunc(all, func(d org.EmailDomain) bool { return d.Contact }) {
		return nil, nil
	}
	wants, err := s.Digest.Wants(ctx, by)
	if err != nil {
		return nil, err
	}
	m := &mailboxview.DigestModel{Text: page.T(ctx, "digest.off"), Button: view.ButtonModel{
		Label: page.T(ctx, "digest.begin"), Action: paths.Digest, Hidden: []view.Hidden{{Name: "wants", Value: "yes"}},
	}}
	if wants {
		m.Text, m.Button.Label, m.Button.Hidden = page.T(ctx, "digest.on"), page.T(ctx, "digest.end"), nil
	}
	if by.Email == "" {
		m.Warning = page.T(ctx, "digest.no_address")
	}
	return m, nil
}

func (s *Section) SetDigest(w http.ResponseWriter, r *http.Request) error {
	wants := r.PostFormValue("wants") == "yes"
	if err := s.Digest.Set(r.Context(), s.Actor(r), wants); err != nil {
		return err
	}
	if wants {
		return s.Done(w, r, paths.EmailDomains+"#digest", "digest.begun")
	}
	return s.Done(w, r, paths.EmailDomains+"#digest", "digest.ended")
}
