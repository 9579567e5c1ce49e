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

// TokensSleepingWords announce that API tokens fall asleep because their maker does
// not sign in: to the maker, or to a contact group whose domains they reach.
type TokensSleepingWords struct {
	Reader
	Maker    string // empty: the reader is the maker
	Tokens   []string
	SignedIn time.Time // for the last time
	Sleeps   time.Time
	Link     string // to the reader's tokens
}

// TokensSleeping announces that API tokens fall asleep.
func TokensSleeping(w TokensSleepingWords) (Letter, error) {
	w.Maker, w.Tokens = name(w.Maker), names(w.Tokens)
	return writeIn(w.Lang, tokensSleeping, w.To, w.Link, w)
}

const tokensSleeping = "tokens_sleeping"

func (w TokensSleepingWords) kind() string            { return tokensSleeping }
func (w TokensSleepingWords) recipient() string       { return w.To }
func (w TokensSleepingWords) letter() (Letter, error) { return TokensSleeping(w) }
