package campus

import (
	"context"
	"errors"

	"petschaft/internal/pki"
)

// errLater is that an authority takes its time.
var errLater = errors.New("the authority answers later")

// Signed is the certificate that an authority gives for r at once; else its no, or
// that nobody knows.
func Signed(ctx context.Context, a interface {
	Ask(ctx context.Context, r pki.Request) (pki.Answer, error)
}, r pki.Request,
) (pki.Certificate, error) {
	came, err := a.Ask(ctx, r)
	switch {
	case err != nil:
		return pki.Certificate{}, err
	case came.No != nil:
		return pki.Certificate{}, came.No
	case came.Certificate == nil:
		return pki.Certificate{}, errLater
	}
	return *came.Certificate, nil
}
