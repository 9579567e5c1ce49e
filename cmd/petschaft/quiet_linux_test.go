package main

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestNothingOfThisProcessLiesInACoreFile(t *testing.T) {
	t.Parallel()
	if err := quiet(); err != nil {
		t.Fatal(err)
	}
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	if err != nil || dumpable != 0 {
		t.Errorf("got dumpable %d and %v, want 0", dumpable, err)
	}
	var core unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &core); err != nil || core != (unix.Rlimit{}) {
		t.Errorf("got core files of %+v and %v, want none", core, err)
	}
}
