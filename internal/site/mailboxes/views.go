package mailboxes

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"petschaft/internal/mailbox"
	"petschaft/internal/site/page"
)

// sortIDs are the columns a table of rows can be sorted by.
var sortIDs = map[mailbox.Sort]string{
	mailbox.ByStatus: "rows.status", mailbox.ByName: "rows.name", mailbox.ByPrimary: "rows.primary",
	mailbox.ByEnd: "rows.end", mailbox.ByComment: "rows.comment",
}

// ReadView reads what is to be seen of a table; what it does not know falls
// back to the default.
func ReadView(q url.Values) mailbox.View {
	v := mailbox.View{
		Status: mailbox.Status(q.Get("status")), Text: strings.TrimSpace(q.Get("q")), Sort: mailbox.Sort(q.Get("sort")),
		Desc: q.Get("desc") == "1", Size: page.Sizes[0], Cursor: q.Get("at"), Doubtful: q.Get("doubtful") == "1",
	}
	if !slices.Contains(mailbox.Statuses[:], v.Status) {
		v.Status = ""
	}
	if sortIDs[v.Sort] == "" {
		v.Sort = mailbox.ByName
	}
	if n, err := strconv.Atoi(q.Get("size")); err == nil && slices.Contains(page.Sizes[:], n) {
		v.Size = n
	}
	return v
}

// rowList is the domain's table as v shows it.
func rowList(base string, v mailbox.View) page.List[mailbox.View, string] {
	return page.List[mailbox.View, string]{View: v, Base: base, Pairs: viewPairs, Turn: func(v *mailbox.View, cursor string) { v.Cursor = cursor }}
}

// rowHref is the address of v.
func rowHref(base string, v mailbox.View) string { return rowList(base, v).Href(v) }

func viewPairs(v mailbox.View, add page.Add) {
	add("status", string(v.Status), v.Status != "")
	add("doubtful", "1", v.Doubtful)
	add("sort", string(v.Sort), v.Sort != "" && v.Sort != mailbox.ByName)
	add("desc", "1", v.Desc)
	add("size", strconv.Itoa(v.Size), v.Size != 0 && v.Size != page.Sizes[0])
	add("q", v.Text, v.Text != "")
	add("at", v.Cursor, v.Cursor != "")
}
