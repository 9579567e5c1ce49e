package ca

import "petschaft/internal/postgres"

// Sealed are the columns of keys.
func Sealed() []postgres.SealedColumn {
	return []postgres.SealedColumn{{
		Name: "authority.key",
		Left: `select id, key as sealed, name as of from authority
			where id > @after and key is not null and substring(key from 1 for 8) <> @head order by id limit @most for no key update`,
		Write:   `update authority set key = @sealed where id = @id`,
		Purpose: purpose,
	}, {
		Name: "ocsp_signer.key",
		Left: `select s.id, s.key as sealed, a.name as of from ocsp_signer s join authority a on a.id = s.authority
			where s.id > @after and substring(s.key from 1 for 8) <> @head order by s.id limit @most for no key update of s`,
		Write:   `update ocsp_signer set key = @sealed where id = @id`,
		Purpose: responderPurpose,
	}}
}
