package audit

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/postgres"
)

// Expected is what whoever verifies knows from elsewhere; the zero value is nothing.
type Expected struct {
	Anchor *Anchor           // a seal that the record once had
	Key    ed25519.PublicKey // that signs
	Sealer *postgres.Sealer  // in which the key's private half lies
}

// Report is what a record that is whole holds.
type Report struct {
	End       Anchor // the newest seal
	Key       ed25519.PublicKey
	First     int64 // the first seal that is signed for, 0: none is
	Lines     int64 // that were looked at
	Erased    int64 // of those, whose detail was erased
	Waiting   int64 // for their seal
	Continued int64 // the seal behind which a file begins, 0: with the first
}

// pageSize bounds the seals that one statement reads: nothing holds more of a
// record, and no statement lasts long.
const pageSize = 5000

// Verify walks the whole record: chain, signatures, gaps, lines that have no seal
// and do not wait, or wait for too long. A Break says where it is broken. That
// lines were cut off at the end together with their seals, or all was written anew
// from some seal on, shows only with an anchor.
func Verify(ctx context.Context, db *postgres.DB, x Expected) (Report, error) {
	r, _, err := verify(ctx, db, x, watch{})
	if err != nil {
		return r, fmt.Errorf("verify the audit record: %w", err)
	}
	return r, nil
}

// verify begins where w says. It returns also up to which line it looked for
// strays.
func verify(ctx context.Context, db *postgres.DB, x Expected, w watch) (r Report, line int64, err error) {
	c := &chain{at: Anchor{w.Seq, w.Hash}, signed: w.Seq, anchor: x.Anchor}
	if r.Key, r.First, err = keyOf(ctx, db, x); err != nil {
		return r, 0, err
	}
	c.key, c.first = r.Key, r.First
	if err = since(ctx, db, c.at); err == nil {
		err = walk(ctx, db, c.at.Seq, c.add)
	}
	if err != nil && c.key == nil { // the key may have come meanwhile, with the first seal that it signs
		if key, _, failed := keyOf(ctx, db, x); failed == nil && key != nil {
			return verify(ctx, db, x, w)
		}
	}
	if err == nil {
		err = c.end()
	}
	if err == nil && x.Anchor != nil && x.Anchor.Seq <= w.Seq {
		err = since(ctx, db, *x.Anchor)
	}
	r.End, r.Lines, r.Erased = c.at, c.lines, c.erased
	if err == nil {
		line, err = strays(ctx, db, w.Line)
	}
	if err == nil {
		r.Waiting, err = waits(ctx, db)
	}
	return r, line, err
}

// keyOf is the key of the record, if it is the expected one, and from which seal
// on it signs.
func keyOf(ctx context.Context, db *postgres.DB, x Expected) (key ed25519.PublicKey, first int64, err error) {
	var public, sealed []byte
	err = db.QueryRow(ctx, `select k.public, k.sealed, coalesce(k.first, 0) from (select) one left join audit_key k on true`).Scan(&public, &sealed, &first)
	if err != nil {
		return nil, 0, err
	}
	if x.Key != nil && !bytes.Equal(x.Key, public) {
		return public, first, &Break{Kind: OtherKey}
	}
	if x.Sealer != nil && public != nil {
		_, err = unsealed(x.Sealer, public, sealed)
	}
	return public, first, err
}

// since says whether a seal is still the one that is known.
func since(ctx context.Context, db *postgres.DB, a Anchor) error {
	if a.Seq == 0 {
		return nil
	}
	var hash []byte
	err := db.QueryRow(ctx, `select s.hash from (select) one left join audit_seal s on s.seq = $1`, a.Seq).Scan(&hash)
	switch {
	case err != nil:
		return err
	case hash == nil:
		return &Break{Kind: Gap, Seq: a.Seq}
	case !bytes.Equal(hash, a.Hash):
		return &Break{Kind: Rewritten, Seq: a.Seq}
	}
	return nil
}

// walk hands over the seals behind after, in their order, with their lines.
func walk(ctx context.Context, db *postgres.DB, after int64, add func(link) error) error {
	for {
		rows, err := db.Query(ctx, `select s.seq, s.hash, s.signature, l.id is not null, s.line, coalesce(l.at, 'epoch'), l.account, l.token, l.origin,
				coalesce(l.action, ''), l.digest, array(select a.kind || ':' || a.id from audit_about a where a.line = s.line order by a.kind collate "C", a.id),
				l.detail::text, l.salt
			from audit_seal s left join audit_line l on l.id = s.line where s.seq > $1 order by s.seq limit $2`, after, pageSize)
		if err != nil {
			return err
		}
		var l link
		n := 0
		_, err = pgx.ForEachRow(rows, []any{&l.Seq, &l.Hash, &l.Signature, &l.Found, &l.ID, &l.At, &l.Account, &l.Token, &l.Origin, &l.Action, &l.Digest, &l.About, &l.Detail, &l.Salt}, func() error {
			n, after = n+1, l.Seq
			return add(l)
		})
		if err != nil || n < pageSize {
			return err
		}
	}
}

// strayPage is how many ids of lines one statement looks through.
const strayPage = 50_000

// strays looks for lines behind one that neither have a seal nor wait for it, and
// returns the last that there is.
func strays(ctx context.Context, db *postgres.DB, after int64) (last int64, err error) {
	if err = db.QueryRow(ctx, `select coalesce(max(id), 0) from audit_line`).Scan(&last); err != nil {
		return 0, err
	}
	for low := after; ; {
		var from, stray *int64
		err = db.QueryRow(ctx, `select min(id) from audit_line where id > $1 and id <= $2`, low, last).Scan(&from)
		if err != nil || from == nil {
			return last, err
		}
		low = *from + strayPage
		err = db.QueryRow(ctx, `select min(l.id) from audit_line l left join audit_seal s on s.line = l.id left join audit_waiting w on w.line = l.id
			where l.id between $1 and $2 and s.line is null and w.line is null`, *from, low).Scan(&stray)
		if err == nil && stray != nil {
			err = &Break{Kind: Stray, Line: *stray}
		}
		if err != nil {
			return 0, err
		}
	}
}

// waits counts the lines that wait for their seal, if all rightly do.
func waits(ctx context.Context, db *postgres.DB) (n int64, err error) {
	var gone, twice, late *int64
	var seq int64
	err = db.QueryRow(ctx, `select count(*), min(w.line) filter (where l.id is null), min(w.line) filter (where s.line is not null),
			min(w.line) filter (where l.at < x.ran - make_interval(secs => $1)), coalesce(min(s.seq), 0)
		from audit_waiting w left join audit_line l on l.id = w.line left join audit_seal s on s.line = w.line cross join audit_watch x`, Longest.Seconds()).
		Scan(&n, &gone, &twice, &late, &seq)
	switch {
	case err != nil:
		return 0, err
	case gone != nil:
		return n, &Break{Kind: Gone, Line: *gone}
	case twice != nil:
		return n, &Break{Kind: Twice, Line: *twice, Seq: seq}
	case late != nil:
		return n, &Break{Kind: Late, Line: *late}
	}
	return n, nil
}
