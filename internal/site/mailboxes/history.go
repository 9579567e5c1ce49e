package mailboxes

import (
	"context"

	"petschaft/internal/audit"
	"petschaft/internal/mailbox"
	"petschaft/internal/site/page"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// history is the history of a row, with what became of the mails of its rounds
// and with links to the larger work that a line was part of.
func (s *Section) history(ctx context.Context, row mailbox.Row, rounds []mailbox.Round, before int64) (page.History, error) {
	h, err := s.History(ctx, row.ID.Thing(), before)
	if err != nil {
		return page.History{}, err
	}
	things, err := audit.Things(ctx, s.DB, h.Lines)
	if err != nil {
		return page.History{}, err
	}
	for i, l := range h.Lines {
		e := &h.Events[i]
		e.Links = partLinks(ctx, row, things[l.ID])
		if mails := deliveries(ctx, l, rounds); len(mails) > 0 {
			e.Notes = mails
		}
	}
	return h, nil
}

// partLinks lead to the import, the bulk work or the recipe that a line was part
// of, and to the certificate that it is about.
func partLinks(ctx context.Context, row mailbox.Row, things []audit.Thing) (ls []view.Link) {
	base := paths.EmailDomain(row.DomainName)
	for _, x := range things {
		switch x.Kind {
		case "import":
			ls = append(ls, view.Link{Label: page.T(ctx, "history.import"), Href: base + "/imports/" + page.ID(x.ID)})
		case "bulk":
			ls = append(ls, view.Link{Label: page.T(ctx, "history.bulk"), Href: base + "/bulk/" + page.ID(x.ID)})
		case "recipe":
			ls = append(ls, view.Link{Label: page.T(ctx, "history.recipe"), Href: paths.Recipe(x.ID)})
		case "certificate":
			ls = append(ls, view.Link{Label: page.T(ctx, "history.certificate"), Href: paths.ClientCertificate(x.ID)})
		}
	}
	return ls
}

// deliveries say of each mail of the round that a line tells of how far it came;
// nothing when the round is not among those given.
func deliveries(ctx context.Context, l audit.Entry, rounds []mailbox.Round) (notes []string) {
	round, _ := l.Detail["round"].(float64)
	for _, n := range rounds {
		if l.Action != "mailbox.challenged" || n.ID != int64(round) {
			continue
		}
		for _, c := range n.Challenges {
			note := page.T(ctx, "round.challenge", "address", string(c.Recipient), "state", stateWord(ctx, c))
			if c.Sent != nil {
				note += ", " + page.T(ctx, "history.sent", "at", locale.From(ctx).DateTime(*c.Sent))
			}
			if c.Answer != "" && (c.State == mailbox.Deferred || c.State == mailbox.Failed) {
				note += " (" + c.Answer + ")"
			}
			notes = append(notes, note)
		}
	}
	return notes
}
