package mail

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// toNobodysAccount are the letters that go to a mailbox of which the portal does
// not know whose it is: they come in both languages.
var toNobodysAccount = []string{"challenge", declined, conflict}

// TestEveryLetterToAnAccountComesInItsLanguage goes over all letters: one that
// is to somebody is addressed with a Reader, and in the language that they chose it
// holds no other, and its link once.
func TestEveryLetterToAnAccountComesInItsLanguage(t *testing.T) {
	t.Parallel()
	entries, err := files.ReadDir("letters")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, e := range entries {
		kind, ok := strings.CutSuffix(e.Name(), ".de.txt")
		if !ok || slices.Contains(toNobodysAccount, kind) {
			continue
		}
		seen++
		w := filled(t, kind)
		for lang, own := range map[string]string{"de": "Guten Tag", "en": "Hello"} {
			foreign := map[string]string{"de": "Hello", "en": "Guten Tag"}[lang]
			w.FieldByName("Reader").Set(reflect.ValueOf(Reader{"kim@uni.example", lang}))
			l, err := w.Interface().(Words).letter()
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			if !strings.Contains(l.Text, own) || strings.Contains(l.Text, foreign) || strings.Contains(l.Text, "English version") || strings.Contains(l.Subject, " / ") {
				t.Errorf("%s for somebody who reads %s: got\n%s\n\n%s", kind, lang, l.Subject, l.Text)
			}
			if n := strings.Count(l.Text, link); n != 1 || strings.Contains(l.Text, "link above") {
				t.Errorf("%s for somebody who reads %s: got its link %d times, and where it is said wrongly:\n%s", kind, lang, n, l.Text)
			}
		}
	}
	if seen < 20 {
		t.Errorf("looked at %d letters only", seen)
	}
}

// filled are words of that kind with a link and one thing of each list.
func filled(t *testing.T, kind string) reflect.Value {
	t.Helper()
	w := reflect.New(reflect.TypeOf(words(t, kind))).Elem()
	for i := range w.NumField() {
		switch f := w.Field(i); {
		case w.Type().Field(i).Name == "Letter":
			f.SetString(kind)
		case w.Type().Field(i).Name == "Link":
			f.SetString(link)
		case f.Kind() == reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		}
	}
	if !w.FieldByName("Reader").IsValid() {
		t.Fatalf("%s is not addressed with a Reader, so it can forget the language", kind)
	}
	return w
}

// words are empty ones of that kind.
func words(t *testing.T, kind string) Words {
	t.Helper()
	all := map[string]Words{}
	for _, w := range []Words{
		IssuedWords{},
		RevokedWords{},
		ServerRevokedWords{},
		UnwantedWords{},
		KeyFellWords{},
		KeyBlockedWords{},
		KeyReportWords{},
		KeyReportsWords{},
		RecordWords{},
		UnrevokedWords{},
		EndingWords{},
		MailEndingWords{},
		AppliedWords{},
		DigestWords{},
		HeldWords{},
		OrdersWaitingWords{},
		OrderApprovedWords{},
		OrderReturnedWords{},
		OrderRejectedWords{},
		ServerIssuedWords{},
		TokenEndingWords{},
		TokensSleepingWords{},
	} {
		all[w.kind()] = w
	}
	if _, ok := all[kind]; !ok {
		if _, err := reread(kind, []byte(`{"Letter":"`+kind+`","Link":"`+link+`"}`)); err != nil {
			t.Fatalf("%s: %v (known are %v and those about handovers)", kind, err, slices.Sorted(maps.Keys(all)))
		}
		return HandoverWords{}
	}
	return all[kind]
}
