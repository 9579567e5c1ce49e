package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"petschaft/internal/portal"
)

type secret struct {
	Rotate secretRotate `cmd:"" help:"Seal everything anew under PETSCHAFT_SECRET, which was sealed under PETSCHAFT_SECRET_OLD. Portals with both go on meanwhile."`
}

type secretRotate struct{}

func (secretRotate) Run(c portal.Config) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	did, err := c.Rotate(ctx, func(string, int) {})
	for _, column := range portal.Sealed() {
		if n := did.Sealed[column.Name]; n > 0 {
			fmt.Printf("%s: %d sealed anew\n", column.Name, n)
		}
	}
	if err != nil {
		return err
	}
	fmt.Printf("Everything is sealed under PETSCHAFT_SECRET, as key %d. Take PETSCHAFT_SECRET_OLD away and start serve again.\n", did.Number)
	return nil
}
