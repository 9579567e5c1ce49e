package api

import (
	"net/url"
	"strconv"
	"strings"

	"petschaft/internal/fault"
	"petschaft/internal/postgres"
)

// Paged are the parameters of a list that is read page by page.
type Paged struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many there are on a page."`
	Cursor string `query:"cursor" doc:"Where the page begins: taken from a Link of the page before, never made up."`
}

// links is the header Link (RFC 8288) of a page at path. prev and next are
// cursors, empty at the ends; q is what else the address says.
func (a *API) links(path string, p Paged, q url.Values, prev, next string) string {
	if p.Limit != 50 {
		q.Set("limit", strconv.Itoa(p.Limit))
	}
	var all []string
	add := func(rel, cursor string) {
		q.Del("cursor")
		if cursor != "" {
			q.Set("cursor", cursor)
		}
		to := a.at("%s", path)
		if len(q) > 0 {
			to += "?" + q.Encode()
		}
		all = append(all, "<"+to+`>; rel="`+rel+`"`)
	}
	if p.Cursor != "" {
		add("first", "")
	}
	if prev != "" {
		add("prev", prev)
	}
	if next != "" {
		add("next", next)
	}
	return strings.Join(all, ", ")
}

// wrongParameter is the fault of a parameter that somebody made up.
func wrongParameter(name, id string, args ...any) error {
	var bad fault.Fields
	bad.Add(name, id, args...)
	return bad.Err()
}

// cursorFault is err, the failure to read the page at cursor: what is missing
// then is the place that it names.
func cursorFault(err error, cursor string) error {
	if cursor != "" && fault.Is(err, fault.Missing) {
		return wrongParameter("cursor", "api.cursor")
	}
	return err
}

// afterID is the number behind which a page begins that is read by number; 0
// for the first page.
func afterID(cursor string) (int64, error) {
	c, err := postgres.ParseCursor(cursor)
	if err != nil {
		return 0, cursorFault(err, cursor)
	}
	if c == nil {
		return 0, nil
	}
	return max(0, c.ID), nil
}

// number writes a number for an address.
func number[T ~int64](n T) string { return strconv.FormatInt(int64(n), 10) }
