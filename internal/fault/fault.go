// Package fault names the few ways an operation can fail, so that a person can
// be told in their language and a log can be told the cause. It decides no
// status codes and no words: those belong to the rim and to the catalogs.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind is the way something failed. The zero value is Internal, so that an
// error nobody thought of is never shown in detail.
type Kind int

const (
	Internal    Kind = iota // unknown: the person gets a reference id
	Invalid                 // the input breaks a rule; Fields say where
	Denied                  // the person may not
	Missing                 // it does not exist, or not for this person
	Conflict                // it exists, but its state does not allow this
	TooLarge                // the input is over a limit of size
	TooMany                 // a brake holds; RetryAt says until when
	Unavailable             // something outside is away
)

var kindNames = [...]string{"internal", "invalid", "denied", "missing", "conflict", "too large", "too many", "unavailable"}

func (k Kind) String() string { return kindNames[k] }

// Fault is an error with a message id for the person and a cause for the log.
type Fault struct {
	Kind    Kind
	ID      string // message id in both catalogs
	Args    []any  // key, value pairs for the message's blanks
	Fields  []Field
	RetryAt time.Time // set on TooMany
	cause   error
}

// Field is one wrong input: its form name and the message id of what is wrong.
type Field struct {
	Name string
	ID   string
	Args []any
	More bool // it goes on with what the field before it says
}

// Same tells whether f and g say the same of one input, whatever their blanks.
func (f Field) Same(g Field) bool { return f.Name == g.Name && f.ID == g.ID }

// New makes a fault of kind k. args are key, value pairs for the message.
func New(k Kind, id string, args ...any) *Fault {
	return &Fault{Kind: k, ID: id, Args: args}
}

// Is makes f one value for errors.Is: faults are the same when their kinds and
// their message ids are, whatever their blanks, fields and causes. What reacts to
// a fault compares with its variable, and nothing else reads an id but to say it.
func (f *Fault) Is(target error) bool {
	g, ok := target.(*Fault)
	return ok && f.Kind == g.Kind && f.ID == g.ID
}

// With returns a copy of f with args, key and value pairs, for the message's
// blanks.
func (f *Fault) With(args ...any) *Fault {
	g := *f
	g.Args = args
	return &g
}

// Because returns a copy of f with the cause for the log.
func (f *Fault) Because(err error) *Fault {
	g := *f
	g.cause = err
	return &g
}

// Until returns a copy of f that says when to try again.
func (f *Fault) Until(t time.Time) *Fault {
	g := *f
	g.RetryAt = t
	return &g
}

// Error is for the log; it holds ids, never input.
func (f *Fault) Error() string {
	s := f.Kind.String()
	if f.ID != "" {
		s += ": " + f.ID
	}
	for _, x := range f.Fields {
		s += fmt.Sprintf(" [%s: %s]", x.Name, x.ID)
	}
	if f.cause != nil {
		s += ": " + f.cause.Error()
	}
	return s
}

func (f *Fault) Unwrap() error { return f.cause }

// Of returns the fault in err's chain; an err without one is Internal with err
// as its cause. Of(nil) is nil.
func Of(err error) *Fault {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	return &Fault{cause: err}
}

// Is reports whether err is a fault of kind k.
func Is(err error, k Kind) bool { return err != nil && Of(err).Kind == k }

// Fields collects wrong inputs, so that a person sees all of them at once.
type Fields []Field

// Add notes that the input called name is wrong.
func (f *Fields) Add(name, id string, args ...any) {
	*f = append(*f, Field{Name: name, ID: id, Args: args})
}

// ErrForm is that inputs are wrong; which, its Fields say.
var ErrForm = &Fault{Kind: Invalid, ID: "fault.form"}

// Err is nil when nothing was added, else ErrForm with them.
func (f Fields) Err() error {
	if len(f) == 0 {
		return nil
	}
	g := *ErrForm
	g.Fields = f
	return &g
}
