package cert

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/org"
	"petschaft/internal/person"
	"petschaft/internal/postgres"
)

// Ending, besides Valid, Over and All, are the certificates whose time for a
// renewal has begun. Of servers, Over are also the replaced ones.
const Ending Which = "ending"

// Current are the valid ones and, until they can be renewed no more, the newest 300
// of those that ended without a successor; Due are those of them whose time for a
// renewal has begun.
const (
	Current Which = "current"
	Due     Which = "due"
)

// ServerSort is what a list of server certificates is ordered by.
type ServerSort string

const (
	ByEnd       ServerSort = "end" // the usual
	ByName      ServerSort = "name"
	ByIssued    ServerSort = "issued"
	ByReference ServerSort = "reference"
)

// serverSorts are the columns behind them, and the type a cursor's key is read
// as. Each has two indexes: (phase, column, id) and the same of one organisation.
var serverSorts = map[ServerSort]struct{ column, typ string }{
	ByEnd:       {"not_after", "timestamptz"},
	ByName:      {"common_name", "text"},
	ByIssued:    {"issued", "timestamptz"},
	ByReference: {"reference", "text"},
}

// ServerView is which server certificates somebody wants to see. The zero value
// is the first page of the valid ones of one's organisations, by their end.
type ServerView struct {
	Which        Which
	Text         string // words to search for
	Sort         ServerSort
	Desc         bool
	Size         int    // a page; 0 means 50, at most 200
	Cursor       string // of a page returned before; empty: from the start
	Organisation org.OrganisationID
	Office       bool // of all organisations, for registration officers
}

// MaxHits is how many hits a search sorts; with more it asks to be narrowed.
const MaxHits = 300

// ServerPage is one page of a view. Prev and Next are cursors, empty at the ends.
type ServerPage struct {
	Certificates []ServerCertificate
	Prev         string
	Next         string
	Hits         int  // of a search
	Many         bool // more than MaxHits: Certificates is empty
}

func (v *ServerView) defaults() {
	if _, ok := serverSorts[v.Sort]; !ok {
		v.Sort = ByEnd
	}
	if !slices.Contains([]Which{Ending, Over, All, Current, Due}, v.Which) {
		v.Which = Valid
	}
	if v.Size <= 0 {
		v.Size = 50
	}
	v.Size = min(v.Size, 200)
}

// Servers returns a page of the server certificates of the organisations whose
// technical contact by is, of one that by may see, or of all. Without words its
// time does not depend on how many there are or how deep the page lies: it reads
// along indexes from a key, one short scan for each phase.
func (b *Book) Servers(ctx context.Context, by person.Actor, v ServerView) (ServerPage, error) {
	v.defaults()
	if v.Office {
		if err := person.OfficersOnly(by); err != nil {
			return ServerPage{}, err
		}
	}
	at, err := postgres.ParseCursor(v.Cursor)
	if err != nil {
		return ServerPage{}, err
	}
	q := newServerQuery(v, at)
	now := b.Now()
	q.args["now"], q.args["since"] = now, now.Add(-mostAfter)
	if err := b.within(ctx, by, q); err != nil {
		return ServerPage{}, err
	}
	type keyed struct {
		ServerCertificate
		Key  string
		Hits int
	}
	rows, err := b.DB.Query(ctx, q.sql(), pgx.QueryExecModeCacheDescribe, org.Scope(by, q.args))
	if err != nil {
		return ServerPage{}, fmt.Errorf("list server certificates: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[keyed])
	if err != nil {
		return ServerPage{}, fmt.Errorf("list server certificates: %w", at.Fault(err))
	}
	p := ServerPage{}
	if len(found) > 0 {
		p.Hits = found[0].Hits
	}
	if p.Many = p.Hits > MaxHits; p.Many {
		return p, nil
	}
	found, p.Prev, p.Next = postgres.Cut(found, v.Size, at, func(k keyed) postgres.Cursor {
		return postgres.Cursor{Key: k.Key, ID: int64(k.ID)}
	})
	for _, k := range found {
		p.Certificates = append(p.Certificates, k.ServerCertificate)
	}
	return p, nil
}

// within tells a search in whose certificates it looks, in numbers: how many they
// have decides how it is done. For the same reason no plan is kept.
func (b *Book) within(ctx context.Context, by person.Actor, q *serverQuery) error {
	of := q.organisations()
	if q.where == "" || of == "" {
		return nil
	}
	rows, err := b.DB.Query(ctx, of, org.Scope(by, q.args))
	if err != nil {
		return fmt.Errorf("list organisations: %w", err)
	}
	if q.args["within"], err = pgx.CollectRows(rows, pgx.RowTo[org.OrganisationID]); err != nil {
		return fmt.Errorf("list organisations: %w", err)
	}
	return nil
}
