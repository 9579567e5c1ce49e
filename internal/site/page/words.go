package page

import (
	"context"
	"time"

	"petschaft/internal/bulk"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/mailbox"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/recipe"
	"petschaft/web/locale"
	"petschaft/web/paths"
	"petschaft/web/view"
)

// Patience is how long an application takes before the page says that it takes
// longer than usual.
const Patience = time.Minute

// nameMost is how many characters of a name a certificate holds (RFC 5280,
// appendix A).
const nameMost = 64

// ReasonWords says why an application was refused or failed: the message id of
// a fault, without the values of its blanks.
func ReasonWords(ctx context.Context, reason string) string {
	switch {
	case reason == "":
		return ""
	case reason == "mailbox.apply.have":
		return T(ctx, "order.refused.have")
	case reason == "pki.request.name_long":
		return T(ctx, reason, "most", nameMost)
	case locale.Has(reason):
		return T(ctx, reason)
	case unwantedWords[mail.Ended(reason)] != "":
		return T(ctx, unwantedWords[mail.Ended(reason)])
	}
	return reason
}

// unwantedWords say why nobody wanted a certificate any more when it came.
var unwantedWords = map[mail.Ended]string{
	mail.EndedWish: "cert.ended_wish", mail.EndedRow: "cert.ended_row", mail.EndedLink: "cert.ended_link", mail.EndedName: "cert.ended_name",
	mail.EndedAccount: "cert.ended_account", mail.EndedLater: "cert.ended_later", mail.EndedSurplus: "cert.ended_surplus",
	mail.EndedRejected: "cert.ended_rejected", mail.EndedKey: "cert.ended_key", mail.EndedRight: "cert.ended_right",
}

var bulkVerbs = map[bulk.Verb]string{
	bulk.Challenge: "bulk.verb_challenge", bulk.Deactivate: "bulk.verb_deactivate", bulk.Activate: "bulk.verb_activate",
	bulk.Comment: "bulk.verb_comment", bulk.Delete: "bulk.verb_delete",
}

// BulkVerb words what a bulk does.
func BulkVerb(ctx context.Context, v bulk.Verb) string { return T(ctx, bulkVerbs[v]) }

// RowKind words whose address a row is.
func RowKind(ctx context.Context, k mailbox.Kind) string {
	if k == mailbox.Functional {
		return T(ctx, "row.functional")
	}
	return T(ctx, "row.personal")
}

// Because is why something may not be, in words; "" when it may.
func Because(ctx context.Context, err error) string {
	if err == nil {
		return ""
	}
	f := fault.Of(err)
	return T(ctx, f.ID, f.Args...)
}

// RecipeWords are the message ids of each recipe.
var RecipeWords = map[recipe.Kind]struct{ Button, Title, Lead, Warning string }{
	recipe.Reuse:      {"recipe.reuse_button", "recipe.reuse_title", "recipe.reuse_lead", "recipe.reuse_warning"},
	recipe.RenameNew:  {"recipe.rename-new_button", "recipe.rename-new_title", "recipe.rename-new_lead", ""},
	recipe.RenameSame: {"recipe.rename-same_button", "recipe.rename-same_title", "recipe.rename-same_lead", ""},
	recipe.Applicant:  {"recipe.applicant_button", "recipe.applicant_title", "recipe.applicant_lead", ""},
	recipe.Left:       {"recipe.left_button", "recipe.left_title", "recipe.left_lead", ""},
}

// StepWords are the message ids of each step: its name, what it does, the button
// that does it, and what is said when it is done.
var StepWords = map[recipe.Step]struct{ Label, What, Verb, Done string }{
	recipe.Deactivate:   {"recipe.deactivate", "recipe.deactivate_what", "step.deactivate_verb", "step.deactivate_done"},
	recipe.Revoke:       {"recipe.revoke", "recipe.revoke_what", "recipe.revoke_verb", "recipe.revoke_done"},
	recipe.Name:         {"recipe.name", "recipe.name_same_what", "recipe.name_verb", "recipe.name_done"},
	recipe.NewRow:       {"recipe.row", "recipe.row_what", "recipe.row_verb", "recipe.row_done"},
	recipe.NewApplicant: {"recipe.applicant", "recipe.applicant_what", "recipe.applicant_verb", "recipe.applicant_done"},
	recipe.Activate:     {"recipe.activate", "recipe.activate_what", "step.activate_verb", "step.activate_done"},
	recipe.Challenge:    {"recipe.challenge", "recipe.challenge_what", "step.challenges_verb", "step.challenges_done"},
	recipe.Hand:         {"recipe.hand", "recipe.hand_what", "recipe.hand_verb", "recipe.hand_done"},
}

// Moment words at, which may not have come.
func Moment(ctx context.Context, at *time.Time, now time.Time) view.Moment {
	if at == nil {
		return view.Moment{}
	}
	return view.At(ctx, *at, now)
}

// Dated words the times among the blanks of a message as days.
func Dated(ctx context.Context, now time.Time, args []any) []any {
	worded := make([]any, len(args))
	for i, a := range args {
		if at, ok := a.(time.Time); ok {
			a = view.Day(ctx, at, now).Text
		}
		worded[i] = a
	}
	return worded
}

// Spelled are names of servers as people write them.
func Spelled(names []string) []string {
	return cert.SpelledAll(names)
}

// AuthorityName is an authority as pages call it: by its name, the portal's own
// ones in words.
func AuthorityName(ctx context.Context, name string) string {
	if OwnAuthority(name) {
		return T(ctx, "authority.own")
	}
	return name
}

// TroubleWords say what happened on the way to an authority; "" where it was heard.
func TroubleWords(ctx context.Context, id string) string {
	switch {
	case id == "":
		return ""
	case locale.Has(id):
		return T(ctx, id)
	}
	return T(ctx, "issuance.trouble.away")
}

// OwnAuthority tells whether a name is one of the portal's own authorities, which
// need none; "" is.
func OwnAuthority(name string) bool { return name == "" || pki.OwnAuthority(name) }

// CountryWords is a country as pages show it.
func CountryWords(ctx context.Context, code string) string {
	if name := org.CountryName(locale.From(ctx).Lang(), code); name != code {
		return name + " (" + code + ")"
	}
	return code
}

// ProductName words the product that a certificate was ordered as.
func ProductName(ctx context.Context, code string) string {
	switch code {
	case "tls-single":
		return T(ctx, "server.product_single")
	case "tls-multi":
		return T(ctx, "server.product_multi")
	case "tls-wildcard":
		return T(ctx, "server.product_wildcard")
	case "":
		return T(ctx, "server.product_foreign")
	}
	return code
}

// BulkPath is the address of x.
func BulkPath(x bulk.Bulk) string { return paths.Bulk(x.DomainName, x.ID) }

// RowPath is the address of r.
func RowPath(r mailbox.Row) string { return paths.Row(r.DomainName, r.ID) }

// T words id in the reader's language.
func T(ctx context.Context, id string, args ...any) string { return locale.From(ctx).T(id, args...) }

// Addresses are addresses as pages show them; not every section of theirs knows org.
func Addresses(as []org.Address) []string { return org.Plain(as) }

// TokenVerb words what a token may do.
func TokenVerb(ctx context.Context, v person.Verb) string {
	switch v {
	case person.ReadAddresses:
		return T(ctx, "token.verb_addresses_read")
	case person.WriteAddresses:
		return T(ctx, "token.verb_addresses_write")
	case person.SendChallenges:
		return T(ctx, "token.verb_challenges_send")
	case person.WriteImports:
		return T(ctx, "token.verb_imports_write")
	case person.ReadClientCertificates:
		return T(ctx, "token.verb_client_certificates_read")
	case person.RevokeClientCertificates:
		return T(ctx, "token.verb_client_certificates_revoke")
	case person.ReadOrders:
		return T(ctx, "token.verb_orders_read")
	case person.WriteOrders:
		return T(ctx, "token.verb_orders_write")
	case person.ReadCertificates:
		return T(ctx, "token.verb_certificates_read")
	case person.RevokeCertificates:
		return T(ctx, "token.verb_certificates_revoke")
	}
	return string(v)
}
