package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"petschaft/internal/mailbox"
	"petschaft/internal/order"
	"petschaft/internal/org"
	"petschaft/internal/person"
)

// A person and a server of somebody else's have certificates for one key, so that
// there is one to look at and to block.
const (
	sharedBy   = "mary.obrien"
	sharedWith = "post.sternwarte.example"
)

// share makes both: the registration office lets the server's pass though it reads
// that somebody else has a certificate for the key.
func (f filler) share(ctx context.Context, office person.Actor) error {
	csr, err := newCSR()
	if err != nil {
		return err
	}
	mary := f.actors[sharedBy]
	linked, err := f.Mailbox.LinkedTo(ctx, mary)
	if err != nil || len(linked) == 0 {
		return errors.Join(err, errors.New("no address of hers is confirmed"))
	}
	row := linked[0].RowID
	for _, l := range linked {
		if l.Kind == mailbox.Personal {
			row = l.RowID
		}
	}
	if _, err := f.Order.Apply(ctx, mary, row, order.Input{CSR: csr, Terms: f.Order.Terms}); err != nil {
		return fmt.Errorf("apply with a shared key: %w", err)
	}
	if err := f.until(ctx, `select exists (select from certificate where account = $1)`, mary.Account); err != nil {
		return err
	}
	return f.shareServer(ctx, office, csr)
}

func (f filler) shareServer(ctx context.Context, office person.Actor, csr string) error {
	tina := f.actors["tina"]
	all, err := f.Org.Organisations(ctx, tina)
	if err != nil {
		return err
	}
	var of org.OrganisationID
	for _, o := range all {
		if o.Name == observatory {
			of = o.ID
		}
	}
	reference, err := f.Order.Submit(ctx, tina, order.Submission{Wish: order.Wish{Organisation: of, CSR: csr, Product: "tls-single", Names: []string{sharedWith}}})
	if err != nil {
		return fmt.Errorf("order with a shared key: %w", err)
	}
	o, err := f.Order.Server(ctx, office, reference)
	if err != nil {
		return err
	}
	return f.Order.Approve(ctx, office, reference, o.Version)
}

// until waits for what the jobs of the portal do.
func (f filler) until(ctx context.Context, sql string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		var is bool
		if err := f.DB.QueryRow(ctx, sql, args...).Scan(&is); err != nil || is {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.New("the first certificate did not come")
		case <-time.After(100 * time.Millisecond):
		}
	}
}
