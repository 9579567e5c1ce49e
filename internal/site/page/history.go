package page

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"petschaft/internal/audit"
	"petschaft/internal/bulk"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/recipe"
	"petschaft/web/locale"
	"petschaft/web/view"
)

// HistoryLines is how many lines of a history are shown at once.
const HistoryLines = 30

// History is a part of a thing's history.
type History struct {
	Events []view.Event
	Lines  []audit.Entry // what they tell of
	Older  int64         // the line to go on from, 0 at the end
}

// History words the audit lines about a thing that are older than the line
// before (0: from the newest).
func (p *Page) History(ctx context.Context, about audit.Thing, before int64) (History, error) {
	lines, err := audit.About(ctx, p.DB, about, before, HistoryLines+1)
	if err != nil {
		return History{}, err
	}
	h := History{Lines: lines}
	if len(lines) > HistoryLines {
		h.Lines = lines[:HistoryLines]
		h.Older = lines[HistoryLines-1].ID
	}
	who, err := p.WhoDid(ctx, h.Lines)
	if err != nil {
		return History{}, err
	}
	for i, l := range h.Lines {
		h.Events = append(h.Events, view.Event{
			Kind: ActionKind(l.Action), Title: ActionWords(ctx, l.Action), When: view.At(ctx, l.At, p.Now()),
			Who: who[i], Notes: DetailWords(ctx, l),
		})
	}
	return h, nil
}

// WhoDid names who wrote each of the lines, and the token that acted.
func (p *Page) WhoDid(ctx context.Context, lines []audit.Entry) ([]string, error) {
	var ids []person.ID
	var used []person.TokenID
	for _, l := range lines {
		if l.Token != nil && !slices.Contains(used, person.TokenID(*l.Token)) {
			used = append(used, person.TokenID(*l.Token))
		}
		if l.Account != nil && !slices.Contains(ids, person.ID(*l.Account)) {
			ids = append(ids, person.ID(*l.Account))
		}
	}
	names, err := p.people.Names(ctx, ids)
	if err != nil {
		return nil, err
	}
	tokens, err := p.people.TokenNames(ctx, used)
	if err != nil {
		return nil, err
	}
	who := make([]string, len(lines))
	for i, l := range lines {
		who[i] = T(ctx, "audit.portal")
		if l.Account != nil {
			who[i] = names[person.ID(*l.Account)]
		}
		if l.Token != nil {
			who[i] = T(ctx, "audit.token", "name", who[i], "token", tokens[person.TokenID(*l.Token)])
		}
	}
	return who, nil
}

// ActionWords says what an audit line tells; an action of a newer portal is
// told by its name.
func ActionWords(ctx context.Context, action string) string {
	if id := "audit." + action; locale.Has(id) {
		return T(ctx, id)
	}
	return action
}

// ActionKind is how a line about an action looks.
func ActionKind(action string) view.Kind {
	switch action {
	case "mailbox.confirmed", "mailbox.linked", "mailbox.link_checked", "mailbox.activated", "cert.issued", "cert.server_issued", "org.name_validated", "order.approved", "order.approved_by_rule", "order.fulfilled", "recipe.finished",
		"handover.accepted", "handover.finished", "handover.reassigned", "org.reminders_confirmed":
		return view.Good
	case "mailbox.declined", "mailbox.undeliverable", "order.failed", "handover.locked", "cert.unexpected", "cert.revocation_refused", "cert.key_reported":
		return view.Bad
	case "mailbox.conflict", "mailbox.unlinked", "mailbox.unsent", "order.refused", "order.returned", "cert.unwanted", "cert.revoking", "cert.server_revoking", "handover.wrong_password":
		return view.Warn
	case "mailbox.challenged", "mailbox.taken_back", "order.applied", "order.retried", "order.submitted", "order.corrected", "org.name_asked", "recipe.started", "handover.offered", "handover.reassign_asked":
		return view.Open
	case "mailbox.deactivated", "mailbox.expired", "cert.revoked", "cert.server_revoked", "order.rejected", "order.withdrawn", "order.taken_back", "org.name_ended", "org.name_declined", "recipe.cancelled",
		"handover.declined", "handover.cancelled", "handover.replaced", "handover.expired", "handover.reassign_dropped",
		"token.withdrawn", "token.reach_dropped":
		return view.Ended
	}
	return view.Quiet
}

// detailOrder are the values of audit lines that mean something to people.
var detailOrder = [...]string{
	"name", "primary", "aliases", "kind", "applicant", "comment", "address", "holder", "organisation", "language", "to", "answer", "doubtful",
	"server_name", "identifier", "country", "contact", "successor", "wildcard", "auto_approve", "reminders",
	"validation", "proof", "vouching", "authority", "notify", "claims", "groups", "reference", "addresses", "names", "replaces", "serial", "key", "reason", "why", "rules", "verb", "verbs", "networks", "rows", "recipe", "step", "file", "call", "of", "status",
}

// DetailWords says what changed, a line for each value: "Aliasse: alt → neu".
// Numbers that only mean something to the portal are left out.
func DetailWords(ctx context.Context, l audit.Entry) []string {
	var notes []string
	for _, key := range detailOrder {
		id := "audit.detail_" + key
		value := plainDetail(ctx, key, l.Detail[key])
		if pair, ok := l.Detail[key].([]any); ok && len(pair) == 2 && (l.Action == "mailbox.edited" || key == "contact") {
			value = fmt.Sprintf("%s → %s", OrNothing(ctx, plainDetail(ctx, key, pair[0])), OrNothing(ctx, plainDetail(ctx, key, pair[1])))
		}
		if key == "name" && strings.HasPrefix(l.Action, "order.") { // the names of a server
			value = strings.Join(Spelled(strings.Split(value, ", ")), ", ")
		}
		if value != "" {
			notes = append(notes, T(ctx, id)+": "+value)
		}
	}
	return notes
}

// languages are the words for the languages that letters come in.
var languages = map[string]string{"de": "audit.language_de", "en": "audit.language_en"}

func plainDetail(ctx context.Context, key string, v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = plainDetail(ctx, key, x)
		}
		return strings.Join(parts, ", ")
	case bool:
		return map[bool]string{true: T(ctx, "organisation.yes"), false: T(ctx, "organisation.no")}[v]
	case string:
		switch {
		case key == "authority":
			return AuthorityName(ctx, v)
		case key == "names":
			return strings.Join(Spelled(strings.Split(v, ", ")), ", ")
		case key == "serial":
			return serialWords(v)
		case key == "country":
			return CountryWords(ctx, v)
		case key == "language" && languages[v] != "":
			return T(ctx, languages[v])
		case key == "server_name":
			return org.Domain(v).Unicode()
		case key == "kind" && v != "":
			return RowKind(ctx, mailbox.Kind(v))
		case key == "validation" && v == string(org.ByDomain):
			return T(ctx, "audit.validation_domain")
		case key == "recipe" && RecipeWords[recipe.Kind(v)].Title != "":
			return T(ctx, RecipeWords[recipe.Kind(v)].Title)
		case key == "step" && StepWords[recipe.Step(v)].Label != "":
			return T(ctx, StepWords[recipe.Step(v)].Label)
		case key == "verb":
			return T(ctx, bulkVerbs[bulk.Verb(v)])
		case key == "verbs":
			return TokenVerb(ctx, person.Verb(v))
		case key == "why":
			return ReasonWords(ctx, v)
		case key == "validation":
			return T(ctx, "audit.validation_mailbox")
		}
		return v
	}
	if n, ok := v.(float64); ok && key == "reason" {
		if f, known := pki.Reason(n).Facts(); known {
			return T(ctx, f.ID)
		}
	}
	return fmt.Sprint(v)
}

// serialWords are a serial number as it stands everywhere else on pages; v is what
// an audit line holds, plain hexadecimal.
func serialWords(v string) string {
	serial, err := hex.DecodeString(v)
	if err != nil {
		return v
	}
	return pki.Colons(serial)
}

// OrNothing is s, in words where it is empty.
func OrNothing(ctx context.Context, s string) string {
	if s == "" {
		return T(ctx, "audit.nothing")
	}
	return s
}
