package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
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
	dir, err := os.MkdirTemp("", "petschaft-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "petschaft")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "./cmd/petschaft")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build: %w: %s", err, out)
	}
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
	const listen = "127.0.0.1:18976"
	cmd := exec.CommandContext(ctx, binary, "serve")
	k := r.config
	cmd.Env = append(os.Environ(), "DATABASE_URL="+k.DatabaseURL, "PETSCHAFT_LISTEN="+listen, "PETSCHAFT_BASE_URL="+k.BaseURL, "PETSCHAFT_OIDC_ISSUER="+k.OIDCIssuer,
		"PETSCHAFT_OIDC_CLIENT_ID=petschaft", "PETSCHAFT_SMTP_URL="+k.SMTPURL, "PETSCHAFT_MAIL_FROM="+k.MailFrom, "PETSCHAFT_MAIL_BOUNCE="+k.MailBounce,
		"PETSCHAFT_SECRET="+k.Secret)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	defer cmd.Wait()
	defer cmd.Process.Signal(syscall.SIGTERM)
	for {
		resp, err := http.Get("http://" + listen + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Since(began) > 10*time.Second {
			return 0, 0, fmt.Errorf("not ready after ten seconds")
		}
		time.Sleep(time.Millisecond)
	}
	took := time.Since(began)
	if !idle {
		return took, 0, nil
	}
	time.Sleep(20 * time.Second)
	kb, err := resident(cmd.Process.Pid)
	return took, kb, err
}

// resident is VmRSS in kB (proc(5)).
func resident(pid int) (int, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			return strconv.Atoi(strings.Fields(rest)[0])
		}
	}
	return 0, fmt.Errorf("no VmRSS")
}
