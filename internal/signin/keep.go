package signin

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"petschaft/internal/person"
)

// Keys of the session. The values are JSON: scs would encode by gob, which
// wants types registered in a global.
const (
	keyFlash  = "flash"
	keyProofs = "proofs"
	keyLeft   = "left"
)

func (d *Desk) put(ctx context.Context, key string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // a value that no caller of ours may give
	}
	d.sessions.Put(ctx, key, text)
}

func (d *Desk) get(ctx context.Context, key string, v any) bool {
	text := d.sessions.GetBytes(ctx, key)
	if text == nil {
		return false
	}
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	return in.Decode(v) == nil
}

type flash struct {
	ID   string
	Args []any
}

// Flash keeps a message for the next page: its id and key, value pairs of
// strings, whole numbers and truths. A later one takes its place.
func (d *Desk) Flash(ctx context.Context, id string, args ...any) {
	d.put(ctx, keyFlash, flash{id, args})
}

// PopFlash hands out the message once. Whole numbers come back as int. A
// context without a session has none.
func (d *Desk) PopFlash(ctx context.Context) (id string, args []any, ok bool) {
	var f flash
	if _, in := ctx.Value(visitKey{}).(visit); !in || !d.get(ctx, keyFlash, &f) {
		return "", nil, false
	}
	d.sessions.Remove(ctx, keyFlash)
	for i, x := range f.Args {
		if n, is := x.(json.Number); is {
			if whole, err := n.Int64(); err == nil {
				f.Args[i] = int(whole)
			}
		}
	}
	return f.ID, f.Args, true
}

// proofLimit bounds the session; the oldest proof goes first.
const proofLimit = 20

// proof says that this browser opened the link of a challenge.
type proof struct {
	Challenge int64
	Hash      []byte
	Account   person.ID // who was signed in then; 0 for nobody
}

// KeepProof notes that the link of a challenge was opened here: hash is the
// token's. It outlives the sign-in that may follow, but not a sign-out.
func (d *Desk) KeepProof(ctx context.Context, challenge int64, hash []byte) {
	var all []proof
	d.get(ctx, keyProofs, &all)
	p := proof{challenge, hash, visiting(ctx).actor.Account}
	if slices.ContainsFunc(all, func(q proof) bool {
		return q.Challenge == p.Challenge && q.Account == p.Account && bytes.Equal(q.Hash, p.Hash)
	}) {
		return
	}
	all = append(slices.DeleteFunc(all, func(q proof) bool { return q.Challenge == challenge }), p)
	d.put(ctx, keyProofs, all[max(0, len(all)-proofLimit):])
	d.lasting(ctx)
}

// lasting lets a session in which nobody is signed in live as long as others: it
// holds more than a sign-in that was begun.
func (d *Desk) lasting(ctx context.Context) {
	if d.sessions.GetInt64(ctx, keyLogin) == 0 {
		d.sessions.SetDeadline(ctx, time.Now().Add(d.cfg.Absolute))
	}
}

// Proof returns the hash kept for a challenge, or nil. What was opened while
// one account was signed in is not shown to another, who may have come to the
// browser after the first one's login had ended by itself.
func (d *Desk) Proof(ctx context.Context, challenge int64) []byte {
	var all []proof
	d.get(ctx, keyProofs, &all)
	for _, p := range all {
		if p.Challenge == challenge && (p.Account == 0 || p.Account == visiting(ctx).actor.Account) {
			return p.Hash
		}
	}
	return nil
}

// leftLimit bounds the session; the oldest goes first.
const leftLimit = 5

// Leave notes that a form was left here by somebody whose session is over: hash
// is the token's. It outlives the sign-in that follows, and a sign-out: only its owner sees it.
func (d *Desk) Leave(ctx context.Context, hash []byte) {
	var all [][]byte
	d.get(ctx, keyLeft, &all)
	all = append(all, hash)
	d.put(ctx, keyLeft, all[max(0, len(all)-leftLimit):])
	d.lasting(ctx)
}

// Left tells whether the form with this hash was left in this browser.
func (d *Desk) Left(ctx context.Context, hash []byte) bool {
	var all [][]byte
	d.get(ctx, keyLeft, &all)
	return slices.ContainsFunc(all, func(h []byte) bool { return bytes.Equal(h, hash) })
}
