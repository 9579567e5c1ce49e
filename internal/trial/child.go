package trial

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// The environment of a test binary that is to be another process.
const (
	childPart  = "PETSCHAFT_CHILD_PART"
	childInput = "PETSCHAFT_CHILD_INPUT"
)

// lifetime ends a child that nobody killed: nobody is left over.
const lifetime = 2 * time.Minute

// Part is what another process of a test binary does.
type Part struct {
	name string
	do   func(ctx context.Context, input []byte) error
}

// NewPart is do under a name. Its input comes as JSON from the test, so it has
// exported fields only.
func NewPart[In any](name string, do func(ctx context.Context, in In) error) Part {
	return Part{name, func(ctx context.Context, input []byte) error {
		var in In
		if err := json.Unmarshal(input, &in); err != nil {
			return err
		}
		return do(ctx, in)
	}}
}

// Main is the TestMain of a package with children: it runs the tests, or in a
// process from NewChild its part.
func Main(m *testing.M, parts ...Part) {
	name := os.Getenv(childPart)
	if name == "" {
		os.Exit(m.Run())
	}
	if err := play(name, parts); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func play(name string, parts []Part) error {
	ctx, cancel := context.WithTimeout(context.Background(), lifetime)
	defer cancel()
	for _, p := range parts {
		if p.name == name {
			return p.do(ctx, []byte(os.Getenv(childInput)))
		}
	}
	return fmt.Errorf("TestMain knows no part %q", name)
}

// Child is another process of the test binary that plays a part.
type Child struct {
	t    testing.TB
	cmd  *exec.Cmd
	in   io.Writer
	out  *bufio.Reader
	said bytes.Buffer // on standard error
}

// NewChild starts one. It is gone when the test ends; what it said on standard
// error is logged if the test failed.
func NewChild(t testing.TB, part string, input any) *Child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	c := &Child{t: t, cmd: exec.Command(self)}
	c.cmd.Env = append(os.Environ(), childPart+"="+part, childInput+"="+string(text))
	c.cmd.Stderr = &c.said
	in, err1 := c.cmd.StdinPipe()
	out, err2 := c.cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	c.in, c.out = in, bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.cmd.Process.Kill() // it may be over
		c.cmd.Wait()
		if t.Failed() {
			t.Logf("the other process said: %s", &c.said)
		}
	})
	return c
}

// Says is the next line that the child prints, empty after its end.
func (c *Child) Says() string {
	line, _ := c.out.ReadString('\n')
	return strings.TrimSpace(line)
}

// Expect ends the test unless the child's next line is want.
func (c *Child) Expect(want string) {
	c.t.Helper()
	if got := c.Says(); got != want {
		c.t.Fatalf("the other process said %q, want %q", got, want)
	}
}

// Tell sends the child a line of nothing.
func (c *Child) Tell() {
	c.t.Helper()
	if _, err := fmt.Fprintln(c.in); err != nil {
		c.t.Fatalf("tell the other process to go on: %v", err)
	}
}

// Wait waits for the child's end: nil when its part ended well. It is asked once.
func (c *Child) Wait() error { return c.cmd.Wait() }

// Kill kills the child (SIGKILL), which must not have come to its end by itself.
func (c *Child) Kill() {
	c.t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		c.t.Fatalf("kill the other process: %v", err)
	}
	if err := c.cmd.Wait(); err == nil {
		c.t.Fatal("the process ended well, want it killed")
	}
}
