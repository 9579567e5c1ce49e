package signin

import (
	"strconv"

	"petschaft/internal/postgres"
)

// Sealed are the columns of what the provider gave.
func Sealed() []postgres.SealedColumn {
	return []postgres.SealedColumn{{
		Name: "login.id_token",
		Left: `select id, id_token as sealed, id::text as of from login
			where id > @after and id_token is not null and substring(id_token from 1 for 8) <> @head order by id limit @most for no key update`,
		Write:   `update login set id_token = @sealed where id = @id`,
		Purpose: func(of string) string { return "login " + of + " id_token" },
	}, {
		Name: "login.refresh",
		Left: `select id, refresh as sealed, id::text as of from login
			where id > @after and refresh is not null and substring(refresh from 1 for 8) <> @head order by id limit @most for no key update`,
		Write:   `update login set refresh = @sealed where id = @id`,
		Purpose: func(of string) string { return "login " + of + " refresh" },
	}}
}

func idTokenPurpose(id int64) string { return "login " + strconv.FormatInt(id, 10) + " id_token" }
func refreshPurpose(id int64) string { return "login " + strconv.FormatInt(id, 10) + " refresh" }
