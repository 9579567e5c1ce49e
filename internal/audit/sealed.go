package audit

import "petschaft/internal/postgres"

// Sealed is the column of the key that signs.
func Sealed() []postgres.SealedColumn {
	return []postgres.SealedColumn{{
		Name: "audit_key.sealed",
		Left: `select 1::bigint as id, sealed, '' as of from audit_key
			where 1 > @after and substring(sealed from 1 for 8) <> @head limit @most for no key update`,
		Write:   `update audit_key set sealed = @sealed where @id = 1`,
		Purpose: func(string) string { return keyPurpose },
	}}
}
