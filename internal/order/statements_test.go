package order_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"petschaft/internal/issuance"
	"petschaft/internal/order"
	"petschaft/internal/pgtest"
	"petschaft/internal/trial"
)

// TestAnApplicationTakesFewStatements from the form to the letter about its
// certificate: with the authority's own one they are eleven at most.
func TestAnApplicationTakesFewStatements(t *testing.T) {
	t.Parallel()
	r := localRig(t)
	var ran statements
	b := trial.Must(books(pgtest.Open(t, r.url, func(c *pgxpool.Config) { c.ConnConfig.Tracer = &ran }), r.Now, nil))
	b.Issuance.Registry, b.Cert.Authority = r.Issuance.Registry, r.local
	for _, address := range []string{"warm@uni.example", "ada@uni.example"} { // the first one fills the sequences of letters
		row, in := r.linked(t, r.ada, address), order.Input{CSR: csr(t, ecKey(t)), Terms: r.Terms}
		ran.take()
		made := trial.Must(b.Apply(t.Context(), r.ada, row, in))
		apply := ran.take()
		r.ok(t, b.Issuance.Look(t.Context(), issuance.Application, issuance.Number(made.ID)))
		look := ran.take()
		r.ended(t, made.ID, order.Issued, "")
		if address == "ada@uni.example" && len(apply)+len(look) > 10 {
			t.Errorf("got %d statements to apply and %d to issue, want at most 4 and 6, beside the authority's own:\n%s", len(apply), len(look),
				strings.Join(slices.Concat(apply, look), "\n\n"))
		}
	}
}
