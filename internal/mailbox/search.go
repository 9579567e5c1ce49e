package mailbox

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/org"
	"petschaft/internal/postgres"
	"petschaft/internal/text"
)

// marks part the words of a name, of a comment and of what stands before an @,
// as the function address_row_text of the schema parts them, and the apostrophe that
// programs make of a plain one.
const marks = ".,;:-_+/()\"'’"

// sought is the condition that a row r holds all that somebody typed, the one
// meaning of a search wherever rows are: each word stands in the display name,
// the comment or what stands before the @ of an address, in the middle of a word
// if it has three characters, else at the beginning of one; what holds an @ is the
// beginning of an address or, with nothing before the @, of the domain of one.
// in is the domain whose rows are looked at, empty for all: what holds of each of
// its rows is left out. Empty: everything fits.
func sought(typed string, in org.Domain, args pgx.NamedArgs) string {
	where := ""
	say := func(condition string, blanks ...string) {
		for _, b := range blanks {
			name := fmt.Sprintf("w%d", len(args))
			args[name], condition = b, strings.Replace(condition, "?", "@"+name, 1)
		}
		where += " and " + condition
	}
	for _, w := range text.Sought(typed) {
		local, domain, whole := org.CutAddress(w)
		switch {
		case !whole:
			for _, part := range strings.FieldsFunc(w, isMark) {
				say(`r.search like ?`, postgres.Word(part))
			}
		case local != "":
			from := local + "@" + domain
			say(`r.id in (select a.row_id from address a where a.folded >= ? and a.folded < ?)`, from, from+afterAll)
		case !strings.HasPrefix(string(in), domain):
			say(`r.id in (select a.row_id from address a where split_part(a.folded, '@', 2) >= ? and split_part(a.folded, '@', 2) < ?)`, domain, domain+afterAll)
		}
	}
	return where
}

// afterAll comes after every character of an address.
const afterAll = "\x7f"

func isMark(r rune) bool { return strings.ContainsRune(marks, r) }
