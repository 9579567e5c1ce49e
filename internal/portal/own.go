package portal

import (
	"context"

	"petschaft/internal/ca"
	"petschaft/internal/pki"
)

// certificates are those of the portal's authorities, the root first.
func (p *Portal) certificates() []ca.File {
	if p.CA == nil {
		return nil
	}
	return p.CA.Certificates()
}

func (p *Portal) own() (ders [][]byte) {
	for _, c := range p.certificates() {
		ders = append(ders, c.DER)
	}
	return ders
}

// rootList is the list of a root whose key is elsewhere, false where there is
// none.
func (p *Portal) rootList(ctx context.Context) (pki.CRL, bool, error) {
	if p.CA == nil {
		return pki.CRL{}, false, nil
	}
	return p.CA.RootCRL(ctx)
}
