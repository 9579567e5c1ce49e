package main

import (
	"fmt"
	"os"

	"petschaft/internal/cluster"
)

// ForgetCmd is what `make clean` runs in the clone.
type ForgetCmd struct{}

// Run removes the demo's cluster, ports and settings. It refuses while the
// demo runs.
func (ForgetCmd) Run() error {
	home, err := cluster.Home(".")
	if err != nil {
		return err
	}
	if err := cluster.Forget(home); err != nil {
		return fmt.Errorf("stop the demo first: %w", err)
	}
	return os.RemoveAll(".demo")
}
