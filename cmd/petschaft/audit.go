package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"petschaft/internal/audit"
	"petschaft/internal/portal"
	"petschaft/internal/postgres"
)

type record struct {
	Verify recordVerify `cmd:"" help:"Walk the whole record and say whether it is what was written, or where it is broken (then with status 1)."`
	Export recordExport `cmd:"" help:"Write the sealed lines as JSON lines, for somebody who verifies them without the database."`
}

type recordVerify struct {
	Anchor string `placeholder:"SEQ:HASH" help:"A seal that was noted earlier, as this command prints it: it must still be there."`
	Key    string `placeholder:"KEY" help:"The public key that signs, as this command printed it."`
	File   string `placeholder:"FILE" help:"Verify an exported file instead of the database; - is standard input."`
}

func (v recordVerify) Run(c portal.Config) error {
	x, err := v.expected()
	if err != nil {
		return exitStatus{err, 2}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var r audit.Report
	if v.File != "" {
		r, err = v.file(x)
	} else {
		r, err = v.database(ctx, c, x)
	}
	if errors.Is(err, audit.ErrUnreadable) || errors.Is(err, os.ErrNotExist) {
		return exitStatus{err, 2}
	}
	if err != nil && !errors.Is(err, audit.ErrBroken) {
		return err
	}
	fmt.Print(told(r, err == nil))
	return err
}

// expected is what the flags say of the record.
func (v recordVerify) expected() (x audit.Expected, err error) {
	if v.Anchor != "" {
		seq, hash, _ := strings.Cut(v.Anchor, ":")
		a := audit.Anchor{}
		a.Seq, err = strconv.ParseInt(seq, 10, 64)
		if err == nil {
			a.Hash, err = hex.DecodeString(hash)
		}
		if err != nil || a.Seq < 1 || len(a.Hash) != 32 {
			return x, errors.New("--anchor: want the number of a seal, a colon and its hash of 64 hexadecimal digits")
		}
		x.Anchor = &a
	}
	if v.Key != "" {
		if x.Key, err = base64.StdEncoding.DecodeString(v.Key); err != nil || len(x.Key) != ed25519.PublicKeySize {
			return x, errors.New("--key: want 32 bytes in base64, as `petschaft audit verify` prints them")
		}
	}
	return x, nil
}

func (v recordVerify) file(x audit.Expected) (audit.Report, error) {
	if v.File == "-" {
		return audit.VerifyFile(os.Stdin, x)
	}
	f, err := os.Open(v.File)
	if err != nil {
		return audit.Report{}, err
	}
	defer f.Close()
	return audit.VerifyFile(f, x)
}

// database verifies what is in the database. With the secret it is known, too, that
// the key is the portal's own.
func (v recordVerify) database(ctx context.Context, c portal.Config, x audit.Expected) (audit.Report, error) {
	db, err := recordIn(ctx, c)
	if err != nil {
		return audit.Report{}, err
	}
	defer db.Close()
	if c.Secret == "" {
		fmt.Fprintln(os.Stderr, "petschaft: without PETSCHAFT_SECRET it is not checked that the key is the portal's own")
	} else {
		with, sealer, err := c.Database(ctx)
		if err != nil {
			return audit.Report{}, err
		}
		with.Close()
		x.Sealer = sealer
	}
	return audit.Verify(ctx, db, x)
}

func recordIn(ctx context.Context, c portal.Config) (*postgres.DB, error) {
	if c.DatabaseURL == "" {
		return nil, errors.New("DATABASE_URL is missing")
	}
	db, err := c.OpenDatabase(ctx)
	if err != nil {
		return nil, err
	}
	if err := postgres.Current(ctx, db); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// told says what was looked at.
func told(r audit.Report, whole bool) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	if whole {
		say("The record is whole: %d sealed lines.", r.Lines)
	} else {
		say("The record is broken. It was whole for %d sealed lines.", r.Lines)
	}
	if r.Continued > 0 {
		say("The file begins behind seal %d: what is before was not looked at.", r.Continued)
	}
	if r.Erased > 0 {
		say("Of %d lines the detail was erased.", r.Erased)
	}
	if r.Waiting > 0 {
		say("%d lines wait for their seal.", r.Waiting)
	}
	switch {
	case r.Key == nil:
		say("No seal is signed yet.")
	case r.First > 1:
		say("Signed from seal %d on; those before have no signature.", r.First)
	}
	if r.Key != nil {
		say("Key:    %s", base64.StdEncoding.EncodeToString(r.Key))
	}
	if r.End.Seq > 0 {
		say("Anchor: %d:%s", r.End.Seq, hex.EncodeToString(r.End.Hash))
	}
	return b.String()
}

type recordExport struct {
	Since int64 `placeholder:"SEQ" help:"Only what follows this seal: append it to a file that ends with it."`
}

func (e recordExport) Run(c portal.Config) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if e.Since < 0 {
		return exitStatus{errors.New("--since: want the number of a seal"), 2}
	}
	db, err := recordIn(ctx, c)
	if err != nil {
		return err
	}
	defer db.Close()
	out := bufio.NewWriter(os.Stdout)
	last, err := audit.Export(ctx, db, e.Since, out)
	if err = errors.Join(err, out.Flush()); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "petschaft: exported up to seal %d; go on with --since %[1]d\n", last)
	return nil
}
