package order

import "slices"

// twin is another order of the same key and names in the same organisation, or
// the certificate that came of one. Often it was ordered by mistake once more.
type twin struct {
	Reference string
	Issued    bool
}

func (t twin) code() Code {
	if t.Issued {
		return TwinCertificate
	}
	return TwinOrder
}

// mostTwins is how many of a kind are told.
const mostTwins = 3

// twinColumn is SQL for orders that are not over and certificates that count, but
// for the order itself and what it renews.
const twinColumn = `coalesce((select jsonb_agg(t) from (
	(select s.reference, false as issued from server_order s
		where s.organisation = @organisation and s.ended is null and s.spki = @spki and s.names @> @names and s.names <@ @names and s.id <> @self
		order by s.id limit @most)
	union all
	(select c.reference, true as issued from certificate c
		where c.key = @key and c.organisation = @organisation and c.names @> @names and c.names <@ @names and c.revoked is null and c.revoking is null and not c.unwanted
			and c.replaced_by is null and c.not_after >= @now and c.id is distinct from @replaces and c.server_order is distinct from @self
		order by c.id limit @most)) t), '[]')`

// Block tells whether something has to change before the order is approved.
func (c Checks) Block() bool { return c.worst() >= Wait }

// Next is where an order goes once nothing waits for the validation of a name.
func (c Checks) Next(auto bool) State {
	return slices.DeleteFunc(slices.Clone(c), func(x Check) bool { return x.Weight == Wait }).place(auto)
}

// Warnings are what who ordered should know and nothing waits for.
func (c Checks) Warnings() Checks {
	return slices.DeleteFunc(slices.Clone(c), func(x Check) bool { return x.Weight != Note })
}
