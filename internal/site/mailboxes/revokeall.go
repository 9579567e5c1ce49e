package mailboxes

import (
	"context"
	"net/http"
	"slices"
	"time"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/pki"
	"petschaft/internal/site/page"
	"petschaft/web/view"
	"petschaft/web/view/mailboxview"
)

func (s *Section) AskRevoke(w http.ResponseWriter, r *http.Request) error {
	row, err := s.LoadRow(r)
	if err != nil {
		return err
	}
	if err := cert.MayRevokeAll(row); err != nil {
		return err
	}
	return s.revokePage(w, r, row, pki.Unspecified, nil)
}

func (s *Section) Revoke(w http.ResponseWriter, r *http.Request) error {
	row, err := s.LoadRow(r)
	if err != nil {
		return err
	}
	why := page.TypedReason(r)
	found, err := s.Cert.OfRow(r.Context(), s.Actor(r), row.ID, rowCertificatesShown)
	if err != nil {
		return err
	}
	done := "cert.revoke_all_done"
	if onlyEarlier(found, s.Now()) {
		done = "cert.note_all_done"
	}
	n, err := s.Cert.RevokeAll(r.Context(), s.Actor(r), string(row.DomainName), row.ID, why)
	if err != nil && page.Answerable(err) && cert.MayRevokeAll(row) == nil {
		return s.revokePage(w, r, row, why, err)
	}
	if err != nil {
		return err
	}
	if n == 0 { // somebody was faster
		return fault.New(fault.Conflict, "cert.revoke.none")
	}
	return s.Done(w, r, page.RowPath(row), done, "n", n)
}

// revokePage asks why; failed is why the form came back.
func (s *Section) revokePage(w http.ResponseWriter, r *http.Request, row mailbox.Row, why pki.Reason, failed error) error {
	ctx, path := r.Context(), page.RowPath(row)
	n, err := s.Cert.ValidAt(ctx, s.DB, s.Now(), row.ID, time.Time{})
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.New(fault.Conflict, "cert.revoke.none")
	}
	found, err := s.Cert.OfRow(ctx, s.Actor(r), row.ID, rowCertificatesShown)
	if err != nil {
		return err
	}
	m := mailboxview.RevokeAllModel{
		Dialog: view.DialogModel{
			Title: page.T(ctx, "cert.revoke_all_title"), What: []string{page.T(ctx, "cert.revoke_all_what", "n", n), page.T(ctx, "cert.revoke_all_told")},
			Final: page.T(ctx, "cert.revoke_final"), Action: path + "/revoke", Verb: page.T(ctx, "cert.revoke_all"), Danger: true, Cancel: path,
		},
		Caption: page.T(ctx, "cert.revoke_all_list", "address", string(row.Primary)),
		Reason:  page.ReasonModel(ctx, pki.Reasons(row.Officer), why, failed),
	}
	earlier := false
	for _, c := range found {
		if mayEnd(c, s.Now()) {
			m.Lines, earlier = append(m.Lines, s.CertificateLine(ctx, c)), earlier || c.Earlier
		}
	}
	switch {
	case earlier && onlyEarlier(found, s.Now()) && n == len(m.Lines):
		m.Dialog.Title, m.Dialog.Verb = page.T(ctx, "cert.note_revoked_title"), page.T(ctx, "cert.note_all_revoked")
		m.Dialog.What = []string{page.T(ctx, "cert.revoke_all_foreign"), page.T(ctx, "cert.revoke_all_told")}
	case earlier:
		m.Dialog.What = append(m.Dialog.What, page.T(ctx, "cert.revoke_all_foreign"))
	}
	if more := n - len(m.Lines); more > 0 {
		m.More = page.T(ctx, "cert.revoke_all_more", "n", more)
	}
	f, status := s.RowFrame(r, row, m.Dialog.Title), http.StatusOK
	if failed != nil {
		f, status = s.Refused(w, f, failed)
	}
	return s.Show(w, r, status, mailboxview.RevokeAll(f, m))
}

// mayEnd tells whether revoking c would change anything.
func mayEnd(c cert.Certificate, now time.Time) bool {
	return c.Revoked == nil && c.Revoking == nil && !now.After(c.NotAfter)
}

// onlyEarlier tells whether all of found that could be revoked come from another
// authority: then the portal notes it, and no list of its own tells of it.
func onlyEarlier(found []cert.Certificate, now time.Time) bool {
	return !slices.ContainsFunc(found, func(c cert.Certificate) bool { return mayEnd(c, now) && !c.Earlier })
}

// offerRevokeAll puts the step among those of the row's page, or says why it is
// not possible. The row has certificates to revoke, noted ones or others.
func offerRevokeAll(ctx context.Context, row mailbox.Row, noted bool, m *mailboxview.AddressRowModel) {
	err := cert.MayRevokeAll(row)
	if f := fault.Of(err); f != nil && f.Kind == fault.Conflict {
		m.Reasons = append(m.Reasons, page.T(ctx, f.ID, f.Args...))
	}
	if err == nil {
		b := view.ButtonModel{Label: page.T(ctx, "cert.revoke_all"), Href: page.RowPath(row) + "/revoke", Kind: view.Danger, Icon: view.IconBan}
		if noted {
			b.Label = page.T(ctx, "cert.note_all_revoked")
		}
		m.Actions = append(m.Actions, b)
	}
}
