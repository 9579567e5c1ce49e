package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// quiet keeps the memory of this process, which holds keys, out of core files and
// from other processes of the same user (prctl(2), PR_SET_DUMPABLE).
func quiet() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl: %w", err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("setrlimit: %w", err)
	}
	return nil
}
