package org

// NamesOf is SQL: what ServerNames returns of an organisation, whose number is SQL,
// as jsonb that is read into ServerNames. Who reads it has loaded the organisation
// as somebody who may see it.
func NamesOf(organisation string) string {
	return `(select coalesce(jsonb_agg(jsonb_build_object('ID', n.id, 'Organisation', n.organisation, 'Name', n.name, 'Wildcard', n.wildcard,
			'AskedBy', n.asked_by, 'Asked', n.asked, 'Accepted', n.accepted, 'Method', n.proof_method, 'By', n.proof_by,
			'From', n.proof_from, 'Until', n.proof_until) order by n.name), '[]')
		from server_name n where n.organisation = ` + organisation + ` and n.ended is null)`
}
