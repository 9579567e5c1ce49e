package mailbox_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"petschaft/internal/mailbox"
	"petschaft/internal/trial"
)

func TestADateInACommentIsFoundInItsUsualSpellings(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	day := func(s string) string { return "0" + strings.ReplaceAll(s, "-", "") }
	cases := map[string]string{
		"31.12.2027":                day("2027-12-31"),
		"31.12.27":                  day("2027-12-31"),
		"1.1.2027":                  day("2027-01-01"),
		"01. 02. 2027":              day("2027-02-01"),
		"(31.12.2027)":              day("2027-12-31"),
		"Vertrag bis 1.10.2026.":    day("2026-10-01"),
		"5.5.98":                    day("1998-05-05"),
		"31. Dezember 2027":         day("2027-12-31"),
		"31. Dez. 2027":             day("2027-12-31"),
		"31.Dez.2027":               day("2027-12-31"),
		"gültig bis 3. MÄRZ 2026":   day("2026-03-03"),
		"Mrz. 2026":                 day("2026-03-31"),
		"3. Maerz 2026":             day("2026-03-03"),
		"Jänner 2027":               day("2027-01-31"),
		"Dezember 2027":             day("2027-12-31"),
		"Ende Sept. 2026, Frau Bär": day("2026-09-31"),
		"6 May 2027":                day("2027-05-06"),
		"12/2027":                   day("2027-12-31"),
		"12.2027":                   day("2027-12-31"),
		"2027-12-31":                day("2027-12-31"),
		"2027-12-31T09:00":          day("2027-12-31"),
		"10.12.2027 statt 1.1.2020": day("2027-12-10"),
		"":                          "2",
	}
	for _, text := range []string{
		"bis Ende", "Ticket 4711", "32.12.2027", "31.13.2027", "0/2027", "1.2.3.2027", "192.168.1.2027", "12.12.12345",
		"Az. 2027-12-31-5", "Tel. 0123/2027", "seit 1.1.", "2027", "Marburg 2027", "Augustin 2027", "Mai2027", "99. Mai 2027",
	} {
		cases[text] = "1" + text
	}
	for comment, want := range cases {
		t.Run(comment, func(t *testing.T) {
			var got string
			err := r.db.QueryRow(t.Context(), `insert into address_row (domain, created, changed, name, primary_address, kind, comment)
				values ($1, $2, $2, 'x', $3, 'personal', $4) returning comment_key`,
				r.uniID, r.Now(), fmt.Sprintf("x%d@uni.example", r.certificates.Add(1)), comment).Scan(&got)
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("%q sorts as %q, want %q", comment, got, want)
			}
		})
	}
}

func TestCommentsSortByDateThenByWord(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	want := []string{"3.1.2026", "Februar 2026", "bis 1.3.26", "2026-12-30", "31. Dezember 2026", "01.01.2027", "3.1.2027", "Äpfel", "birnen", "Ticket 4711", ""}
	for i, c := range []string{"birnen", "01.01.2027", "", "3.1.2026", "Ticket 4711", "3.1.2027", "2026-12-30", "Äpfel", "bis 1.3.26", "31. Dezember 2026", "Februar 2026"} {
		in := mailbox.Input{Kind: mailbox.Personal, Name: c + " ", Primary: fmt.Sprintf("x%d@uni.example", i), Comment: c}
		if c == "" {
			in.Name = "ohne"
		}
		trial.Must(r.Add(t.Context(), r.contact, r.uni, in))
	}
	d := trial.Must(r.Org.Domain(t.Context(), r.contact, r.uni))
	for _, desc := range []bool{false, true} {
		v := mailbox.View{Sort: mailbox.ByComment, Desc: desc}
		var got []string
		for _, row := range trial.Must(r.Rows(t.Context(), r.contact, d, v)).Rows {
			got = append(got, row.Comment)
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		walk(t, r, d, v)
		slices.Reverse(want[:len(want)-1]) // what is empty stays last
	}
}

// The page by comment reads along its index, however many rows there are.
func TestTheTableByCommentWalksItsIndex(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.db.Exec(t.Context(), `insert into address_row (domain, created, changed, name, primary_address, kind, comment)
		select $1, $2, $2, 'Person ' || g, 'p' || g || '@uni.example', 'personal', to_char(date '2026-01-01' + g % 900, 'DD.MM.YYYY')
		from generate_series(1, 5000) g`, r.uniID, r.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.db.Exec(t.Context(), `analyze address_row`); err != nil {
		t.Fatal(err)
	}
	d := trial.Must(r.Org.Domain(t.Context(), r.contact, r.uni))
	for desc, parts := range map[bool]int{false: 1, true: 2} { // downwards what is empty is looked for by itself
		v := mailbox.View{Sort: mailbox.ByComment, Desc: desc}
		v.Cursor = trial.Must(r.Rows(t.Context(), r.contact, d, v)).Next
		plan := mailbox.Explain(t, r.Book, r.contact, d, v)
		if got, want := strings.Count(plan, "using address_row_by_comment"), parts*len(mailbox.Statuses); got != want {
			t.Errorf("downwards %v: got %d walks along the index, want %d of the %d statuses:\n%s", desc, got, want, len(mailbox.Statuses), plan)
		}
	}
}

// Whichever way a table is sorted, what has a value comes first, on each page and
// in what a search finds.
func TestWhatIsEmptyComesLastInBothDirections(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		comment, end := "", "infinity"
		if i%2 == 0 {
			comment, end = "Notiz "+name, fmt.Sprintf("2027-01-%02d", i+1)
		}
		row := trial.Must(r.Add(t.Context(), r.contact, r.uni, mailbox.Input{Kind: mailbox.Personal, Name: name, Primary: "zeile" + name + "@uni.example", Comment: comment}))
		if _, err := r.db.Exec(t.Context(), `update address_row set certificate_end = $2 where id = $1`, row.ID, end); err != nil {
			t.Fatal(err)
		}
		if i > 4 {
			r.ChallengeRow(t, row.ID)
		}
	}
	d := trial.Must(r.Org.Domain(t.Context(), r.contact, r.uni))
	for _, v := range []mailbox.View{{}, {Text: "zeile"}, {Status: mailbox.None}, {Status: mailbox.None, Text: "zeile"}} {
		for _, s := range []mailbox.Sort{mailbox.ByEnd, mailbox.ByComment} {
			for desc, want := range map[bool][]string{false: {"a", "c", "e", "g", "b", "d", "f"}, true: {"g", "e", "c", "a", "f", "d", "b"}} {
				v.Sort, v.Desc = s, desc
				if v.Status == mailbox.None {
					want = slices.DeleteFunc(want, func(name string) bool { return name > "e" })
				}
				if got := names(trial.Must(r.Rows(t.Context(), r.contact, d, v))); !slices.Equal(got, want) {
					t.Errorf("%+v: got %v, want %v", v, got, want)
				}
				walk(t, r, d, v)
			}
		}
	}
}
