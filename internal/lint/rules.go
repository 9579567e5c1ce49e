package lint

// rule is one thing that must hold. check returns nil when it does.
type rule struct {
	name  string
	whom  Whom
	id    string // what is wrong, as a message
	check func(leaf) *trouble
}

// trouble is what is wrong: the blanks of the rule's message, or a message of
// its own.
type trouble struct {
	id   string
	args []any
}

func (r rule) finding(t *trouble) Finding {
	f := Finding{Rule: r.name, Whom: r.whom, ID: r.id, Args: t.args}
	if t.id != "" {
		f.ID = t.id
	}
	return f
}

// bad is trouble with those blanks.
func bad(args ...any) *trouble { return &trouble{args: args} }

// when is trouble when wrong.
func when(wrong bool, args ...any) *trouble {
	if wrong {
		return bad(args...)
	}
	return nil
}

// rules are all of them, in the order in which they are told. The sources are
// the S/MIME and TLS baseline requirements and RFC 5280.
var rules = []rule{
	{"version", ByOffice, "lint.version", version},                          // RFC 5280, 4.1.2.1
	{"serial", ByOffice, "lint.serial", serial},                             // S/MIME BR and TLS BR 7.1
	{"signature", ByOffice, "lint.signature", signature},                    // 7.1.3.2
	{"beginning", ByOffice, "lint.beginning", beginning},                    // TLS BR 7.1.2.7
	{"validity", ByOffice, "lint.validity", validity},                       // 6.3.2
	{"issuer-name", ByOffice, "lint.issuer_name", issuerName},               // RFC 5280, 4.1.2.4 and 4.2.1.1
	{"issuer-life", ByOffice, "lint.issuer_life", issuerLife},               // it ends with its authority
	{"key", ByKey, "lint.key", weakKey},                                     // 6.1.1.3, 6.1.5, 6.1.6
	{"key-issuer", ByKey, "lint.key_issuer", issuerKey},                     // the key of the authority itself
	{"subject-attributes", ByOffice, "lint.subject_attributes", attributes}, // 7.1.4.2
	{"subject-needed", ByName, "lint.subject_needed", needed},               // 7.1.4.2
	{"subject-text", ByName, "lint.subject_text", texts},                    // RFC 5280, appendix A; 7.1.4.2
	{"subject-mailbox", ByOffice, "lint.subject_mailbox", subjectMailbox},   // S/MIME BR 7.1.4.2.1
	{"subject-server", ByOffice, "lint.subject_server", subjectServer},      // TLS BR 7.1.4.3
	{"organisation-identifier", ByOffice, "lint.organisation_identifier", organisationIdentifier},
	{"country", ByOffice, "lint.country", country},        // S/MIME BR 7.1.4.2.2
	{"names-kind", ByOffice, "lint.names_kind", nameKind}, // S/MIME BR 7.1.2.3 h, TLS BR 7.1.2.7.12
	{"names-form", ByOffice, "lint.names_form", nameForm},
	{"names-given", ByOffice, "lint.names_given", namesGiven},          // nothing but what is validated
	{"names-wildcard", ByOffice, "lint.names_wildcard", wildcard},      // TLS BR 3.2.2.6
	{"names-critical", ByOffice, "lint.names_critical", namesCritical}, // RFC 5280, 4.2.1.6
	{"usage", ByOffice, "lint.usage", usage},                           // 7.1.2.3 e; TLS BR 7.1.2.7.11
	{"purposes", ByOffice, "lint.purposes", purposes},                  // 7.1.2.3 f; TLS BR 7.1.2.7.10
	{"purposes-issuer", ByOffice, "lint.purposes_issuer", issuerPurposes},
	{"authority", ByOffice, "lint.authority", authority},                  // 7.1.2.3 d
	{"policy", ByOffice, "lint.policy", policy},                           // 7.1.6.1
	{"list-address", ByOffice, "lint.list_address", listAddress},          // 7.1.2.3 b
	{"issuer-address", ByOffice, "lint.issuer_address", issuerAddress},    // 7.1.2.3 c
	{"key-identifier", ByOffice, "lint.key_identifier", keyIdentifier},    // TLS BR 7.1.2.7.6
	{"issuer-identifier", ByOffice, "lint.issuer_identifier", identified}, // 7.1.2.3 g
	{"extensions", ByOffice, "lint.extensions", extensions},               // nothing that the profile does not have
}
