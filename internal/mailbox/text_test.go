package mailbox_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/pgtest"
	"petschaft/internal/text"
	"petschaft/migrations"
)

// found is how many rows of uni.example somebody finds who types what they see.
func (r *rig) found(t *testing.T, sought string) int {
	t.Helper()
	d, err := r.Org.Domain(t.Context(), r.contact, "uni.example")
	r.ok(t, err)
	p, err := r.Rows(t.Context(), r.contact, d, mailbox.View{Text: sought})
	r.ok(t, err)
	return len(p.Rows)
}

func TestWhatOneSeesIsFound(t *testing.T) {
	t.Parallel()
	for name, stored := range map[string]string{
		"decomposed":      "Do\u0308ring, Do\u0308rte",
		"zero-width":      "Dö\u200bring, D\u00adörte\ufeff",
		"other blanks":    "\u00a0Döring,\u202fDörte",
		"marks of course": "\u202eDöring\u202c, Dörte",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			made, err := r.Add(t.Context(), r.contact, "uni.example", mailbox.Input{Kind: mailbox.Personal, Name: stored, Primary: "d@uni.example", Comment: stored + "\r\nzwei"})
			r.ok(t, err)
			row, err := r.Row(t.Context(), r.contact, "uni.example", made.ID)
			r.ok(t, err)
			if row.Name != "Döring, Dörte" || row.Comment != "Döring, Dörte\nzwei" {
				t.Errorf("got the name %+q and the comment %+q", row.Name, row.Comment)
			}
			for _, sought := range []string{"Döring", "Do\u0308ring", "dö\u200bring dörte", "Döring\u00a0Dörte"} {
				if n := r.found(t, sought); n != 1 {
					t.Errorf("%+q finds %d rows, want 1", sought, n)
				}
			}
			// A program of the version before writes what it is given.
			_, err = r.db.Exec(t.Context(), `update address_row set name = $1`, stored)
			r.ok(t, err)
			if n := r.found(t, "Döring Dörte"); n != 1 {
				t.Errorf("written by the version before: found %d rows, want 1", n)
			}
		})
	}
}

func TestALengthIsOneOfCharacters(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i, c := range []struct {
		name string
		most int // 0: it is taken
	}{
		{strings.Repeat("é", 1024), 0},
		{strings.Repeat("é", 1025), 1024},
		{strings.Repeat("e\u0301", 1024), 0},
		{strings.Repeat("x", 1024), 0},
		{strings.Repeat("x", 1025), 1024},
		{random("一", 853), 0},
		{random("一", 854), 853},
		{random("𝒜", 640), 0},
		{random("𝒜", 641), 640},
	} {
		in := mailbox.Input{Kind: mailbox.Personal, Name: c.name, Primary: fmt.Sprintf("n%d@uni.example", i), Comment: c.name}
		_, err := r.Add(t.Context(), r.contact, "uni.example", in)
		if c.most == 0 {
			if err != nil {
				t.Errorf("%d characters in %d bytes: %v", utf8.RuneCountInString(c.name), len(c.name), err)
			}
			continue
		}
		f := fault.Of(err)
		if f == nil || len(f.Fields) != 2 || f.Fields[0].ID != "field.too_long" || f.Fields[0].Args[1] != c.most {
			t.Errorf("%d characters in %d bytes: got %v, want at most %d", utf8.RuneCountInString(c.name), len(c.name), err, c.most)
		}
	}
}

// random are n letters near first that no index packs.
func random(first string, n int) string {
	var s strings.Builder
	from, _ := utf8.DecodeRuneInString(first)
	for x := uint32(1); n > 0; n-- {
		x = x*1664525 + 1013904223
		s.WriteRune(from + rune(x>>24)%50)
	}
	return s.String()
}

func TestANameShowsSomething(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, name := range []string{"", " ", "\u200b", "\u3164", "\u2800\u00ad", "\u202e", "\u0301", "\x01"} {
		_, err := r.Add(t.Context(), r.contact, "uni.example", mailbox.Input{Kind: mailbox.Personal, Name: name, Primary: "x@uni.example"})
		if f := fault.Of(err); f == nil || len(f.Fields) != 1 || f.Fields[0].ID != "field.required" {
			t.Errorf("%+q: got %v, want the name to be asked for", name, err)
		}
	}
}

// TestTheSchemaSeesWhatTheProgramSees compares the words of a search for names as
// they are, which the version before writes, and as the program makes them.
func TestTheSchemaSeesWhatTheProgramSees(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var raw, seen []string
	for c := rune(0x80); c <= 0xe0fff; c++ { // no version ever kept a control character of ASCII
		if c >= 0x323b0 && c < 0xe0000 || c >= 0x4000 && c < 0xa000 || c >= 0xac00 && c < 0xfa00 || c >= 0x17000 && c < 0x1b000 || c >= 0x20000 && c < 0x2f800 {
			continue // letters that stay as they are, and what is none
		}
		raw, seen = append(raw, "a"+string(c)+"b"), append(seen, text.Line("a"+string(c)+"b"))
	}
	rows, err := r.db.Query(t.Context(), `select raw, address_row_words(raw, '', '{}'), address_row_words(seen, '', '{}')
		from unnest($1::text[], $2::text[]) x (raw, seen)
		where address_row_words(raw, '', '{}') <> address_row_words(seen, '', '{}') collate "C" limit 20`, raw, seen)
	r.ok(t, err)
	defer rows.Close()
	for rows.Next() {
		var name, is, want string
		r.ok(t, rows.Scan(&name, &is, &want))
		t.Errorf("%+q: got the words %+q, want %+q", name, is, want)
	}
	r.ok(t, rows.Err())
}

// TestNamesOfTheVersionBeforeAreRead: the step of the schema makes lines of the
// names that there are, and leaves the record of what was done as it was.
func TestNamesOfTheVersionBeforeAreRead(t *testing.T) {
	t.Parallel()
	db := pgtest.Open(t, pgtest.URL(t))
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := db.Exec(t.Context(), sql, args...); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	exec(`drop schema public cascade; create schema public`)
	db.Reset() // types have other numbers now
	std := stdlib.OpenDBFromPool(db.Pool)
	defer std.Close()
	steps, err := goose.NewProvider(goose.DialectPostgres, std, migrations.Files, goose.WithLogger(goose.NopLogger()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := steps.UpTo(t.Context(), 27); err != nil {
		t.Fatal(err)
	}
	exec(`insert into account (issuer, subject, username, name, given_name, family_name, email, email_verified, created, signed_in, refreshed)
		values ('i', 's', 'd', E'Do\u0308rte\u200b', E'Do\u0308rte', E'\u00a0Do\u0308ring', '', false, now(), now(), now())`)
	exec(`insert into contact_group (name, created) values ('Netz', now())`)
	exec(`insert into email_domain (name, contact_group, validation, created) select 'uni.example', id, 'mailbox', now() from contact_group`)
	for local, name := range map[string]string{"a": "Do\u0308ring,\u202f Dörte", "b": "\u200b", "c": "Cla\u00adsen", "d": "Lee"} {
		exec(`insert into address_row (domain, created, changed, name, primary_address, kind, comment)
			select id, now(), now(), $1, $2, 'personal', E'o\u0308\r\nzwei \u200b\n' from email_domain`, name, local+"@uni.example")
	}
	exec(`insert into audit_line (at, action, digest, detail) values (now(), 'test', '\x00', '{"name": "Do\u0308ring"}')`)
	if _, err := steps.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	var all string
	err = db.QueryRow(t.Context(), `select string_agg(name || '|' || comment || '|' || trim(search) || '|' || version, E'\n' order by primary_address)
		|| (select E'\n' || name || '|' || given_name || '|' || family_name from account) from address_row`).Scan(&all)
	if err != nil {
		t.Fatal(err)
	}
	want := "Döring, Dörte|ö\nzwei|döring  dörte a   ö zwei|2\n\u200b|ö\nzwei|b   ö zwei|2\nClasen|ö\nzwei|clasen c   ö zwei|2\nLee|ö\nzwei|lee d   ö zwei|2\nDörte|Dörte|Döring"
	if all != want {
		t.Errorf("got\n%+q, want\n%+q", all, want)
	}
	var kept bool
	if err := db.QueryRow(t.Context(), `select detail->>'name' = E'Do\u0308ring' from audit_line`).Scan(&kept); err != nil || !kept {
		t.Errorf("the record of what was done is another now (%v)", err)
	}
}
