package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"petschaft/internal/lane"
	"petschaft/internal/pgtest"
	"petschaft/internal/trial"
)

// running is the program as it serves.
type running struct {
	t       *testing.T
	command *exec.Cmd
	address string
}

func (o *office) running() running {
	o.t.Helper()
	c := o.command(pgtest.URL(o.t), "exec petschaft serve")
	log := trial.Must(c.StderrPipe())
	trial.Must(0, c.Start())
	o.t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	for lines := bufio.NewScanner(log); lines.Scan(); {
		var said struct{ Msg, Listen string }
		if json.Unmarshal(lines.Bytes(), &said) == nil && said.Msg == "ready" {
			go io.Copy(io.Discard, log)
			return running{o.t, c, said.Listen}
		}
	}
	o.t.Fatal("it did not get ready")
	return running{}
}

// most is the most memory that the program has had so far, in MiB (proc(5)).
func (r running) most() int {
	r.t.Helper()
	text := trial.Must(os.ReadFile(fmt.Sprintf("/proc/%d/status", r.command.Process.Pid)))
	kib := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	return trial.Must(strconv.Atoi(string(kib[1]))) >> 10
}

// send is one sender: headers and so much of a body as the portal takes, then
// nothing more. The connection stays open.
func (r running) send(path, headers string, body io.Reader) net.Conn {
	c := trial.Must(net.Dial("tcp", r.address))
	trial.Must(0, c.SetDeadline(time.Now().Add(time.Minute)))
	_, err := fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: %s\r\n%s\r\n\r\n", path, r.address, headers)
	if err == nil {
		_, _ = io.Copy(c, body) // fails where the portal takes no more
	}
	return c
}

// chunks are a body without a length that goes on and on.
func chunks(n int) io.Reader {
	return strings.NewReader(strings.Repeat("4000\r\n"+strings.Repeat("x", 0x4000)+"\r\n", n))
}

// TestThePortalStaysSmallUnderStrangersBodies: three hundred senders at once that
// nobody knows, each kind of them, and all their connections stay open.
func TestThePortalStaysSmallUnderStrangersBodies(t *testing.T) {
	lane.Browser(t) // in no lane with the race detector, which would be weighed, too
	r := newOffice(t).running()
	const form, same = "Content-Type: application/x-www-form-urlencoded\r\n", "Sec-Fetch-Site: same-origin\r\n"
	const mega = 4 << 20
	big := strings.Repeat("x", mega)
	for _, c := range []struct {
		what, path, headers string
		body                func() io.Reader
	}{
		{"files for officers", "/office/earlier", "Content-Type: multipart/form-data; boundary=x\r\n" + same + "Content-Length: 4194304", func() io.Reader { return strings.NewReader(big) }},
		{"from another site", "/office/earlier", form + "Sec-Fetch-Site: cross-site\r\nContent-Length: 4194304", func() io.Reader { return strings.NewReader(big) }},
		{"files of addresses", "/email-domains/uni.example/imports", "Content-Type: multipart/form-data; boundary=x\r\n" + same + "Content-Length: 4194304", func() io.Reader { return strings.NewReader(big) }},
		{"a path that is none", "/nowhere", form + same + "Content-Length: 262144", func() io.Reader { return strings.NewReader(big[:1<<18-1]) }},
		{"a program without a token", "/api/v1/email-domains/uni.example/addresses", "Content-Type: application/json\r\nContent-Length: 262144", func() io.Reader { return strings.NewReader(big[:1<<18-1]) }},
		{"forms that are held", "/orders/new", form + same + "Content-Length: 16384", func() io.Reader { return strings.NewReader(big[:1<<14-1]) }},
		{"the language, held", "/language", form + same + "Content-Length: 16384", func() io.Reader { return strings.NewReader(big[:1<<14-1]) }},
		{"without a length", "/signout", form + same + "Transfer-Encoding: chunked", func() io.Reader { return chunks(64) }},
		{"questions, held", "/pki/ocsp/mail", "Content-Type: application/ocsp-request\r\nContent-Length: 16384", func() io.Reader { return strings.NewReader(big[:1<<14-1]) }},
	} {
		var at sync.WaitGroup
		all := make([]net.Conn, 300)
		for i := range all {
			at.Go(func() { all[i] = r.send(c.path, c.headers, c.body()) })
		}
		at.Wait()
		res, err := http.Get("http://" + r.address + "/")
		if err != nil {
			t.Fatalf("%s: nobody else is answered: %v", c.what, err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s: somebody else got status %d", c.what, res.StatusCode)
		}
		t.Logf("%s: at most %d MiB so far", c.what, r.most())
		for _, one := range all {
			one.Close()
		}
	}
	if got := r.most(); got > 150 {
		t.Errorf("it took %d MiB, want at most 150", got)
	}
}
