package mail

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"petschaft/internal/lane"
	"petschaft/internal/trial"
)

// postfix is a real Postfix with a spool of its own on loopback, which puts off
// every no until RCPT as it does by default. Each port lacks something else in
// the portal: the first nothing.
type postfix struct {
	plain, helo, sender, small, early int
}

// ports are n ports on loopback that nobody listens on.
func ports(t *testing.T, n int) []int {
	t.Helper()
	free := make([]int, n)
	for i := range free {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // after the last, so that none is given out twice
		free[i] = l.Addr().(*net.TCPAddr).Port
	}
	return free
}

// asRoot is a command line that runs as root: Postfix starts only so.
func asRoot(line ...string) []string {
	if os.Getuid() == 0 {
		return line
	}
	return append([]string{"sudo", "-n"}, line...)
}

// startPostfix starts one that hands all mail it takes to the server at next.
func startPostfix(t *testing.T, next int) postfix {
	t.Helper()
	dir, err := os.MkdirTemp("", "petschaft-postfix-") // t.TempDir's parent is closed to Postfix's own user
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		line := asRoot("rm", "-rf", dir)
		if out, err := exec.Command(line[0], line[1:]...).CombinedOutput(); err != nil {
			t.Errorf("remove the spool: %v: %s", err, out)
		}
	})
	p := ports(t, 5)
	files := map[string]string{
		"main.cf": fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/spool
data_directory = %[1]s/data
maillog_file = %[1]s/log
maillog_file_prefixes = %[1]s
myhostname = mx.uni.example
mydestination =
local_recipient_maps =
alias_maps =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_delay_reject = yes
smtpd_relay_restrictions = reject_unauth_destination
relay_domains = uni.example
relay_recipient_maps = inline:{ kim@uni.example=x, late@uni.example=x, bounce@uni.example=x, help@uni.example=x }
relayhost = [127.0.0.1]:%[2]d
smtp_tls_security_level = none
smtpd_tls_security_level = none
`, dir, next),
		"master.cf": fmt.Sprintf(`127.0.0.1:%d inet n - n - - smtpd
127.0.0.1:%d inet n - n - - smtpd -o { smtpd_helo_restrictions = reject_non_fqdn_helo_hostname }
127.0.0.1:%d inet n - n - - smtpd -o { smtpd_sender_restrictions = check_sender_access inline:{{help@uni.example = REJECT not owned by user portal}} }
127.0.0.1:%d inet n - n - - smtpd -o message_size_limit=1500
127.0.0.1:%d inet n - n - - smtpd -o smtpd_delay_reject=no -o { smtpd_helo_restrictions = reject_non_fqdn_helo_hostname }
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
smtp unix - - n - - smtp
relay unix - - n - - smtp
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
error unix - - n - - error
retry unix - - n - - error
flush unix n - n 1000? 0 flush
`, p[0], p[1], p[2], p[3], p[4]),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	runPostfix(t, dir, p[0])
	return postfix{p[0], p[1], p[2], p[3], p[4]}
}

// untilNobodyAsks runs Postfix until its input ends, which it also does when the
// test is killed.
const untilNobodyAsks = `
cd "$0" && chmod 755 . && chown root . *.cf && mkdir spool data && chown postfix data || exit 1
postfix -c "$0" start-fg &
cat
kill "$(cat spool/pid/master.pid)"
wait`

// runPostfix runs it until t ends; it listens when this returns.
func runPostfix(t *testing.T, dir string, port int) {
	t.Helper()
	line := asRoot("env", "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin", "sh", "-c", untilNobodyAsks, dir)
	c := exec.Command(line[0], line[1:]...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	asked, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatalf("start Postfix: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Wait()
	}()
	t.Cleanup(func() {
		asked.Close()
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			t.Error("Postfix did not stop within 20 seconds")
		}
		if log, err := os.ReadFile(filepath.Join(dir, "log")); err == nil && t.Failed() {
			t.Logf("Postfix:\n%s%s", out.String(), log)
		}
	})
	await(t, port, ended, &out)
}

// await returns when something listens at the port.
func await(t *testing.T, port int, ended <-chan struct{}, said *bytes.Buffer) {
	t.Helper()
	trial.Until(t, "Postfix listens", func() bool {
		select {
		case <-ended:
			t.Fatalf("Postfix ended (`make peers` installs it):\n%s", said)
		default:
		}
		l, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			l.Close()
		}
		return err == nil
	})
}

// TestPeerPostfixRefusesForOtherReasonsThanTheAddress, all at RCPT or later: only
// the unknown user is held against the address.
func TestPeerPostfixRefusesForOtherReasonsThanTheAddress(t *testing.T) {
	t.Parallel()
	lane.Peer(t, "postfix")
	next := serve(t, noTLS, func(s *server) {
		s.EnableDSN = true
		s.rcpt = func(to string) error {
			if strings.HasPrefix(to, "late") {
				return no(550, "5.1.1 no such mailbox here")(to)
			}
			return nil
		}
	})
	p := startPostfix(t, next.Port)
	for name, c := range map[string]struct {
		port      int
		hello, to string
		status    string
		stage     Stage
		verdict   Verdict
	}{
		"an unknown user":          {p.plain, "portal.uni.example", "nobody@uni.example", "5.1.1", AtRecipient, Dead},
		"relaying":                 {p.plain, "portal.uni.example", "kim@elsewhere.example", "5.7.1", AtRecipient, Later},
		"the client's name":        {p.helo, "localhost", "kim@uni.example", "5.5.2", AtRecipient, Later},
		"the sender":               {p.sender, "portal.uni.example", "kim@uni.example", "5.7.1", AtRecipient, Later},
		"the size":                 {p.small, "portal.uni.example", "kim@uni.example", "5.3.4", AtContent, Later},
		"the client's name, early": {p.early, "localhost", "kim@uni.example", "5.5.2", AtDoor, Shut},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t, Config{URL: fmt.Sprintf("smtp://127.0.0.1:%d?tls=none", c.port), Hello: c.hello})
			l := letterTo(c.to)
			l.Text = strings.Repeat("wort ", 500) + l.Text
			_, err := s.Send(t.Context(), l)
			r := refusal(t, err)
			if r.Stage != c.stage || r.Status != c.status || r.Verdict() != c.verdict {
				t.Errorf("got %+v, verdict %s; want %s at the %s, verdict %s", r, r.Verdict(), c.status, c.stage, c.verdict)
			}
		})
	}
	t.Run("the right name is welcome", func(t *testing.T) {
		s := newSender(t, Config{URL: fmt.Sprintf("smtp://127.0.0.1:%d?tls=none", p.helo), Hello: "portal.uni.example"})
		if _, err := s.Send(t.Context(), letterTo("kim@uni.example")); err != nil {
			t.Errorf("send: %v", err)
		}
	})
	t.Run("a later bounce quotes no link", func(t *testing.T) { bounced(t, p, next) })
}

// bounced sends a challenge that Postfix takes and the next server does not: the
// bounce comes to the portal's mailbox without the link.
func bounced(t *testing.T, p postfix, next *server) {
	s := newSender(t, Config{URL: fmt.Sprintf("smtp://127.0.0.1:%d?tls=none", p.plain), Hello: "portal.uni.example"})
	w := personal
	w.To = "late@uni.example"
	l, err := Challenge(w)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Send(t.Context(), l); err != nil {
		t.Fatalf("Postfix is to take it first: %v", err)
	}
	ctx, done := context.WithTimeout(t.Context(), 30*time.Second)
	defer done()
	for {
		for _, m := range next.got() {
			if m.To != "help@uni.example" {
				continue
			}
			raw := strings.ReplaceAll(m.Body, "=\r\n", "")
			if !strings.Contains(raw, "Status: 5.1.1") || !strings.Contains(raw, "text/rfc822-headers") {
				t.Errorf("got the bounce, want a delivery status and the headers quoted:\n%s", raw)
			}
			if token := link[strings.LastIndexByte(link, '/')+1:]; strings.Contains(raw, token) {
				t.Errorf("the bounce holds the live link:\n%s", raw)
			}
			return
		}
		select {
		case <-next.served:
		case <-ctx.Done():
			t.Fatal("no bounce came")
		}
	}
}
