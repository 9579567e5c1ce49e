package audit

import (
	"errors"
	"fmt"
)

// ErrBroken says that the record is not what was written: see Break.
var ErrBroken = errors.New("the audit record is broken")

// Kind is what is wrong with a record.
type Kind string

// What can be wrong.
const (
	Gap       Kind = "gap"       // a seal is missing
	Missing   Kind = "missing"   // a seal without its line
	Detailed  Kind = "detailed"  // the detail of a line was altered
	Altered   Kind = "altered"   // a line, what it is about, or a seal was altered
	Rewritten Kind = "rewritten" // a whole chain, but another one than before
	Cut       Kind = "cut"       // the end is missing
	Forged    Kind = "forged"    // a signature is not the key's
	Unsigned  Kind = "unsigned"  // the end carries no signature, though what is before does
	OtherKey  Kind = "otherkey"  // the key is not the one that it should be
	Stray     Kind = "stray"     // a line has no seal and waits for none
	Late      Kind = "late"      // a line waits for longer than anything takes
	Twice     Kind = "twice"     // a line waits, though it has a seal
	Gone      Kind = "gone"      // what waits is not there
)

// Break is where a record is broken: at a seal, or at a line, as far as each is
// known (else 0). It is ErrBroken.
type Break struct {
	Kind Kind
	Seq  int64
	Line int64
}

// Is makes a Break ErrBroken.
func (b *Break) Is(target error) bool { return target == ErrBroken }

// Error says it in words.
func (b *Break) Error() string { return ErrBroken.Error() + ": " + b.words() }

func (b *Break) words() string {
	switch b.Kind {
	case Gap:
		return fmt.Sprintf("seal %d is missing, later ones are there", b.Seq)
	case Missing:
		return fmt.Sprintf("line %d, which seal %d is about, is missing", b.Line, b.Seq)
	case Detailed:
		return fmt.Sprintf("the detail of line %d is not the one that seal %d is about", b.Line, b.Seq)
	case Altered:
		return fmt.Sprintf("line %d does not fit seal %d: the line, what it is about, or the seal was altered", b.Line, b.Seq)
	case Rewritten:
		return fmt.Sprintf("seal %d has another hash than it once had: the record was rewritten", b.Seq)
	case Cut:
		return fmt.Sprintf("seal %d and what followed are missing: the record was longer once", b.Seq)
	case Forged:
		return fmt.Sprintf("the signature of seal %d is not by this record's key", b.Seq)
	case Unsigned:
		return fmt.Sprintf("from seal %d on there is no signature: they were not made by the portal", b.Seq)
	case OtherKey:
		return "the key of the record is not the expected one: it was replaced"
	case Stray:
		return fmt.Sprintf("line %d has no seal and does not wait for one: it was slipped in, or kept from being sealed", b.Line)
	case Late:
		return fmt.Sprintf("line %d is not sealed: it came to wait long after it says that it was written", b.Line)
	case Twice:
		return fmt.Sprintf("line %d waits to be sealed, though it is", b.Line)
	case Gone:
		return fmt.Sprintf("line %d, which waits to be sealed, is missing", b.Line)
	}
	return string(b.Kind)
}
