package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// start builds the production binary, starts it on a migrated database and
// measures how long it takes until it answers and what it holds when idle.
func start(ctx context.Context, c commands) ([]figure, error) {
	r, err := newRig(ctx, c, "smtp://127.0.0.1:25?tls=none")
	if err != nil {
		return nil, err
	}
	defer r.close()
	binary, remove, err := build(ctx)
	if err != nil {
		return nil, err
	}
	defer remove()
	var times []time.Duration
	var rss int
	for i := range rounds {
		t, kb, err := r.startOnce(ctx, binary, i == rounds-1)
		if err != nil {
			return nil, err
		}
		times = append(times, t)
		rss = max(rss, kb)
	}
	t := median(times)
	return []figure{
		{"start to ready", t.Round(time.Millisecond).String(), "< 1 s", t < time.Second},
		{"resident memory of serve, idle for 20 s", fmt.Sprintf("%d MB", rss/1024), "≤ 60 MB", rss <= 60<<10},
	}, nil
}

func (r *rig) startOnce(ctx context.Context, binary string, idle bool) (time.Duration, int, error) {
	began := time.Now()
	server, err := r.serve(ctx, binary)
	if err != nil {
		return 0, 0, err
	}
	defer server.stop()
	took := time.Since(began)
	if !idle {
		return took, 0, nil
	}
	time.Sleep(20 * time.Second)
	kb, err := memory(server.cmd.Process.Pid, "VmRSS:")
	return took, kb, err
}

// server is the production binary at work.
type server struct{ cmd *exec.Cmd }

// serve starts it on the rig's database and waits until it answers.
func (r *rig) serve(ctx context.Context, binary string) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	listen := l.Addr().String()
	l.Close()
	cmd := exec.CommandContext(ctx, binary, "serve")
	k := r.config
	cmd.Env = append(os.Environ(), "DATABASE_URL="+k.DatabaseURL, "PETSCHAFT_LISTEN="+listen, "PETSCHAFT_BASE_URL="+k.BaseURL, "PETSCHAFT_OIDC_ISSUER="+k.OIDCIssuer,
		"PETSCHAFT_OIDC_CLIENT_ID=petschaft", "PETSCHAFT_SMTP_URL="+k.SMTPURL, "PETSCHAFT_MAIL_FROM="+k.MailFrom, "PETSCHAFT_MAIL_BOUNCE="+k.MailBounce,
		"PETSCHAFT_SECRET="+k.Secret)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd}
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		resp, err := http.Get("http://" + listen + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return s, nil
			}
		}
		if time.Since(began) > 10*time.Second {
			s.stop()
			return nil, fmt.Errorf("not ready after ten seconds")
		}
	}
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
}

// peak is the most memory it ever held, in kB.
func (s *server) peak() (int, error) { return memory(s.cmd.Process.Pid, "VmHWM:") }

// memory is one of the sizes of a process in kB (proc(5)).
func memory(pid int, size string) (int, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), size); ok {
			return strconv.Atoi(strings.Fields(rest)[0])
		}
	}
	return 0, fmt.Errorf("no %s", size)
}
