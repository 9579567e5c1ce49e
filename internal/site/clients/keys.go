package clients

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/site/page"
	"petschaft/web/paths"
	"petschaft/web/view"
	"petschaft/web/view/clientview"
)

// Keys that are made in a browser never come here: scripts make them, keep them
// and put them into files. Pages only say which key they speak of, by the
// SHA-256 of its public part.

func keyID(id []byte) string { return hex.EncodeToString(id) }

// applicationWaiting is what is said to the applicant of an application whose
// key waits.
func applicationWaiting(ctx context.Context, by person.Actor, a order.Application) view.WaitingModel {
	if a.Account != by.Account {
		return view.WaitingModel{}
	}
	m := view.WaitingModel{Key: keyID(a.KeyID), Title: page.T(ctx, "key.waits")}
	switch a.State {
	case order.Issued:
		m.Label, m.Href, m.Go = page.T(ctx, "key.save"), p12Path(*a.Certificate), true
	case order.Failed: // which may be retried
		m.Text, m.Forget = page.T(ctx, "key.waits_in_vain"), true
	case order.Refused, order.Withdrawn:
		m.Text, m.Forget = page.T(ctx, "key.waits_over"), true
	default:
		m.Text = page.T(ctx, "key.waits_open")
	}
	return m
}

// waiting is what is said of a certificate whose key waits.
func waiting(ctx context.Context, c cert.Certificate, key pki.Key) view.WaitingModel {
	id := sha256.Sum256(key.SPKI)
	return view.WaitingModel{
		Key: keyID(id[:]), Title: page.T(ctx, "key.waits"), Text: page.T(ctx, "key.waits_issued"),
		Label: page.T(ctx, "key.save"), Href: p12Path(c.ID), Forget: true,
	}
}

// OwnKey leads on with a key that waits in the browser: to the P12 file, to the
// application, or to the form when nothing was sent yet.
func (s *Section) OwnKey(w http.ResponseWriter, r *http.Request) error {
	key, err := hex.DecodeString(chi.URLParam(r, "key"))
	if err != nil || len(key) != sha256.Size {
		return fault.New(fault.Missing, "")
	}
	a, err := s.Order.ByKey(r.Context(), s.Actor(r), key)
	row, bad := strconv.ParseInt(r.URL.Query().Get("row"), 10, 64)
	switch {
	case fault.Is(err, fault.Missing) && bad == nil:
		http.Redirect(w, r, paths.Apply(mailbox.ID(row)), http.StatusSeeOther)
	case err != nil:
		return err
	case a.Certificate != nil:
		http.Redirect(w, r, p12Path(*a.Certificate), http.StatusSeeOther)
	default:
		http.Redirect(w, r, paths.Application(a.ID), http.StatusSeeOther)
	}
	return nil
}

func p12Path(n cert.ID) string { return paths.ClientCertificate(n) + "/p12" }

// P12 is the last step of an application whose key was made in the browser. It
// is for the holder of the certificate only.
func (s *Section) P12(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	c, err := s.load(r)
	if err != nil {
		return err
	}
	if !c.Mine {
		return fault.New(fault.Missing, "")
	}
	p, err := pki.ParseCertificate(c.DER)
	if err != nil {
		return err
	}
	id, path, address := sha256.Sum256(p.Key.SPKI), paths.ClientCertificate(c.ID), c.Reference
	if len(c.Emails) > 0 {
		address = c.Emails[0]
	}
	m := clientview.P12Model{
		Head: view.HeadModel{Title: page.T(ctx, "key.p12_title")}, Steps: applySteps(ctx, 3), Key: keyID(id[:]),
		Chain: path + "/chain.pem", Name: address + " " + c.Reference, File: fileName(address) + "-" + c.Reference + ".p12",
		Addresses: c.Emails, Ends: view.Ends(ctx, c.NotAfter, s.Now()), Back: path, Help: paths.HelpInstall,
	}
	crumbs := append(crumbs(ctx, c), view.Link{Label: c.Reference, Href: path})
	return s.Show(w, r, http.StatusOK, clientview.P12(s.Frame(r, m.Head.Title, crumbs...), m))
}

// fileName is an address as every file system takes it.
func fileName(address string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@", r) {
			return r
		}
		return '_'
	}, address)
}
