package order

import (
	"fmt"

	"petschaft/internal/fault"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/text"
)

// MayName tells whether the names that the provider knows of a can stand in a
// certificate for l: those that cannot are told before anything is sent, with
// the character and its place.
func MayName(l mailbox.Linked, a person.Account) error {
	if l.Kind != mailbox.Personal {
		return nil
	}
	for _, name := range [...]string{a.Name, a.GivenName, a.FamilyName} {
		c, after, odd := text.Odd(name)
		code := fmt.Sprintf("U+%04X", c)
		switch {
		case odd && after == "":
			return fault.New(fault.Conflict, "order.name.character_first", "code", code)
		case odd:
			return fault.New(fault.Conflict, "order.name.character", "code", code, "after", after)
		}
	}
	err := pki.CheckPerson(a.Name, a.GivenName, a.FamilyName)
	if f := fault.Of(err); fault.Is(err, fault.Invalid) {
		return fault.New(fault.Conflict, f.ID, f.Args...)
	}
	return err
}
