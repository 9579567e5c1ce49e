package order

import (
	"petschaft/internal/cert"
	"petschaft/internal/pki"
)

func differ(d []pki.Difference) (all []cert.Difference) {
	for _, x := range d {
		all = append(all, cert.Difference{Code: x.Code, Wanted: x.Wanted, Came: x.Came})
	}
	return all
}
