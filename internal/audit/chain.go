package audit

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"net/netip"
	"time"
)

// Anchor is a seal as somebody noted it elsewhere: its number, and the hash of the
// chain up to there.
type Anchor struct {
	Seq  int64
	Hash []byte
}

// chained is what a seal covers of a line. about is "kind:id" in order.
type chained struct {
	ID      int64
	At      time.Time
	Account *int64
	Token   *int64
	Origin  *netip.Addr
	Action  string
	Digest  []byte
	About   []string
}

const chainedColumns = `l.id, l.at, l.account, l.token, l.origin, l.action, l.digest,
	array(select a.kind || ':' || a.id from audit_about a where a.line = l.id order by a.kind collate "C", a.id) as about`

// next is the hash of line c as number seq after the line with hash prev:
// SHA-256 over the fields, each with its length before it.
func next(prev []byte, seq int64, c chained) []byte {
	h := sha256.New()
	put(h, prev)
	put(h, fmt.Append(nil, seq, c.ID, c.At.UnixMicro(), value(c.Account), value(c.Token)))
	origin := ""
	if c.Origin != nil {
		origin = c.Origin.String()
	}
	put(h, []byte(origin))
	put(h, []byte(c.Action))
	put(h, c.Digest)
	for _, a := range c.About {
		put(h, []byte(a))
	}
	return h.Sum(nil)
}

func put(h hash.Hash, b []byte) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(b)))
	h.Write(n[:])
	h.Write(b)
}

func value(p *int64) int64 {
	if p == nil {
		return 0
	}
	return *p
}

// signed is what a signature is about: that the chain had this hash at this seal.
func (a Anchor) signed() []byte {
	return append(binary.BigEndian.AppendUint64([]byte("petschaft audit seal\x00"), uint64(a.Seq)), a.Hash...)
}

// link is a seal with its line, as the database or a file holds them. Found is
// false where the line is not there.
type link struct {
	Seq       int64
	Hash      []byte
	Signature []byte
	Found     bool
	chained
	Detail *string
	Salt   []byte
}

// altered tells whether the detail is another than the one that was digested. One
// that was erased, together with its salt, is none.
func (l link) altered() bool {
	if l.Detail == nil {
		return l.Salt != nil
	}
	sum := sha256.Sum256(append(bytes.Clone(l.Salt), *l.Detail...))
	return !bytes.Equal(sum[:], l.Digest)
}

// chain is a walk from seal to seal. It holds one seal at a time, however many
// there are.
type chain struct {
	at     Anchor // where the walk is
	key    ed25519.PublicKey
	first  int64 // the first seal that is signed for; 0: none is
	signed int64 // the last one with a signature, or from where the walk began
	anchor *Anchor

	lines, erased int64
}

// add takes the next seal, or says where the chain is broken.
func (c *chain) add(l link) error {
	broken := func(kind Kind) error { return &Break{Kind: kind, Seq: l.Seq, Line: l.ID} }
	switch {
	case l.Seq != c.at.Seq+1:
		return &Break{Kind: Gap, Seq: c.at.Seq + 1}
	case !l.Found:
		return broken(Missing)
	case l.altered():
		return broken(Detailed)
	case !bytes.Equal(next(c.at.Hash, l.Seq, l.chained), l.Hash):
		return broken(Altered)
	}
	c.at = Anchor{l.Seq, bytes.Clone(l.Hash)}
	if c.anchor != nil && c.anchor.Seq == l.Seq && !bytes.Equal(c.anchor.Hash, l.Hash) {
		return broken(Rewritten)
	}
	if l.Signature != nil {
		if c.key == nil || !ed25519.Verify(c.key, c.at.signed(), l.Signature) {
			return broken(Forged)
		}
		c.signed = l.Seq
	}
	c.lines++
	if l.Detail == nil {
		c.erased++
	}
	return nil
}

// end says what is wrong with where the chain ends.
func (c *chain) end() error {
	switch {
	case c.anchor != nil && c.anchor.Seq > c.at.Seq:
		return &Break{Kind: Cut, Seq: c.at.Seq + 1}
	case c.first > c.at.Seq:
		return &Break{Kind: Cut, Seq: c.at.Seq + 1}
	case c.first > 0 && c.signed < c.at.Seq:
		return &Break{Kind: Unsigned, Seq: max(c.signed+1, c.first)}
	}
	return nil
}
