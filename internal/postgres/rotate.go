package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// ErrUnfinished says that a third secret came before the second one sealed all.
var ErrUnfinished = errors.New("the rotation before is not over: run `petschaft secret rotate` with its two secrets first; nothing was changed")

// SealedColumn is a column that holds sealed values. Its room spells out the SQL.
type SealedColumn struct {
	Name string // table.column
	// Left reads and locks id, sealed and of, which Purpose is about, of at most @most
	// rows above @after, by id, whose value does not begin with @head (8 bytes).
	Left string
	// Write puts @sealed into the row @id.
	Write   string
	Purpose func(of string) string
}

// rotateBatch is how many values a transaction of Rotate seals.
const rotateBatch = 100

// Rotated is what Rotate did: how many values it sealed anew, by column. Number is
// the key that seals now.
type Rotated struct {
	Number int32
	Sealed map[string]int
}

// Rotate seals all columns anew under the first secret of s, while others go on to
// read and to seal. Killed anywhere, it has lost nothing and goes on when called
// again. Where nothing is left to do it does nothing. told hears of each batch.
func (db *DB) Rotate(ctx context.Context, s *Sealer, columns []SealedColumn, told func(column string, values int)) (Rotated, error) {
	did := Rotated{Sealed: map[string]int{}}
	key, begun, err := db.nextKey(ctx, s)
	if did.Number = key.number; err != nil || !begun {
		return did, err
	}
	var shut []error
	for _, c := range columns {
		for after := int64(0); ; {
			b, err := db.sealBatch(ctx, s, key, c, after)
			if err != nil {
				return did, fmt.Errorf("seal %s anew: %w", c.Name, err)
			}
			if shut = append(shut, b.shut...); b.last == 0 {
				break
			}
			after, did.Sealed[c.Name] = b.last, did.Sealed[c.Name]+b.values
			told(c.Name, b.values)
		}
	}
	if len(shut) > 0 {
		return did, fmt.Errorf("%d values open under neither secret and stay as they are: %w", len(shut), errors.Join(shut[:min(len(shut), 5)]...))
	}
	_, err = db.Exec(ctx, "update sealed_probe set was = null where number = $1", key.number)
	return did, err
}

// nextKey sees to it that the first secret seals from now on, and waits for all who
// still seal under the key before. False where all is sealed under it already.
func (db *DB) nextKey(ctx context.Context, s *Sealer) (key Key, begun bool, err error) {
	err = db.Tx(ctx, func(tx pgx.Tx) error {
		p, err := readProbe(ctx, tx, "select number, sealed, was from sealed_probe for update")
		if err != nil {
			return err
		}
		mine := &Sealer{s.secrets[:1]}
		if key = (Key{p.Number, s.secrets[0]}); p.Number > 0 && mine.under(p.Number, p.Sealed) != nil {
			begun = p.Was != nil
			return nil
		}
		switch {
		case s.under(p.Number, p.Sealed) == nil:
			return ErrWrongSecret
		case p.Was != nil:
			return ErrUnfinished
		}
		key.number, begun = p.Number+1, true
		_, err = tx.Exec(ctx, "update sealed_probe set number = @number, sealed = @sealed, was = sealed",
			pgx.NamedArgs{"number": key.number, "sealed": key.Seal([]byte(sealedProbe), probePurpose)})
		return err
	})
	return key, begun, err
}

type batch struct {
	last   int64 // the last row that was looked at, 0 where there was none
	values int
	shut   []error
}

func (db *DB) sealBatch(ctx context.Context, s *Sealer, key Key, c SealedColumn, after int64) (b batch, err error) {
	err = db.Tx(ctx, func(tx pgx.Tx) error {
		b = batch{}
		rows, err := tx.Query(ctx, c.Left, pgx.NamedArgs{"after": after, "most": rotateBatch, "head": key.head()})
		if err != nil {
			return err
		}
		type value struct {
			ID     int64
			Sealed []byte
			Of     string
		}
		left, err := pgx.CollectRows(rows, pgx.RowToStructByName[value])
		if err != nil {
			return err
		}
		for _, v := range left {
			b.last = v.ID
			plain, err := s.Open(v.Sealed, c.Purpose(v.Of))
			if err != nil {
				b.shut = append(b.shut, fmt.Errorf("%s, row %d: %w", c.Name, v.ID, err))
				continue
			}
			if _, err := tx.Exec(ctx, c.Write, pgx.NamedArgs{"id": v.ID, "sealed": key.Seal(plain, c.Purpose(v.Of))}); err != nil {
				return err
			}
			b.values++
		}
		return nil
	})
	return b, err
}
