package mail

import (
	"strings"
	"testing"
	"time"
)

// mailLetters are those about client certificates that end or are new, in both
// languages and in each alone.
func mailLetters() map[string]func() (Letter, error) {
	const to, address = "kim.muster@uni.example", "office@uni.example"
	one := MailEndingWords{Reader: Reader{To: to}, Link: link, Certificates: []MailEndingLine{{Address: to, More: 1, Until: at}}}
	many := one
	many.Certificates = append(many.Certificates, MailEndingLine{Address: address, Until: at.Add(time.Hour), Elsewhere: true})
	many.Lang = "en"
	holder := AppliedWords{Reader: Reader{to, "de"}, Address: address, By: "Toni Fremd", At: at, Link: link}
	contact := holder
	contact.Lang, contact.Holders = "", []string{"Kim Muster"}
	week := DigestWords{Reader: Reader{To: "robin@uni.example"}, Days: 28, Link: link, Certificates: []DigestLine{{to, "Kim Muster", at}, {address, "Toni Fremd", at}}}
	more := week
	more.More, more.Lang = 1234, "en"
	both := week
	both.Doubtful = 3
	doubtful := DigestWords{Reader: Reader{"robin@uni.example", "de"}, Days: 28, Link: link, Doubtful: 1}
	over := HeldWords{Reader: Reader{To: "ra@uni.example"}, Since: at, Until: at.Add(time.Hour), Answer: "5.5.2 <vm>: Helo command rejected", Link: link}
	alone := over
	alone.Lang = "en"
	fell := KeyFellWords{Reader: Reader{To: to}, Reference: "ABCD-EFGHJ", Names: []string{to}, Fate: "revoked", By: "Robin Amt", At: at, Link: link}
	served := KeyFellWords{Reader{to, "de"}, "Garten", "ABCD-EFGHJ", []string{"www.uni.example"}, "revoking", true, "", at, link}
	told, raised := served, served
	told.Fate, told.Lang, raised.Fate = "told", "en", "raised"
	report := KeyReportWords{Reader: Reader{To: to}, Reference: "ABCD-EFGHJ", Compromise: true, Due: at, Link: link}
	word := KeyReportWords{Reader: Reader{to, "en"}, Reference: "ABCD-EFGHJ", By: "Kim Muster", Word: true, Others: 3, Due: at, Link: link}
	blocked := KeyBlockedWords{Reader{To: to}, strings.Repeat("0a", 32), at, 2, 1, 0, link}
	seal := RecordWords{Reader{To: to}, 4711, strings.Repeat("0a", 32), "MCowBQYDK2VwAyEA", false, 0, at, link}
	broken := RecordWords{Reader{to, "en"}, 4711, "", "", true, 4712, at, link}
	return map[string]func() (Letter, error){
		"audit_record":        func() (Letter, error) { return Record(seal) },
		"audit_record-broken": func() (Letter, error) { return Record(broken) },
		"key_fell":            func() (Letter, error) { return KeyFell(fell) },
		"key_fell-server":     func() (Letter, error) { return KeyFell(served) },
		"key_fell-told":       func() (Letter, error) { return KeyFell(told) },
		"key_fell-raised":     func() (Letter, error) { return KeyFell(raised) },
		"key_report":          func() (Letter, error) { return KeyReport(report) },
		"key_reports": func() (Letter, error) {
			return KeyReports(KeyReportsWords{Reader: Reader{To: to}, Reports: 12, Due: at, Link: link})
		},
		"key_report-word":  func() (Letter, error) { return KeyReport(word) },
		"key_blocked":      func() (Letter, error) { return KeyBlocked(blocked) },
		"held":             func() (Letter, error) { return Held(over) },
		"held-en":          func() (Letter, error) { return Held(alone) },
		"digest-both":      func() (Letter, error) { return Digest(both) },
		"digest-doubtful":  func() (Letter, error) { return Digest(doubtful) },
		"mail_ending":      func() (Letter, error) { return MailEnding(one) },
		"mail_ending-many": func() (Letter, error) { return MailEnding(many) },
		"applied-holder":   func() (Letter, error) { return Applied(holder) },
		"applied-contact":  func() (Letter, error) { return Applied(contact) },
		"digest":           func() (Letter, error) { return Digest(week) },
		"digest-more":      func() (Letter, error) { return Digest(more) },
		"issued-en":        func() (Letter, error) { return Issued(IssuedWords{Reader{to, "en"}, []string{to}, at, link}) },
		"revoked-elsewhere-de": func() (Letter, error) {
			return Revoked(RevokedWords{Reader{to, "de"}, []string{to}, "Robin Netz", at, link, true})
		},
		"server-revoked-elsewhere-en": func() (Letter, error) {
			return ServerRevoked(ServerRevokedWords{Reader{to, "en"}, "Garten", "ABCD-EFGHJ", []string{"www.uni.example"}, "Robin Netz", at, link, true})
		},
		"server_issued-en": func() (Letter, error) {
			return ServerIssued(ServerIssuedWords{Reader{to, "en"}, "ABCD-EFGHJ", "Garten", []string{"www.uni.example"}, at, link})
		},
		"ending-en": func() (Letter, error) {
			return Ending(EndingWords{Reader{to, "en"}, "Garten", []EndingLine{{"www.uni.example", 0, "ABCD-EFGHJ", at, false}}, link})
		},
	}
}

// TestALetterInTheReadersLanguageHoldsNoOther: a language that the portal does
// not know makes a letter in both.
func TestALetterInTheReadersLanguageHoldsNoOther(t *testing.T) {
	t.Parallel()
	for lang, want := range map[string][2]bool{"": {true, true}, "fr": {true, true}, "de": {true, false}, "en": {false, true}} {
		l, err := MailEnding(MailEndingWords{Reader: Reader{"kim@uni.example", lang}, Link: link, Certificates: []MailEndingLine{{Address: "kim@uni.example", Until: at}}})
		if err != nil {
			t.Fatal(err)
		}
		got := [2]bool{strings.Contains(l.Text, "Guten Tag"), strings.Contains(l.Text, "Hello")}
		if got != want || strings.Contains(l.Subject, " / ") != (want[0] && want[1]) {
			t.Errorf("%q: got German and English %v under %q, want %v", lang, got, l.Subject, want)
		}
	}
}
