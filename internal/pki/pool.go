package pki

import (
	"crypto/sha256"
	"sync"
)

// Pool is the certificates of authorities from which chains are built. It is
// safe for use by many goroutines.
type Pool struct {
	above [][]byte

	mu    sync.Mutex
	known map[[sha256.Size]byte][][]byte
}

// mostKnown bounds how many chains a Pool remembers.
const mostKnown = 4096

// NewPool makes a pool of the DER certificates of authorities.
func NewPool(authorities ...[]byte) *Pool {
	return &Pool{above: authorities, known: map[[sha256.Size]byte][][]byte{}}
}

// Chain is the package's Chain from leaf through the pool. That of a
// certificate never changes, so it is looked for once.
func (p *Pool) Chain(leaf []byte) ([][]byte, error) {
	sum := sha256.Sum256(leaf)
	p.mu.Lock()
	way, ok := p.known[sum]
	p.mu.Unlock()
	if ok {
		return way, nil
	}
	way, err := Chain(leaf, p.above...)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.known) >= mostKnown {
		clear(p.known)
	}
	p.known[sum] = way
	return way, nil
}
