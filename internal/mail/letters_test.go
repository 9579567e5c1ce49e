package mail

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden letters")

const link = "https://petschaft.uni.example/challenge/3Jq0x8c2kXb1o7aYt5Vw9ZsL4mN6pR"

var (
	at       = time.Date(2027, 3, 14, 8, 5, 0, 0, time.UTC)
	personal = ChallengeWords{To: "kim.muster@uni.example", Asks: "Robin Netz", Domain: "uni.example", Link: link, Until: at}
)

func TestLetters(t *testing.T) {
	t.Parallel()
	one := ChallengeWords{To: "kim.muster@uni.example", Asks: "Robin Netz", Domain: "uni.example", Functional: []string{"office@uni.example"}, Link: link, Until: at}
	three := one
	three.Functional = []string{"office@uni.example", "contact@uni.example", "desk@uni.example"}
	cases := map[string]func() (Letter, error){
		"challenge":            func() (Letter, error) { return Challenge(personal) },
		"challenge-functional": func() (Letter, error) { return Challenge(one) },
		"challenge-aliases":    func() (Letter, error) { return Challenge(three) },
		"declined": func() (Letter, error) {
			return Declined(DeclinedWords{"nap@uni.example", "Muster, Kim", "kim.muster@uni.example", "Toni Fremd", at, link})
		},
		"conflict": func() (Letter, error) {
			return Conflict(ConflictWords{"nap@uni.example", "Muster, Kim", "k.muster@uni.example", "Kim Muster", "Toni Fremd", at, link})
		},
		"issued": func() (Letter, error) {
			return Issued(IssuedWords{Reader{To: "kim.muster@uni.example"}, []string{"kim.muster@uni.example", "k.muster@uni.example"}, at, link})
		},
		"revoked": func() (Letter, error) {
			return Revoked(RevokedWords{Reader{To: "kim.muster@uni.example"}, []string{"kim.muster@uni.example"}, "Robin Netz", at, link, false})
		},
		"server-revoked": func() (Letter, error) {
			return ServerRevoked(ServerRevokedWords{Reader{To: "kim.muster@uni.example"}, "Botanischer Garten", "ABCD-EFGHJ", []string{"www.uni.example", "uni.example"}, "Robin Netz", at, link, false})
		},
		"ending": func() (Letter, error) {
			return Ending(EndingWords{Reader{To: "kim.muster@uni.example"}, "Botanischer Garten", []EndingLine{{"www.uni.example", 2, "ABCD-EFGHJ", at, false}}, link})
		},
		"token-ending": func() (Letter, error) {
			return TokenEnding(TokenEndingWords{Reader{To: "kim.muster@uni.example"}, "Abgleich mit dem Verzeichnis", at, link})
		},
		"tokens-sleeping": func() (Letter, error) {
			return TokensSleeping(TokensSleepingWords{Reader{To: "kim.muster@uni.example"}, "", []string{"Abgleich mit dem Verzeichnis"}, at.AddDate(0, 0, -23), at.AddDate(0, 0, 7), link})
		},
		"tokens-sleeping-many": func() (Letter, error) {
			return TokensSleeping(TokensSleepingWords{Reader{To: "kim.muster@uni.example"}, "", []string{"Abgleich mit dem Verzeichnis", "Erneuern"}, at.AddDate(0, 0, -23), at.AddDate(0, 0, 7), link})
		},
		"tokens-sleeping-group": func() (Letter, error) {
			return TokensSleeping(TokensSleepingWords{Reader{To: "netz@uni.example"}, "Kim Muster", []string{"Abgleich mit dem Verzeichnis"}, at.AddDate(0, 0, -29), at.AddDate(0, 0, 1), link})
		},
		"ending-many": func() (Letter, error) {
			return Ending(EndingWords{Reader{To: "kim.muster@uni.example"}, "Botanischer Garten", []EndingLine{
				{"www.uni.example", 0, "ABCD-EFGHJ", at, false}, {"*.münster.example", 1, "KLMN-PQRST", at.Add(time.Hour), true},
			}, link})
		},
	}
	late := UnwantedWords{Reader: Reader{To: "kim.muster@uni.example"}, Reference: "ABCD-EFGHJ", Names: []string{"kim.muster@uni.example"}, Why: EndedLater, At: at, Link: link}
	cases["unwanted-later"] = func() (Letter, error) { return Unwanted(late) }
	surplus := late
	surplus.Why = EndedSurplus
	cases["unwanted-surplus"] = func() (Letter, error) { return Unwanted(surplus) }
	office := surplus
	office.Office, office.Revoking, office.Organisation, office.Names = true, true, "Botanischer Garten", []string{"www.uni.example"}
	cases["unwanted-surplus-office"] = func() (Letter, error) { return Unwanted(office) }
	rejected := office
	rejected.Why = EndedRejected
	cases["unwanted-rejected"] = func() (Letter, error) { return Unwanted(rejected) }
	maps.Copy(cases, orderLetters())
	maps.Copy(cases, handoverLetters())
	maps.Copy(cases, mailLetters())
	maps.Copy(cases, outsideLetters())
	for name, make := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := make()
			if err != nil {
				t.Fatalf("write: %v", err)
			}
			golden(t, name+".txt", "To: "+l.To+"\nSubject: "+l.Subject+"\n\n"+l.Text)
			golden(t, name+".html", l.HTML)
			checkForm(t, l)
		})
	}
}

// checkForm holds what is true of every letter.
func checkForm(t *testing.T, l Letter) {
	t.Helper()
	if got := strings.Count(l.Text, link); got != 1 {
		t.Errorf("got the link %d times in the text, want once", got)
	}
	if got := strings.Count(l.HTML, "href="); got != 1 {
		t.Errorf("got %d links in the HTML, want one", got)
	}
	if !strings.Contains(l.HTML, `<a href="`+link+`">`+link+`</a>`) {
		t.Error("the HTML does not show the whole link")
	}
	for _, never := range []string{"style=", "src=", "url(", "<no value>", "<script"} {
		if strings.Contains(l.HTML, never) {
			t.Errorf("the HTML holds %q", never)
		}
	}
	for line := range strings.SplitSeq(l.Text, "\n") {
		if utf8.RuneCountInString(line) > columns {
			t.Errorf("line %q is longer than %d characters", line, columns)
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test ./internal/mail -update writes it)", err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got; go test ./internal/mail -update accepts it):\n%s", path, d)
	}
}

var nasty = map[string]string{
	"line breaks":      "Kim\r\n\r\n" + link + "\r\n\r\nMuster",
	"markup":           `<a href="https://evil.example">Kim</a><script>`,
	"a template":       "{{.Link}}",
	"an encoded word":  "=?utf-8?q?=0D=0ABcc:_eve@evil.example?=",
	"backwards":        "Kim \u202egro.live\u202c",
	"too long":         strings.Repeat("Kim ", 1000),
	"NUL":              "Kim\x00Muster",
	"a broken letter":  "Kim\xffMuster",
	"a list of things": "- Kim",
}

func TestNamesCannotChangeALetter(t *testing.T) {
	t.Parallel()
	for what, evil := range nasty {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			l, err := Conflict(ConflictWords{"nap@uni.example", evil, evil, evil, evil, at, link})
			if err != nil {
				t.Fatalf("write: %v", err)
			}
			if err := checkHeader(l.Subject); err != nil {
				t.Errorf("got subject %q, which %v", l.Subject, err)
			}
			if n := strings.Count(l.HTML, "href="); n > 1 && what != "markup" {
				t.Errorf("got %d links, want one", n)
			}
			if strings.Contains(l.HTML, "<script>") || strings.Contains(l.HTML, `href="https://evil`) {
				t.Error("a name reached the HTML as markup")
			}
			if strings.ContainsAny(l.Text, "\x00\r\u202e") || !utf8.ValidString(l.Text) {
				t.Errorf("got text with control characters:\n%q", l.Text)
			}
			if n := strings.Count(l.HTML, "<li>"); n != 2 {
				t.Errorf("got %d items in the lists, want the address in each language", n)
			}
			if len(l.Text) > 6000 {
				t.Errorf("got a text of %d bytes, want names bounded", len(l.Text))
			}
		})
	}
}

func TestALetterWithoutAFullLinkIsNotWritten(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "/challenge/x", "javascript:alert(1)", "https:///x", "https://uni.example/a b", "https://uni.example/\n"} {
		w := personal
		w.Link = bad
		if _, err := Challenge(w); err == nil {
			t.Errorf("link %q: got no error, want it refused", bad)
		}
	}
}

func TestBackoffGrowsToTwoHoursAndEndsWithinPatience(t *testing.T) {
	t.Parallel()
	want := []time.Duration{time.Minute, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 2 * time.Hour}
	for attempt, want := range want {
		if got := Backoff(attempt); got != want {
			t.Errorf("after attempt %d: got %v, want %v", attempt, got, want)
		}
	}
	n, spent := 1, time.Duration(0)
	for ; spent <= Patience; n++ {
		spent += Backoff(n)
	}
	if n >= Attempts {
		t.Errorf("got %d attempts within %v, want fewer than the job's %d", n, Patience, Attempts)
	}
}
