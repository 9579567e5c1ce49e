package order

import (
	"errors"
	"slices"
	"strings"

	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/pki"
	"petschaft/internal/text"
)

// serverWords are why a key is no good for a server, where that is for another
// reason than with mail (TLS BR 6.1.5, 7.1.3.1).
var serverWords = map[*fault.Fault]*fault.Fault{
	pki.ErrKeyEdwards: fault.New(fault.Invalid, "serverorder.key.edwards"),
	pki.ErrKeyPSS:     fault.New(fault.Invalid, "serverorder.key.pss"),
	pki.ErrKeyCurve:   fault.New(fault.Invalid, "serverorder.key.curve"),
}

// ReadCSR is pki.ReadCSR for an order of a server's certificate, with what costs
// more to find out about its key.
func ReadCSR(csr string) (pki.CSR, error) {
	request, err := pki.ReadCSR([]byte(csr))
	if err == nil {
		err = request.Key.Check()
	}
	for mail, server := range serverWords {
		if errors.Is(err, mail) {
			return request, server
		}
	}
	return request, err
}

// MayUse refuses a key that no product is offered for.
func MayUse(products []Product, k pki.Key) error {
	var all []string
	for _, p := range products {
		if !p.Active {
			continue
		}
		for _, kind := range p.Keys {
			if kind == k.Algorithm {
				return nil
			}
			if !slices.Contains(all, kind) {
				all = append(all, kind)
			}
		}
	}
	return fault.New(fault.Invalid, "serverorder.key.none", "key", k.Algorithm, "allowed", strings.Join(all, ", "))
}

// readKey takes the key from a request, and nothing else, and returns the request
// as it came; a private key among it is refused and not repeated.
func readKey(csr string, kept []byte, bad *fault.Fields) (pki.Key, []byte, error) {
	if csr == "" && kept != nil {
		key, err := pki.ReadKey(kept)
		return key, nil, err
	}
	request, err := ReadCSR(csr)
	if f := fault.Of(err); err != nil && f.Kind == fault.Invalid {
		bad.Add("csr", f.ID, f.Args...)
		return pki.Key{}, nil, nil
	}
	return request.Key, request.DER, err
}

// readNames are the names as certificates hold them, each once. Too many are not
// even looked at.
func readNames(typed []string, bad *fault.Fields) (names []string, many bool) {
	seen, some := map[string]bool{}, []string(nil)
	for _, s := range typed {
		s = text.Word(s)
		if key := strings.ToLower(s); s != "" && !seen[key] {
			seen[key], some = true, append(some, s)
		}
	}
	if len(some) > pki.MostDNS {
		bad.Add("names", "serverorder.names.too_many", "names", len(some), "most", pki.MostDNS)
		return nil, true
	}
	for _, s := range some {
		name, wrong := org.ParseServerName(s)
		if wrong != "" {
			bad.Add("names", "serverorder.names.wrong", "name", shortened(s))
			*bad = append(*bad, fault.Field{Name: "names", ID: wrong, More: true})
			continue
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(some) == 0 {
		bad.Add("names", "serverorder.names.none")
	}
	return names, false
}
