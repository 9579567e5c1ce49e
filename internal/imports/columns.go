package imports

import (
	"regexp"
	"slices"
	"strings"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
)

// headings are the words over a column, as heading leaves them.
var headings = map[Field][]string{
	FieldLast: {
		"lastname", "surname", "familyname", "nachname", "familienname", "zuname", "name1", "sn", "nachnamefunktion", "namefamilyname",
	},
	FieldFirst: {"firstname", "givenname", "forename", "vorname", "vornamen", "rufname", "namegivenname"},
	FieldName: {
		"displayname", "anzeigename", "name", "fullname", "vollername", "vollstaendigername", "adminfriendlyname", "cn", "commonname",
		"bezeichnung", "namefullname",
	},
	FieldPrimary: {
		"primaryemail", "primaryemailaddress", "primaryaddress", "primarymail", "primarysmtpaddress", "primaereemail", "primaereemailadresse",
		"primaereadresse", "primaeremail", "hauptadresse", "hauptemail", "email", "emailaddress", "emailadresse", "mail", "mailadresse",
		"mailaddress", "absenderadresse", "senderaddress", "senderemail", "adresse", "address", "windowsemailaddress", "smtpaddress",
	},
	FieldAlias1: {
		"aliasemail1", "alias1", "aliasemailaddress1", "aliasemailadresse1", "aliasadresse1", "aliasaddress1", "emailalias1", "1alias",
		"ersteralias", "firstalias", "1aliasemail",
	},
	FieldAlias2: {
		"aliasemail2", "alias2", "aliasemailaddress2", "aliasemailadresse2", "aliasadresse2", "aliasaddress2", "emailalias2", "2alias",
		"zweiteralias", "secondalias", "2aliasemail",
	},
	FieldAliases: {
		"aliasemails", "aliases", "aliasse", "alias", "aliasemail", "aliasadressen", "aliasaddresses", "aliasadresse", "aliasaddress",
		"aliasemailadressen", "aliasemailaddresses", "aliasemailadresse", "aliasemailaddress", "aliasnamen", "emailaliases", "emailaliasse",
		"emailalias", "weitereadressen", "weitereemailadressen", "otheraddresses",
	},
	FieldProxies: {"proxyaddresses", "proxyadressen", "emailaddresses", "smtpaddresses"},
	FieldKind: {
		"mailboxtype", "typeofmailbox", "mailboxkind", "postfachtyp", "postfachart", "typdespostfachs", "mailboxtyp", "typ", "type", "art",
		"kind", "adresstyp", "addresstype", "recipienttypedetails", "recipienttype",
	},
	FieldApplicant: {
		"applicantemail", "applicantemailaddress", "applicantaddress", "applicant", "applicantmail", "emailapplicant", "emailofapplicant",
		"antragstelleremail", "antragstelleremailadresse", "antragstelleradresse", "antragsteller", "antragstellermail", "emailantragsteller",
		"emaildesantragstellers", "emailadresseantragsteller", "emailadressedesantragstellers", "antragstellerin", "antragstellerinemail",
		"emailantragstellerin", "verantwortlich", "verantwortlicheperson", "responsible",
	},
	FieldComment: {
		"comment", "comments", "remark", "remarks", "note", "notes", "kommentar", "kommentare", "bemerkung", "bemerkungen", "notiz", "notizen",
		"anmerkung", "anmerkungen", "hinweis", "description", "beschreibung",
	},
}

// kindWords are the mailbox types that the portal looks after, as heading
// leaves them.
var kindWords = map[mailbox.Kind][]string{
	mailbox.Personal: {
		"personal", "person", "persoenlich", "persoenliches", "persoenlichespostfach", "persoenlicheadresse", "personalmailbox", "user",
		"usermailbox", "remoteusermailbox", "linkedmailbox", "benutzer", "benutzerpostfach", "nutzer", "nutzerpostfach", "private", "individual", "personenpostfach", "personenadresse",
	},
	mailbox.Functional: {
		"functional", "function", "functionalmailbox", "functionaladdress", "funktional", "funktion", "funktionspostfach", "funktionsadresse",
		"funktionales", "funktionalespostfach", "funktionaleadresse", "shared", "sharedmailbox", "gemeinsam", "gemeinsamespostfach",
		"gemeinschaftspostfach", "freigegebenespostfach", "geteilt", "geteiltespostfach", "role", "rolemailbox", "rollenpostfach",
		"remotesharedmailbox", "freigegeben", "groupmailbox", "gruppenpostfach", "team", "teampostfach", "teammailbox",
	},
}

// plainWords turns what people write differently over the same column into one:
// letters and digits only, lower case, umlauts spelled out.
var plainWords = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "a\u0308", "ae", "o\u0308", "oe", "u\u0308", "ue")

func heading(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, plainWords.Replace(strings.ToLower(s)))
}

// signInNames are over what is the primary address of most people, where no
// other column holds it.
var signInNames = []string{"userprincipalname", "upn", "benutzerprinzipalname"}

// remark is what stands in brackets behind a heading: "[Required]", "(given)".
var remark = regexp.MustCompile(`\[[^\]]*\]|\([^)]*\)`)

// is tells whether h is one of the words over f, with or without a remark.
func (f Field) is(h string) bool {
	return slices.Contains(headings[f], heading(h)) || slices.Contains(headings[f], heading(remark.ReplaceAllString(h, "")))
}

// guessColumns tells by its words what each column holds. The first of several
// that say the same counts. "Name" is the last name where there is a first one.
func guessColumns(header []string) []Field {
	columns := make([]Field, len(header))
	for i, h := range header {
		for _, f := range Fields {
			if f.is(h) && !slices.Contains(columns, f) {
				columns[i] = f
				break
			}
		}
	}
	name := slices.Index(columns, FieldName)
	if name >= 0 && heading(header[name]) == "name" && slices.Contains(columns, FieldFirst) && !slices.Contains(columns, FieldLast) {
		columns[name] = FieldLast
	}
	for i, h := range header {
		if columns[i] == "" && !keyed(columns) && slices.Contains(signInNames, heading(h)) {
			columns[i] = FieldPrimary
		}
	}
	return columns
}

// readKind tells the mailbox type; ok is false for one that the portal does not
// look after. An empty one is for the rules to refuse.
func readKind(s string) (k mailbox.Kind, ok bool) {
	if strings.TrimSpace(s) == "" {
		return "", true
	}
	word := heading(s)
	for _, k := range [...]mailbox.Kind{mailbox.Personal, mailbox.Functional} {
		if slices.Contains(kindWords[k], word) {
			return k, true
		}
	}
	return "", false
}

// checkColumns refuses columns that make no plan.
func checkColumns(rd Reading, header []string) error {
	columns := rd.Columns
	var bad fault.Fields
	if len(columns) != len(header) {
		bad.Add("columns", "mailbox.import.columns_differ", "columns", len(header), "given", len(columns))
		return bad.Err()
	}
	for i, c := range columns {
		switch {
		case c == "":
		case !slices.Contains(Fields[:], c):
			bad.Add("columns", "mailbox.import.column_unknown", "column", string(c))
		case slices.Contains(columns[:i], c):
			bad.Add("columns", "mailbox.import.column_twice", "column", header[i])
		}
	}
	if !keyed(columns) {
		bad.Add("columns", "mailbox.import.no_primary", "line", max(1, rd.HeaderLine), "headings", shown(header))
	}
	return bad.Err()
}

// shown are headings for a person, cut where they are many or long.
func shown(header []string) string {
	cut := make([]string, len(header))
	for i, h := range header {
		if r := []rune(h); len(r) > 40 {
			h = string(r[:40]) + "…"
		}
		cut[i] = h
	}
	return strings.Join(cut[:min(len(cut), 20)], " | ")
}
