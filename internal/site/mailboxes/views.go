package mailboxes

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"petschaft/internal/mailbox"
	"petschaft/internal/site/page"
	"petschaft/web/view"
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

// viewHref is the address of v, as short as it can be.
func viewHref(base string, v mailbox.View) string {
	q := url.Values{}
	for _, h := range viewFields(v) {
		q.Set(h.Name, h.Value)
	}
	if v.Text != "" {
		q.Set("q", v.Text)
	}
	if v.Cursor != "" {
		q.Set("at", v.Cursor)
	}
	if len(q) == 0 {
		return base
	}
	return base + "?" + q.Encode()
}

// viewFields are filter, order and size, as a new search keeps them.
func viewFields(v mailbox.View) (hs []view.Hidden) {
	add := func(name, value string, when bool) {
		if when {
			hs = append(hs, view.Hidden{Name: name, Value: value})
		}
	}
	add("status", string(v.Status), v.Status != "")
	add("doubtful", "1", v.Doubtful)
	add("sort", string(v.Sort), v.Sort != "" && v.Sort != mailbox.ByName)
	add("desc", "1", v.Desc)
	add("size", strconv.Itoa(v.Size), v.Size != 0 && v.Size != page.Sizes[0])
	return hs
}
