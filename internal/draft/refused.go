package draft

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"petschaft/internal/fault"
)

// errUnwritable is that a fault has a blank which cannot be kept.
var errUnwritable = errors.New("a fault with a blank of a kind that cannot be kept")

// kept is a fault as it lies in the database.
type kept struct {
	Kind   fault.Kind
	ID     string
	Args   []blank     `json:",omitempty"`
	Fields []keptField `json:",omitempty"`
	Retry  time.Time   `json:",omitzero"`
}

type keptField struct {
	Name, ID string
	Args     []blank `json:",omitempty"`
	More     bool    `json:",omitempty"`
}

// blank is one of the values that a message needs; exactly one is there.
type blank struct {
	Text  *string    `json:",omitempty"`
	Whole *int64     `json:",omitempty"`
	Time  *time.Time `json:",omitempty"`
}

// written is f as it is kept, nil for none.
func written(f *fault.Fault) ([]byte, error) {
	if f == nil {
		return nil, nil
	}
	k := kept{Kind: f.Kind, ID: f.ID, Retry: f.RetryAt}
	var err error
	if k.Args, err = blanks(f.Args); err != nil {
		return nil, err
	}
	for _, x := range f.Fields {
		args, err := blanks(x.Args)
		if err != nil {
			return nil, err
		}
		k.Fields = append(k.Fields, keptField{x.Name, x.ID, args, x.More})
	}
	return json.Marshal(k)
}

func blanks(args []any) ([]blank, error) {
	var all []blank
	for _, a := range args {
		b, err := blankOf(a)
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}

func blankOf(a any) (blank, error) {
	if at, ok := a.(time.Time); ok {
		return blank{Time: &at}, nil
	}
	switch v := reflect.ValueOf(a); v.Kind() {
	case reflect.String:
		s := v.String()
		return blank{Text: &s}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n := v.Int()
		return blank{Whole: &n}, nil
	}
	return blank{}, fmt.Errorf("%w: %T", errUnwritable, a)
}

// read is the fault that written wrote.
func read(text []byte) (*fault.Fault, error) {
	if text == nil {
		return nil, nil
	}
	var k kept
	if err := json.Unmarshal(text, &k); err != nil {
		return nil, fmt.Errorf("read why a form was refused: %w", err)
	}
	f := &fault.Fault{Kind: k.Kind, ID: k.ID, Args: values(k.Args), RetryAt: k.Retry}
	for _, x := range k.Fields {
		f.Fields = append(f.Fields, fault.Field{Name: x.Name, ID: x.ID, Args: values(x.Args), More: x.More})
	}
	return f, nil
}

// values are the blanks as a message takes them: whole numbers are int.
func values(all []blank) (args []any) {
	for _, b := range all {
		switch {
		case b.Text != nil:
			args = append(args, *b.Text)
		case b.Whole != nil:
			args = append(args, int(*b.Whole))
		default:
			args = append(args, *b.Time)
		}
	}
	return args
}
