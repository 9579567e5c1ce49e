package issuance

import (
	"slices"

	"petschaft/internal/cert"
	"petschaft/internal/org"
	"petschaft/internal/pki"
)

// AskedNames are the names of servers that a request asks for, as people read
// them, each once. What is no name stays as it is: what is wrong with it is said
// when it is ordered.
func AskedNames(request pki.CSR) (names []string) {
	for _, s := range request.Asked.DNS {
		if name, wrong := org.ParseServerName(s); wrong == "" {
			s = cert.Spelled(name)
		}
		if !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	return names
}

// AddedName is the common name of a request that names servers or addresses, but
// not this one: AskedNames has it all the same. It is "" of every other request.
func AddedName(request pki.CSR) string {
	asked := request.Asked
	if !request.Added || len(asked.DNS) == 0 || asked.DNS[0] != request.CommonName || len(asked.DNS)+len(asked.Emails)+len(asked.IPs) < 2 {
		return ""
	}
	name := org.FoldName(request.CommonName)
	if slices.ContainsFunc(asked.DNS[1:], func(s string) bool { return org.FoldName(s) == name }) {
		return ""
	}
	return request.CommonName
}
