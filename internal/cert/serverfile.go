package cert

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/postgres"
)

// FileBase is how the names of the files of a server's certificate begin:
// reference and name, in characters that every file system takes.
func FileBase(reference, commonName string) string {
	const longest = 180
	name := strings.Replace(commonName, "*", "wildcard", 1)
	return reference + "-" + name[:min(len(name), longest)]
}

// ChainOf is a certificate with all above it as they were kept with it, else from the
// pool; of one from elsewhere nothing else is known.
func ChainOf(pool *pki.Pool, der []byte, elsewhere bool, above [][]byte) ([][]byte, error) {
	if elsewhere || len(above) > 0 {
		return append([][]byte{der}, above...), nil
	}
	chain, err := pool.Chain(der)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "cert.no_chain").Because(err)
	}
	return chain, nil
}

// ServerFile returns the certificate called reference as a file, and its name, to
// those who may see it, if it is Offered to them. Where no way leads from it to a root it is unavailable;
// a file of those above one from elsewhere that came alone is missing.
func (b *Book) ServerFile(ctx context.Context, by person.Actor, reference string, f pki.Format, pool *pki.Pool) (name string, content []byte, err error) {
	var commonName string
	var der []byte
	var elsewhere bool
	var above [][]byte
	err = b.DB.QueryRow(ctx, `select c.reference, c.common_name, c.der, c.imported is not null or c.external, c.chain from certificate c join organisation o on o.id = c.organisation
		where c.reference = @reference and (@officer or not c.unwanted and `+org.IsTechnicalContact+`)`, org.Scope(by, pgx.NamedArgs{"reference": reference})).
		Scan(&reference, &commonName, &der, &elsewhere, &above)
	if err != nil {
		return "", nil, postgres.Fault(err)
	}
	chain, err := ChainOf(pool, der, elsewhere, above)
	if err != nil {
		return "", nil, err
	}
	if f.Above && len(chain) == 1 {
		return "", nil, fault.New(fault.Missing, "fault.missing")
	}
	content, err = f.File(chain)
	return FileBase(reference, commonName) + f.Ending, content, err
}
