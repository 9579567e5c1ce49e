package lint

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	zx509 "github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	zl "github.com/zmap/zlint/v3/lint"

	"petschaft/internal/pki"
)

// registry are zlint's rules but those for other kinds of certificates: extended
// validation, European signatures, code.
var registry = sync.OnceValue(func() zl.Registry {
	r, err := zl.GlobalRegistry().Filter(zl.FilterOptions{
		ExcludeSources: zl.SourceList{zl.CABFEVGuidelines, zl.EtsiEsi, zl.CABFCSBaselineRequirements},
	})
	if err != nil {
		panic(fmt.Sprintf("filter zlint's rules: %v", err)) // the sources above are none
	}
	return r
})

// overlooked are rules of zlint that do not count, and the message that says why.
// Those for mail hold in every certificate for mail, and so on.
var overlooked = struct{ mail, servers, private map[string]string }{
	mail: map[string]string{
		"w_ct_sct_policy_count_unsatisfied": "lint.overlooked.transparency",
	},
	servers: map[string]string{
		"w_ct_sct_policy_count_unsatisfied":             "lint.overlooked.transparency",
		"w_subject_common_name_included":                "lint.overlooked.common_name",
		"w_ext_subject_key_identifier_missing_sub_cert": "lint.overlooked.key_identifier",
		"w_server_cert_valid_time_longer_than_199_days": "lint.overlooked.day_less",
		"w_server_cert_valid_time_longer_than_99_days":  "lint.overlooked.day_less",
		"w_server_cert_valid_time_longer_than_46_days":  "lint.overlooked.day_less",
	},
	private: map[string]string{
		"e_dnsname_not_valid_tld":                "lint.overlooked.private_names",
		"n_san_iana_pub_suffix_empty":            "lint.overlooked.private_names",
		"w_smime_aia_contains_internal_names":    "lint.overlooked.private_addresses",
		"w_sub_cert_aia_contains_internal_names": "lint.overlooked.private_addresses",
	},
}

// overlooks says why a rule of zlint does not count, "" when it does.
func (c Case) overlooks(name string) string {
	why := overlooked.mail[name]
	if c.Profile.Servers {
		why = overlooked.servers[name]
	}
	if why == "" && !c.Policy.Public() {
		why = overlooked.private[name]
	}
	return why
}

// zlint asks zlint about the certificate as if it named the reserved policy: by
// that zlint knows which rules are for it.
func (c Case) zlint(l leaf, r *Report) {
	results, err := ask(l, c.Profile)
	if err != nil {
		r.Findings = append(r.Findings, Finding{Rule: "zlint", Whom: ByOffice, ID: "lint.zlint_unreadable"})
		return
	}
	for _, name := range slices.Sorted(maps.Keys(results)) {
		switch x := results[name]; {
		case x.Status <= zl.NE:
			r.Zlint.Beside++
		case x.Status == zl.Pass:
			r.Zlint.Passed++
		case c.overlooks(name) != "":
			if r.Zlint.Overlooked == nil {
				r.Zlint.Overlooked = map[string]string{}
			}
			r.Zlint.Overlooked[name] = c.overlooks(name)
		case c.ignores(name):
			r.Off = append(r.Off, name)
		default:
			r.Findings = append(r.Findings, Finding{Rule: name, Whom: ByOffice, ID: "lint.zlint", Args: []any{
				"rule", name, "text", x.LintMetadata.Description, "source", x.LintMetadata.Citation,
			}})
		}
	}
}

// ask runs zlint; a panic in it is an answer that nobody can read.
func ask(l leaf, p pki.Profile) (results map[string]*zl.LintResult, err error) {
	defer func() {
		if x := recover(); x != nil {
			err = fmt.Errorf("zlint: %v", x)
		}
	}()
	der, err := shadow(l.DER, p.Reserved())
	if err != nil {
		return nil, err
	}
	c, err := zx509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return zlint.LintCertificateEx(c, registry()).Results, nil
}
