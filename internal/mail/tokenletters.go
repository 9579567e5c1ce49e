package mail

import "time"

// TokenEndingWords announce to its maker that an API token ends.
type TokenEndingWords struct {
	Reader
	Name string // of the token
	Ends time.Time
	Link string // to the maker's tokens
}

// TokenEnding announces that an API token ends.
func TokenEnding(w TokenEndingWords) (Letter, error) {
	w.Name = name(w.Name)
	return writeIn(w.Lang, tokenEnding, w.To, w.Link, w)
}

const tokenEnding = "token_ending"

func (w TokenEndingWords) kind() string            { return tokenEnding }
func (w TokenEndingWords) recipient() string       { return w.To }
func (w TokenEndingWords) letter() (Letter, error) { return TokenEnding(w) }
