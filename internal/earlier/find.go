package earlier

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/org"
	"petschaft/internal/postgres"
)

// findRows finds the row of each mailbox's certificate. Active rows come first,
// and those whose primary address it is. A row that has none of the addresses
// that the certificate names is not its row, whoever says so.
func findRows(ctx context.Context, q postgres.Querier, lines []Line) error {
	rows, err := q.Query(ctx, `
		select a.folded, r.id, r.name, r.primary_address as primary, d.name as domain, l.account as linked
		from address a join address_row r on r.id = a.row_id join email_domain d on d.id = r.domain left join link l on l.row_id = r.id
		where a.folded = any($1) order by r.active desc, a.place, r.id`,
		collectWords(lines, false, func(l *Line) []string { return append(l.wanted(), foldedAll(l.Emails)...) }))
	if err != nil {
		return err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[foundRow])
	if err != nil {
		return err
	}
	byAddress := map[string][]*foundRow{}
	for _, r := range found {
		byAddress[r.Folded] = append(byAddress[r.Folded], r)
	}
	each(lines, false, func(l *Line) {
		for _, a := range l.wanted() {
			for _, r := range byAddress[a] {
				holds := slices.ContainsFunc(foldedAll(l.Emails), func(e string) bool {
					return slices.ContainsFunc(byAddress[e], func(x *foundRow) bool { return x.ID == r.ID })
				})
				if l.Row == nil && holds {
					l.Row = r
				}
			}
		}
	})
	return nil
}

func foldedAll(addresses []string) (all []string) {
	for _, a := range addresses {
		all = append(all, org.Address(a).Folded())
	}
	return all
}

// findAccounts finds the holder of each mailbox's certificate: who was said, by
// verified address or user name, else who is linked to its row, else whose
// verified address it names. Several accounts are nobody.
func findAccounts(ctx context.Context, q postgres.Querier, lines []Line) error {
	words := collectWords(lines, false, func(l *Line) []string {
		return append(foldedAll(l.Emails), strings.ToLower(l.Holder))
	})
	linked := []int64{}
	each(lines, false, func(l *Line) {
		if l.Row != nil && l.Row.Linked != nil {
			linked = append(linked, int64(*l.Row.Linked))
		}
	})
	rows, err := q.Query(ctx, `
		select a.id, a.label as name,
			lower(a.verified_email) as email, lower(a.username) as username
		from account a where a.id = any(@linked) or lower(a.username) = any(@words) or a.email_verified and lower(a.email) = any(@words)`,
		pgx.NamedArgs{"linked": linked, "words": words})
	if err != nil {
		return err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[foundAccount])
	if err != nil {
		return err
	}
	only := func(fits func(a *foundAccount) bool) *foundAccount {
		i := slices.IndexFunc(found, fits)
		if i < 0 || slices.ContainsFunc(found[i+1:], fits) {
			return nil
		}
		return found[i]
	}
	each(lines, false, func(l *Line) {
		said, names := strings.ToLower(l.Holder), foldedAll(l.Emails)
		switch {
		case said != "":
			l.Account = only(func(a *foundAccount) bool { return a.Email == said || a.Username == said })
		case l.Row != nil && l.Row.Linked != nil:
			l.Account = only(func(a *foundAccount) bool { return a.ID == *l.Row.Linked })
		default:
			l.Account = only(func(a *foundAccount) bool { return a.Email != "" && slices.Contains(names, a.Email) })
		}
	})
	return nil
}

// findOrganisations finds whose each server's certificate is: by the name that
// was said, else by the accepted server names that cover all of its names, else
// by the organisation in its subject.
func findOrganisations(ctx context.Context, q postgres.Querier, lines []Line) error {
	rows, err := q.Query(ctx, `
		select o.id, o.name, lower(o.name) as word from organisation o where lower(o.name) = any(@names)
		union all
		select o.id, o.name, n.name from server_name n join organisation o on o.id = n.organisation
		where n.name = any(@hosts) and n.accepted is not null and n.ended is null`, pgx.NamedArgs{
		"names": collectWords(lines, true, func(l *Line) []string {
			return []string{strings.ToLower(l.Institution), strings.ToLower(l.Earlier.Organisation)}
		}),
		"hosts": collectWords(lines, true, func(l *Line) (all []string) {
			for _, n := range l.DNS {
				all = append(all, aboveName(n)...)
			}
			return all
		}),
	})
	if err != nil {
		return err
	}
	byWord := map[string]*foundOrganisation{}
	var o foundOrganisation
	var word string
	if _, err := pgx.ForEachRow(rows, []any{&o.ID, &o.Name, &word}, func() error {
		one := o
		byWord[word] = &one
		return nil
	}); err != nil {
		return err
	}
	each(lines, true, func(l *Line) {
		if l.Institution != "" {
			l.Of = byWord[strings.ToLower(l.Institution)]
			return
		}
		if l.Of = covering(byWord, l.DNS); l.Of == nil {
			l.Of = byWord[strings.ToLower(l.Earlier.Organisation)]
		}
	})
	return nil
}

// aboveName are a host name of a certificate and the domains above it.
func aboveName(name string) (all []string) {
	for name = strings.TrimPrefix(strings.ToLower(name), "*."); strings.Contains(name, "."); {
		all = append(all, name)
		_, name, _ = strings.Cut(name, ".")
	}
	return all
}

// covering is the organisation whose names cover all of hosts, nil where that is
// not one alone.
func covering(byWord map[string]*foundOrganisation, hosts []string) (of *foundOrganisation) {
	for _, h := range hosts {
		i := slices.IndexFunc(aboveName(h), func(n string) bool { return byWord[n] != nil })
		if i < 0 {
			return nil
		}
		o := byWord[aboveName(h)[i]]
		if of != nil && o.ID != of.ID {
			return nil
		}
		of = o
	}
	return of
}
