package org

// LooksAfter is IsContact for work that goes on without a request: the SQL
// condition that the account a, with the provider's groups as of its last
// sign-in, belongs to the contact group of the email_domain d.
const LooksAfter = `(exists (select from contact_group_member m where m.contact_group = d.contact_group and m.account = a.id)
	or exists (select from contact_group_idp g where g.contact_group = d.contact_group and g.idp_group = any(a.groups)))`
