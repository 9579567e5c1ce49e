package imports_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"petschaft/internal/campus"
	"petschaft/internal/fault"
	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
	"petschaft/internal/sheet"
	"petschaft/internal/trial"
)

const heads = "Anzeigename;Primäre E-Mail;Alias 1;Alias 2;Postfachtyp;Antragsteller;Kommentar\n"

func TestColumnsAreKnownByWhatPeopleWriteOverThem(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for header, want := range map[string]string{
		"Last Name;First Name;Primary E-Mail;Alias E-Mail 1;Alias E-Mail 2;Mailbox Type;Applicant E-Mail;Comment": "last first primary alias1 alias2 kind applicant comment",
		"Nachname;Vorname;Primäre E-Mail;Alias-E-Mails;Postfachtyp;Antragsteller E-Mail;Bemerkung":                "last first primary aliases kind applicant comment",
		"FAMILIENNAME;vorname;e-mail;alias_1;Alias.2;Typ;Antragsteller;Kommentar":                                 "last first primary alias1 alias2 kind applicant comment",
		"Surname,Given Name,Mail,Aliases,Type,Applicant,Remarks":                                                  "last first primary aliases kind applicant comment",
		"\ufeffDisplay Name\tPrimary  Email\tMailbox-Type":                                                        "name primary kind",
		"Name;E-Mail;Typ":                                     "name primary kind",
		"Name;Vorname;E-Mail;Typ":                             "last first primary kind",
		"Name;Nachname;Vorname;E-Mail":                        "name last first primary",
		"Anzeigename;Vorname;E-Mail":                          "name first primary",
		"E-Mail;Primäre E-Mail;Typ":                           "primary  kind",
		"Status;Zertifikat gültig bis;Konto;Primary E-Mail":   "   primary",
		"Primaere E-Mail-Adresse:;Anzeigename *;(Kommentar)":  "primary name comment",
		"First Name (given);Last Name (family);E-Mail (work)": "first last primary",
		"First Name [Required],Last Name [Required],Email Address [Required],Password [Required],Password Hash Function [UPLOAD ONLY],Recovery Email,New Primary Email [UPLOAD ONLY]": "first last primary    ",
		"Block credential,Display name,First name,Last name,Licenses,Proxy addresses,User principal name,When created":                                                                " name first last  proxies  ",
		"Blockierte Anmeldung;Anzeigename;Vorname;Nachname;Benutzerprinzipalname":                                                                                                     " name first last primary",
		"userPrincipalName,displayName,surname,mail,givenName,id,userType":                                                                                                            " name last primary first  ",
		"DisplayName,PrimarySmtpAddress,RecipientTypeDetails,EmailAddresses":                                                                                                          "name primary kind proxies",
		"primaryEmail,name.givenName,name.familyName,aliases":                                                                                                                         "primary first last aliases",
	} {
		im := r.upload(t, r.contact, r.uni, header+"\nx\n")
		got := make([]string, len(im.Columns))
		for i, f := range im.Columns {
			got[i] = string(f)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: got %q, want %q", header, strings.Join(got, " "), want)
		}
	}
}

func TestALineIsJudgedAsByHand(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.AddRow(t, "ada", "one@uni.example")
	r.LinkRow(t, r.bob, "bob", "two@uni.example")
	off := r.LinkRow(t, r.ada, "cleo")
	r.SwitchOff(t, off)
	fun := r.AddFunctional(t, "office", "Boss@elsewhere.example")
	r.ChallengeRow(t, fun)
	r.ChallengeRow(t, r.AddRow(t, "dan", "three@uni.example", "four@uni.example"))
	for line, want := range map[string]string{
		"ada;ada@uni.example;one@uni.example;;personal;;":                    "unchanged",
		"ada;ADA@uni.example;One@Uni.Example;;Persönlich;;":                  "unchanged",
		"Ada Adler;ada@uni.example;one@uni.example;;personal;;":              "changed",
		"ada;ada@uni.example;;;personal;;":                                   "changed",
		"ada;ada@uni.example;one@uni.example;;functional;;":                  "changed applicant:import.hint_applicant",
		"ada;ada@uni.example;one@uni.example;;;;":                            "faulty kind:field.required",
		"ada;ada@uni.example;one@uni.example;;Raum;;":                        "skipped",
		";ada@uni.example;one@uni.example;;personal;;":                       "faulty name:field.required",
		"ada;ada@uni.example;two@uni.example;;personal;;":                    "faulty alias1:address.taken",
		"ada;ada@uni.example;ada@uni.example;;personal;;":                    "faulty alias1:alias.twice",
		"ada;ada@uni.example;x@nowhere.example;;personal;;":                  "faulty alias1:alias.domain",
		"ada;ada@uni.example;one@uni.example;;personal;x@y.example;":         "faulty applicant:applicant.personal",
		"bob;bob@uni.example;two@uni.example;;functional;;":                  "faulty kind:kind.fixed",
		"bob;bob@uni.example;new@uni.example;;personal;;":                    "changed aliases:import.hint_suspended",
		"dan;dan@uni.example;three@uni.example;;personal;;":                  "changed aliases:import.hint_pending",
		"dan;dan@uni.example;four@uni.example;THREE@uni.example;personal;;":  "unchanged",
		"cleo;cleo@uni.example;;;personal;;bis 2027":                         "changed",
		"Cleo;cleo@uni.example;;;personal;;":                                 "faulty name:import.who",
		"office;office@uni.example;;;functional;Other@elsewhere.example;":    "faulty applicant:applicant.active",
		"office;office@uni.example;;;functional;boss@ELSEWHERE.example;":     "unchanged",
		"new;new@uni.example;;;user mailbox;;":                               "new",
		"new;new@uni.example;bob@uni.example;;personal;;":                    "faulty alias1:address.taken",
		"new;new@uni.example;cleo@uni.example;;personal;;":                   "new",
		"new;two@uni.example;;;personal;;":                                   "faulty primary:address.taken",
		"new;new@institut.example;;;personal;;":                              "faulty primary:primary.domain",
		"new;new@labor.example;;;personal;;":                                 "faulty primary:primary.domain",
		"new;;;;personal;;":                                                  "faulty primary:field.required",
		"new;new@uni.example;a@uni.example;b@labor.example;shared mailbox;;": "new applicant:import.hint_applicant",
		"new;new@uni.example;;;personal;;" + strings.Repeat("x", 1025):       "faulty comment:field.too_long",
		"new;new@uni.example;;;personal;;" + strings.Repeat("x", 8193):       "faulty :sheet.cell_too_long",
		"new;new@uni.example;;;personal;;;zu viel":                           "faulty :import.cells",
		"new;new@uni.example;;;personal;;;;":                                 "new",
		"new;new@uni.example;;;personal":                                     "new",
		"bob;bob@uni.example;two@uni.example":                                "unchanged",
		"new;new@uni.example":                                                "faulty kind:field.required",
		`new;"new@uni.example`:                                               "faulty :sheet.unclosed_quote",
	} {
		im := r.planned(t, heads+line)
		got := strings.TrimPrefix(strings.Join(r.classes(t, im), "\n"), "2 ")
		if got != want {
			t.Errorf("%s\ngot  %s\nwant %s", line, got, want)
		}
		r.ok(t, r.Imports.Discard(t.Context(), r.contact, r.uni, im.ID))
	}
}

func TestAnAbsentColumnLeavesWhatIsThereAndAnEmptyCellClears(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.AddRow(t, "ada", "one@uni.example", "two@uni.example")
	r.EditRow(t, id, func(in *mailbox.Input) { in.Comment = "bis 2026" })
	for file, want := range map[string]string{
		"Name;Mail\nAda A.;ada@uni.example\n":                            "[{name ada Ada A.}]",
		"Mail;Kommentar\nada@uni.example;\n":                             "[{comment bis 2026 }]",
		"Mail;Alias 2\nada@uni.example;\n":                               "[{aliases one@uni.example, two@uni.example one@uni.example}]",
		"Mail;Alias 1\nada@uni.example;\n":                               "[{aliases one@uni.example, two@uni.example two@uni.example}]",
		"Mail;Aliasse\nada@uni.example;\n":                               "[{aliases one@uni.example, two@uni.example }]",
		"Mail;Aliasse\nada@uni.example;TWO@uni.example  x@uni.example\n": "[{aliases one@uni.example, two@uni.example two@uni.example, x@uni.example}]",
		"Mail;Nachname;Vorname\nada@uni.example;Adler;Ada\n":             "[{name ada Adler, Ada}]",
		"Mail;Nachname\nada@uni.example;Adler\n":                         "[{name ada Adler}]",
		"Mail;Typ\nada@uni.example;Funktionspostfach\n":                  "[{kind personal functional}]",
	} {
		im := r.planned(t, file)
		lines := trial.Must(r.Imports.Lines(t.Context(), im, imports.LineChanged, 0, 10))
		if len(lines) != 1 || fmt.Sprint(lines[0].Cells) != want {
			t.Errorf("%q: got %+v of %v, want %s", file, lines, r.classes(t, im), want)
		}
	}
	im := r.planned(t, "Mail;Nachname;Vorname;Typ\nada@uni.example;Amt;Ada;functional\n")
	r.wantClasses(t, im, "2 faulty first:import.first_name")
}

// Chains and rings of addresses that lines give up and want.
func TestAddressesAreJudgedOnTheStateAfterTheImport(t *testing.T) {
	t.Parallel()
	const row = "%s;%s@uni.example;%s;;personal;;\n"
	for name, c := range map[string]struct{ lines, want string }{
		"two rows trade an alias": {
			fmt.Sprintf(row, "a", "a", "y@uni.example") + fmt.Sprintf(row, "b", "b", "x@uni.example"),
			"2 changed,3 changed",
		},
		"a new row takes what another gives up": {
			fmt.Sprintf(row, "n", "n", "x@uni.example") + fmt.Sprintf(row, "a", "a", ""),
			"2 new,3 changed",
		},
		"a new primary takes an alias that is given up": {
			fmt.Sprintf(row, "x", "x", "") + fmt.Sprintf(row, "a", "a", ""),
			"2 new,3 changed",
		},
		"what a faulty line would give up is not free": {
			fmt.Sprintf(row, "n", "n", "x@uni.example") + fmt.Sprintf(row, "", "a", ""),
			"2 faulty alias1:address.taken,3 faulty name:field.required",
		},
		"a chain falls with its last line": {
			fmt.Sprintf(row, "n", "n", "x@uni.example") + fmt.Sprintf(row, "a", "a", "y@uni.example") + fmt.Sprintf(row, "b", "b", "c@uni.example"),
			"2 faulty alias1:address.taken,3 faulty alias1:address.taken,4 faulty alias1:address.taken",
		},
		"of two lines that want the same the first gets it": {
			fmt.Sprintf(row, "n", "n", "new@uni.example") + fmt.Sprintf(row, "m", "m", "NEW@uni.example"),
			"2 new,3 faulty alias1:import.claimed",
		},
		"a line that is faulty anyway wants nothing": {
			fmt.Sprintf(row, "", "n", "new@uni.example") + fmt.Sprintf(row, "m", "m", "new@uni.example"),
			"2 faulty name:field.required,3 new",
		},
		"a line whose other address is taken wants nothing": {
			"n;n@uni.example;new@uni.example;c@uni.example;personal;;\n" + fmt.Sprintf(row, "m", "m", "new@uni.example"),
			"2 faulty alias2:address.taken,3 new",
		},
		"who has an address and keeps it comes before whoever wants it first": {
			fmt.Sprintf(row, "n", "n", "x@uni.example") + fmt.Sprintf(row, "other", "a", "x@uni.example"),
			"2 faulty alias1:address.taken,3 changed",
		},
		"a primary wins over a later alias": {
			fmt.Sprintf(row, "n", "n", "") + fmt.Sprintf(row, "m", "m", "n@uni.example"),
			"2 new,3 faulty alias1:import.claimed",
		},
		"a primary address stands once in a file": {
			fmt.Sprintf(row, "n", "n", "") + fmt.Sprintf(row, "m", "N", ""),
			"2 new,3 faulty primary:import.twice",
		},
		"inactive rows may share an alias": {
			fmt.Sprintf(row, "off", "off", "x@uni.example"),
			"2 changed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.AddRow(t, "a", "x@uni.example")
			r.AddRow(t, "b", "y@uni.example")
			r.AddRow(t, "c")
			r.SwitchOff(t, r.AddRow(t, "off"))
			im := r.planned(t, heads+c.lines)
			r.wantClasses(t, im, strings.Split(c.want, ",")...)
			if im.New+im.Changed > 0 {
				if im = r.apply(t, r.contact, im); im.State != imports.Applied {
					t.Errorf("got state %s (%s), want it applied", im.State, im.Trouble)
				}
			}
		})
	}
}

func TestAlongChainIsFollowedToItsEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const n = 3000
	_, err := r.db.Exec(t.Context(), `insert into address_row (domain, kind, name, primary_address, aliases, created, changed)
		select $1, 'personal', 'n', 'r' || i || '@uni.example', array['a' || i || '@uni.example'], now(), now() from generate_series(1, $2::int) i`, r.uniID, n)
	r.ok(t, err)
	chain := func(last string) string {
		var b strings.Builder
		b.WriteString(heads)
		for i := 1; i <= n; i++ {
			next := fmt.Sprintf("a%d@uni.example", i+1)
			if i == n {
				next = last
			}
			fmt.Fprintf(&b, "n;r%d@uni.example;%s;;personal;;\n", i, next)
		}
		return b.String()
	}
	if im := r.planned(t, chain("free@uni.example")); im.Changed != n {
		t.Errorf("a chain with a free end: got %d changed and %d faulty, want all changed", im.Changed, im.Faulty)
	}
	if im := r.planned(t, chain("a1@uni.example")); im.Changed != n {
		t.Errorf("a ring: got %d changed and %d faulty, want all changed", im.Changed, im.Faulty)
	}
	r.AddRow(t, "blocked")
	if im := r.planned(t, chain("blocked@uni.example")); im.Faulty != n {
		t.Errorf("a chain with a taken end: got %d faulty, want all", im.Faulty)
	}
}

func TestWhatCannotBeAPlanIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	upload := func(file string) error {
		_, err := r.Imports.Upload(t.Context(), r.contact, r.uni, "x.csv", strings.NewReader(file))
		return err
	}
	campus.Wants(t, upload(""), "mailbox.import.empty")
	campus.Wants(t, upload("\ufeff\r\n"), "mailbox.import.empty")
	campus.Wants(t, upload("PK\x03\x04xlsx"), "sheet.workbook_damaged")
	campus.Wants(t, upload("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "sheet.old_workbook")
	for _, other := range []string{"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "\x1f\x8b\x08\x00\x00", "<!DOCTYPE html><html>", "%PDF-1.4"} {
		campus.Wants(t, upload(other), "sheet.foreign")
	}
	if err := upload(heads + strings.Repeat("x", 20<<20)); !fault.Is(err, fault.TooLarge) {
		t.Errorf("over 20 MiB: got %v, want too large", err)
	}
	if err := upload("Mail\n" + strings.Repeat("a\n", sheet.MaxRows+1)); !fault.Is(err, fault.TooLarge) {
		t.Errorf("over 200,000 rows: got %v, want too large", err)
	}
	broken := errors.New("the line went dead")
	_, err := r.Imports.Upload(t.Context(), r.contact, r.uni, "x.csv", &brokenReader{strings.NewReader(heads), broken})
	if !errors.Is(err, broken) {
		t.Errorf("a broken upload: got %v, want what broke it", err)
	}
	if n := r.campus.Scalar(`select (select count(*) from import) + (select count(*) from import_chunk)`); n != 0 {
		t.Errorf("got %d leftovers of refused uploads, want none", n)
	}
	im := r.upload(t, r.contact, r.uni, heads+"x\n")
	plan := func(f sheet.Format, columns ...imports.Field) error {
		return r.Imports.Plan(t.Context(), r.contact, r.uni, im.ID, imports.Reading{Format: f, Columns: columns})
	}
	campus.Wants(t, plan(im.Format(), im.Columns[:3]...), "mailbox.import.columns_differ")
	campus.Wants(t, plan(sheet.Format{Encoding: sheet.UTF8, Separator: ','}, im.Columns...), "mailbox.import.columns_differ")
	campus.Wants(t, plan(sheet.Format{Encoding: "ebcdic"}, im.Columns...), "field.required")
	none := slices.Clone(im.Columns)
	none[1] = ""
	campus.Wants(t, plan(im.Format(), none...), "mailbox.import.no_primary")
	none[1], none[0] = imports.FieldPrimary, imports.FieldPrimary
	campus.Wants(t, plan(im.Format(), none...), "mailbox.import.column_twice")
}

type brokenReader struct {
	*strings.Reader
	err error
}

func (b *brokenReader) Read(p []byte) (int, error) {
	if b.Len() == 0 {
		return 0, b.err
	}
	return b.Reader.Read(p)
}

func TestWhatWasRecognisedCanBeCorrected(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	im := r.upload(t, r.contact, r.uni, "Spalte 1,Spalte 2,Typ\nAda;x,ada@uni.example,personal\nM\xfcller,m@uni.example,personal\n")
	if im.Encoding != sheet.Windows1252 || im.Separator != "," {
		t.Fatalf("got %s and %q, want windows-1252 and commas", im.Encoding, im.Separator)
	}
	p := trial.Must(r.Imports.Preview(t.Context(), im, sheet.Format{Encoding: sheet.UTF8, Separator: ';'}, 0))
	if len(p.Header) != 1 || len(p.Rows) != 2 {
		t.Errorf("as UTF-8 with semicolons: got %+v, want one column and two rows", p)
	}
	p = trial.Must(r.Imports.Preview(t.Context(), im, im.Format(), 0))
	if fmt.Sprint(p.Columns) != "[  kind]" || len(p.Rows) != 2 || p.Rows[1][0] != "Müller" {
		t.Errorf("as recognised: got %+v, want the third column known", p)
	}
	im.Columns = []imports.Field{imports.FieldLast, imports.FieldPrimary, imports.FieldKind}
	im = r.plan(t, r.contact, im)
	r.wantClasses(t, im, "2 new", "3 new")
	if im.Done != 2 {
		t.Errorf("got %d lines read, want 2", im.Done)
	}
	im.Columns[0] = imports.FieldComment // planned again, another way
	r.wantClasses(t, r.plan(t, r.contact, im), "2 faulty name:field.required", "3 faulty name:field.required")
}
