package imports

import (
	"github.com/jackc/pgx/v5"

	"petschaft/internal/mailbox"
)

// Added is the condition that the import id, which is not undone, made a row.
func Added(id ID) mailbox.Query {
	return mailbox.Query{Args: pgx.NamedArgs{"added": id}, SQL: `r.id in (select l.row_id from import i join import_line l on l.import = i.id
	where i.id = @added and i.domain = d.id and i.state = 'applied' and l.class = 'new')`}
}

// Missing is the condition that a row is active and no line of the import id is
// about it, be it a wrong one: what MissingRows lists. From an import whose
// lines are not known, or not any more, or of no use, nothing is missing.
func Missing(id ID) mailbox.Query {
	return mailbox.Query{Args: pgx.NamedArgs{"missing": id}, SQL: `r.active and exists (select from import i where i.id = @missing and i.domain = d.id and i.state in ('planned', 'applying', 'applied') and i.new + i.changed + i.unchanged > 0)
	and r.id not in (select l.row_id from import_line l where l.import = @missing and l.row_id is not null)
	and lower(r.primary_address) not in (select lower(l.primary_address) from import_line l where l.import = @missing and l.primary_address is not null)`}
}
