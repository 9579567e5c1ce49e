package mail

import (
	"fmt"
	"strings"
	"testing"
)

// orderLetters are those about orders, with what people wrote into them.
func orderLetters() map[string]func() (Letter, error) {
	const to, reference, organisation, by = "tina@uni.example", "ABCD-EFGHJ", "Universität Beispiel", "Rita Amt"
	names := []string{"www.uni.example", "uni.example"}
	waiting := OrdersWaitingWords{Reader: Reader{To: "ra@uni.example"}, Count: 1, Link: link, Orders: []WaitingOrder{{reference, "www.uni.example", organisation, false}}}
	many := waiting
	many.Count, many.More = 22, 20
	many.Orders = append(many.Orders, WaitingOrder{"KLMN-PQRST", "neu.example", "Institut", true})
	reason := "Bitte ergänzen Sie\n- den Namen ohne „www“.\n\n" + link
	return map[string]func() (Letter, error){
		"orders_waiting":      func() (Letter, error) { return OrdersWaiting(waiting) },
		"orders_waiting-many": func() (Letter, error) { return OrdersWaiting(many) },
		"order_approved": func() (Letter, error) {
			return OrderApproved(OrderApprovedWords{Reader{To: to}, reference, organisation, names, by, link})
		},
		"order_returned": func() (Letter, error) {
			return OrderReturned(OrderReturnedWords{Reader{To: to}, reference, organisation, names, by, strings.ReplaceAll(reason, link, "Danke"), link})
		},
		"order_rejected": func() (Letter, error) {
			return OrderRejected(OrderRejectedWords{Reader{To: to}, reference, organisation, names, by, "So nicht.", link})
		},
		"server_issued": func() (Letter, error) {
			return ServerIssued(ServerIssuedWords{Reader{To: to}, reference, organisation, names, at, link})
		},
	}
}

// TestWhatAnOfficerWritesStaysOneItemOfTheLetter, with its lines: no second link,
// no list of its own, no header.
func TestWhatAnOfficerWritesStaysOneItemOfTheLetter(t *testing.T) {
	t.Parallel()
	l, err := OrderReturned(OrderReturnedWords{
		Reader: Reader{To: "tina@uni.example"}, Reference: "ABCD-EFGHJ\r\nBcc: eve@evil.example", Organisation: "=?utf-8?q?x?=", Names: []string{"a.example"}, By: "Rita",
		Reason: "eins\n\nhttps://evil.example/\n\n- zwei", Link: link,
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(l.Subject, "\r\n") || strings.Contains(l.Subject, "=?") {
		t.Errorf("got the subject %q", l.Subject)
	}
	if got := strings.Count(l.HTML, "href="); got != 1 {
		t.Errorf("got %d links, want the letter's own", got)
	}
	if !strings.Contains(l.Text, "\n- eins\n  https://evil.example/\n  - zwei\n\n") {
		t.Errorf("got the reason in other lines, or not indented:\n%s", l.Text)
	}
	if !strings.Contains(l.HTML, "<li>eins<br>https://evil.example/<br>- zwei</li>") {
		t.Errorf("got the reason in other lines, or not in one item:\n%s", l.HTML)
	}
}

func TestALetterNamesTenServersAtMost(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 50 {
		names = append(names, fmt.Sprintf("s%d.uni.example", i))
	}
	l, err := ServerIssued(ServerIssuedWords{Reader: Reader{To: "t@uni.example"}, Reference: "ABCD-EFGHJ", Organisation: "x", Names: names, Until: at, Link: link})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(l.Text, "- s9.uni.example\n- …\n") || strings.Contains(l.Text, "s10.uni.example") {
		t.Errorf("got:\n%s", l.Text)
	}
}
