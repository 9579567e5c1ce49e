package postgres

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"petschaft/internal/fault"
)

// Cursor is where a page of a list begins: behind the row ID whose sort key is
// Key, in the part of the list called Part where it has several; read backwards
// if Back.
type Cursor struct {
	Key  string `json:"k"`
	ID   int64  `json:"i"`
	Part string `json:"s,omitempty"`
	Back bool   `json:"b,omitempty"`
}

// String is the cursor as it stands in an address.
func (c Cursor) String() string {
	j, _ := json.Marshal(c)
	return base64.RawURLEncoding.EncodeToString(j)
}

// ParseCursor reads what String wrote; nil for an empty text. What somebody made
// up is Missing.
func ParseCursor(s string) (*Cursor, error) {
	if s == "" {
		return nil, nil
	}
	var c Cursor
	j, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(j, &c)
	}
	if err != nil || strings.ContainsRune(c.Key, 0) {
		return nil, fault.New(fault.Missing, "fault.missing").Because(err)
	}
	return &c, nil
}

// Cut makes one page of found, which was read from at on, in its direction, and
// holds one row more than size where the list goes on. The page comes in the
// order of the list, with the cursors of the pages before and behind it, empty
// at the ends. mark is where a row stands; Cut sets the direction.
func Cut[T any](found []T, size int, at *Cursor, mark func(T) Cursor) (page []T, prev, next string) {
	back, more := at != nil && at.Back, len(found) > size
	page = found[:min(len(found), size)]
	if back {
		slices.Reverse(page)
	}
	if len(page) == 0 {
		return page, "", ""
	}
	if back && more || !back && at != nil {
		first := mark(page[0])
		first.Back = true
		prev = first.String()
	}
	if back || more {
		next = mark(page[len(page)-1]).String()
	}
	return page, prev, next
}

// Fault is err, the failure of a statement that read from c on: Missing where
// the key is none of its column's type (class 22), since somebody made it up.
func (c *Cursor) Fault(err error) error {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && c != nil && class(pg) == "22" {
		return fault.New(fault.Missing, "fault.missing").Because(err)
	}
	return err
}
