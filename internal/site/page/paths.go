package page

import (
	"petschaft/internal/bulk"
	"petschaft/internal/mailbox"
	"petschaft/web/paths"
)

func BulkPath(x bulk.Bulk) string { return paths.Bulk(x.DomainName, x.ID) }

func RowPath(r mailbox.Row) string { return paths.Row(r.DomainName, r.ID) }
