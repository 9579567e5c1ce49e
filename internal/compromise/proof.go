package compromise

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"petschaft/internal/brake"
	"petschaft/internal/fault"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
	"petschaft/internal/queue"
)

// ChallengeLife is how long a value proves anything.
const ChallengeLife = time.Hour

// ProofSubject is the Subject of a request that proves something; the value follows.
const ProofSubject = "Petschaft key compromise "

// Challenge is a value by which somebody may prove that they hold a private key.
type Challenge struct {
	Value string // told once
	Key   Digest
	Until time.Time
}

// Challenge gives out a value for the key of what somebody typed: anything that ReadKey
// reads, or a certificate's fingerprint or serial number.
func (b *Book) Challenge(ctx context.Context, by person.Actor, from netip.Addr, in Sought) (c Challenge, err error) {
	if err := b.tried(ctx, by, from); err != nil {
		return c, err
	}
	key, err := in.anyKey(ctx, b.DB)
	if err != nil {
		return c, err
	}
	return c, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		now := b.Now()
		if err := written(ctx, tx, now, values, by, from); err != nil {
			return err
		}
		if err := b.unknown(ctx, tx, now, by, key); err != nil {
			return err
		}
		c = Challenge{Value: rand.Text(), Key: key, Until: now.Add(ChallengeLife)}
		hash := sha256.Sum256([]byte(c.Value))
		_, err = tx.Exec(ctx, `insert into key_challenge (hash, key, given, until) values (@hash, @key, @now, @until)`, pgx.NamedArgs{
			"hash": hash[:], "key": key[:], "now": now, "until": c.Until,
		})
		if err != nil {
			return fmt.Errorf("keep a value: %w", err)
		}
		return nil
	})
}

// unknown counts a key of which no certificate is here, unless somebody who is signed
// in asks.
func (b *Book) unknown(ctx context.Context, tx pgx.Tx, now time.Time, by person.Actor, key Digest) error {
	var known bool
	if err := tx.QueryRow(ctx, `select exists (select from certificate where key = $1)`, key[:]).Scan(&known); err != nil {
		return fmt.Errorf("look whether a key is known: %w", err)
	}
	if known || by.Account != 0 {
		return nil
	}
	return take(ctx, tx, now, brake.Brake{Kind: unknown, Most: mostUnknown, Per: 24 * time.Hour}, "all", ErrBrakedAll)
}

// anyKey is the key that is meant: one in PEM need not be known here.
func (s Sought) anyKey(ctx context.Context, q postgres.Querier) (Digest, error) {
	if strings.Contains(s.Certificate, "-----BEGIN ") {
		key, err := ReadKey(s.Certificate)
		return key, beside("certificate", err)
	}
	f, err := s.find(ctx, q)
	return f.key, err
}

// What a request that proves nothing lacks.
var (
	ErrProofSubject = fault.New(fault.Invalid, "compromise.proof.subject") // it is another kind of request
	ErrProofValue   = fault.New(fault.Invalid, "compromise.proof.value")   // the value is none, was used, is too old, or is another key's
)

// Prove takes a request as the proof that whoever sends it holds the private key: its
// Subject is ProofSubject with a value that was given out for this key, and nothing
// else. The key falls at once, and the value is used up. Requests that were made for
// something else prove nothing, for they lie in tickets and mails.
func (b *Book) Prove(ctx context.Context, by person.Actor, from netip.Addr, request []byte) (f Fallen, key Digest, err error) {
	if err := b.tried(ctx, by, from); err != nil {
		return f, key, err
	}
	subject, spki, err := pki.ReadProof(request)
	if err != nil {
		return f, key, err
	}
	value, ok := valueIn(subject)
	if !ok {
		return f, key, ErrProofSubject
	}
	hash := sha256.Sum256([]byte(value))
	if key, err = digestOfSPKI(spki); err != nil {
		return f, key, err
	}
	return f, key, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		now := b.Now()
		tag, err := tx.Exec(ctx, `update key_challenge set used = @now where hash = @hash and key = @key and used is null and until >= @now`,
			pgx.NamedArgs{"hash": hash[:], "key": key[:], "now": now})
		if err != nil {
			return fmt.Errorf("use a value: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return ErrProofValue
		}
		f, err = b.FallIn(ctx, tx, now, Proven(by, from), key)
		return err
	})
}

// valueIn is the value in the Subject of a request that has nothing else in it.
func valueIn(subject []byte) (string, bool) {
	var names pkix.RDNSequence
	if rest, err := asn1.Unmarshal(subject, &names); err != nil || len(rest) > 0 || len(names) != 1 || len(names[0]) != 1 {
		return "", false
	}
	name, isText := names[0][0].Value.(string)
	value, ok := strings.CutPrefix(name, ProofSubject)
	return value, ok && isText && value != "" && names[0][0].Type.Equal(asn1.ObjectIdentifier{2, 5, 4, 3})
}

type forgetArgs struct{}

func (forgetArgs) Kind() string { return "compromise_forget" }

// Jobs registers what is forgotten by itself, every hour, and that officers hear of
// reports that came while they were told of others.
func (b *Book) Jobs(w *river.Workers) []queue.Task {
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[forgetArgs]) error { return b.Forget(ctx) }))
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, _ *river.Job[tellArgs]) error { return b.TellReports(ctx) }))
	return []queue.Task{queue.Every(time.Hour, forgetArgs{}), queue.Every(10*time.Minute, tellArgs{})}
}

// Forget deletes values that prove nothing any more.
func (b *Book) Forget(ctx context.Context) error {
	if _, err := b.DB.Exec(ctx, `delete from key_challenge where given < $1`, b.Now().Add(-2*ChallengeLife)); err != nil {
		return fmt.Errorf("forget values: %w", err)
	}
	return nil
}
