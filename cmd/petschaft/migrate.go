package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"petschaft/internal/portal"
	"petschaft/internal/postgres"
)

type migrate struct {
	Grant string `placeholder:"ROLE" help:"Then let this role serve: it reads and writes rows, changes no table and nothing of the audit record."`
}

func (m migrate) Run(c portal.Config) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	over := make(chan struct{})
	defer close(over)
	go patience(over)
	did, err := m.run(ctx, c)
	if err != nil {
		return err
	}
	fmt.Println(words("schema", did.From, did.To))
	fmt.Println(words("queue", int64(did.QueueFrom), int64(did.QueueTo)))
	if m.Grant != "" {
		fmt.Printf("role %s: may serve\n", m.Grant)
	}
	return nil
}

func (m migrate) run(ctx context.Context, c portal.Config) (postgres.Migrated, error) {
	db, err := c.OpenDatabase(ctx)
	if err != nil {
		return postgres.Migrated{}, err
	}
	defer db.Close()
	did, err := postgres.Migrate(ctx, db)
	if err != nil || m.Grant == "" {
		return did, err
	}
	return did, postgres.Grant(ctx, db, m.Grant)
}

// words say from which step to which something went.
func words(what string, from, to int64) string {
	switch from {
	case to:
		return fmt.Sprintf("%s: nothing to do, it is at %04d", what, to)
	case 0:
		return fmt.Sprintf("%s: made, it is at %04d", what, to)
	}
	return fmt.Sprintf("%s: brought from %04d to %04d", what, from, to)
}

// patience says every ten seconds that a long step is still at work.
func patience(over <-chan struct{}) {
	for began := time.Now(); ; {
		select {
		case <-over:
			return
		case <-time.After(10 * time.Second):
			fmt.Fprintf(os.Stderr, "petschaft: still migrating, %s so far; large tables take minutes\n", time.Since(began).Round(time.Second))
		}
	}
}
