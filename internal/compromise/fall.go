package compromise

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/audit"
	"petschaft/internal/cert"
	"petschaft/internal/fault"
	"petschaft/internal/mail"
	"petschaft/internal/person"
	"petschaft/internal/pki"
	"petschaft/internal/text"
	"petschaft/web/paths"
)

// longestNote bounds what an officer writes, in characters.
const longestNote = 2000

// mostShown is how many certificates of a key are shown.
const mostShown = 100

// Key is one as an officer sees it: what falls with it, and whose that is.
type Key struct {
	Digest       Digest
	Blocked      *Blocked      // nil: it is not
	Certificates []Certificate // at most 100, those that count first
	Fates        map[Fate]int  // what becomes of how many
	Reports      []Report      // open ones
}

// Falling is how many certificates stop counting when the key falls.
func (k Key) Falling() int { return k.Fates[Revoked] + k.Fates[Revoking] }

// Left is of how many anything changes then.
func (k Key) Left() int { return k.All() - k.Fates[Stays] }

// All is how many certificates the key has.
func (k Key) All() (n int) {
	for _, some := range k.Fates {
		n += some
	}
	return n
}

// Known tells whether anything here is about the key.
func (k Key) Known() bool { return k.Blocked != nil || len(k.Certificates) > 0 || len(k.Reports) > 0 }

// One returns a key to a registration officer; one that nobody knows is no fault.
func (b *Book) One(ctx context.Context, by person.Actor, key Digest) (Key, error) {
	k := Key{Digest: key}
	err := person.OfficersOnly(by)
	if err != nil {
		return k, err
	}
	if k.Blocked, err = blocked(ctx, b.DB, key); err != nil {
		return k, err
	}
	most := mostShown
	if k.Certificates, err = certificatesIn(ctx, b.DB, by, key, `c.revoked is not null, c.not_after desc, c.id`, &most); err != nil {
		return k, err
	}
	if k.Fates, err = fates(ctx, b.DB, b.Now(), key); err != nil {
		return k, err
	}
	k.Reports, err = b.reports(ctx, by, `r.key = @key and r.ended is null`, pgx.NamedArgs{"key": key[:], "limit": mostReports})
	return k, err
}

// Fallen says what became of the certificates of a key.
type Fallen struct {
	Revoked  int // by authorities of the portal
	Revoking int // authorities outside are asked
	Raised   int // the reason of what was revoked, or is being
	Told     int // from before the portal: their holders are told
}

func (f *Fallen) count(x Fate) {
	switch x {
	case Revoked:
		f.Revoked++
	case Revoking:
		f.Revoking++
	case Raised:
		f.Raised++
	case Told:
		f.Told++
	}
}

// ErrBlocked is that nothing is left to do about a key.
var ErrBlocked = fault.New(fault.Conflict, "compromise.blocked_already")

// Fall is an officer's word that the key fell into other hands: it is blocked for good,
// and every certificate of it falls, whoever holds it. A key that is blocked, with
// nothing left to fall, is a conflict.
func (b *Book) Fall(ctx context.Context, by person.Actor, key Digest, note string) (f Fallen, err error) {
	if err := person.OfficersOnly(by); err != nil {
		return f, err
	}
	var bad fault.Fields
	if note = text.Lines(note); pki.HoldsPrivateKey([]byte(note)) {
		bad.Add("note", pki.ErrPrivateKey.ID)
	} else if len([]rune(note)) > longestNote {
		bad.Add("note", "field.too_long", "max", longestNote)
	}
	if err := bad.Err(); err != nil {
		return f, err
	}
	return f, b.DB.Tx(ctx, func(tx pgx.Tx) error {
		now := b.Now()
		_, err := person.Once(ctx, tx, by, now, func() (id cert.ID, err error) {
			var new bool
			f, new, err = b.fall(ctx, tx, now, Cause{How: ByOfficer, By: &by.Account, Who: by.Who(), Name: by.Name, Note: note}, key)
			if err == nil && !new && f == (Fallen{}) {
				err = ErrBlocked
			}
			return 0, err
		})
		return err
	})
}

// FallIn is the step that blocks a key for good and ends every certificate of it: each
// holder or contact is told, each end audited. Done twice it does what is left. It
// takes the locks of rows and certificates itself, in one order for everybody: the
// caller holds none.
func (b *Book) FallIn(ctx context.Context, tx pgx.Tx, now time.Time, why Cause, key Digest) (Fallen, error) {
	f, _, err := b.fall(ctx, tx, now, why, key)
	return f, err
}

// fall is FallIn; new tells whether the key was not blocked before.
func (b *Book) fall(ctx context.Context, tx pgx.Tx, now time.Time, why Cause, key Digest) (f Fallen, new bool, err error) {
	if err := b.lock(ctx, tx, key); err != nil {
		return f, false, err
	}
	all, err := certificates(ctx, tx, person.Actor{Officer: true}, key)
	if err != nil {
		return f, false, err
	}
	var id int64
	err = tx.QueryRow(ctx, `with n as (insert into blocked_key (key, since, how, by, note) values (@key, @now, @how, @by, @note)
			on conflict (key) do nothing returning id)
		select coalesce((select id from n), 0)`, pgx.NamedArgs{
		"key": key[:], "now": now, "how": why.How, "by": why.By, "note": why.Note,
	}).Scan(&id)
	if err != nil {
		return f, false, fmt.Errorf("block a key: %w", err)
	}
	for _, c := range all {
		if err := b.end(ctx, tx, now, why, c); err != nil {
			return f, false, err
		}
		f.count(c.Fate(now))
	}
	_, err = tx.Exec(ctx, `update key_report set ended = @now, ended_by = @by, fell = true where key = @key and ended is null and reason = @reason`,
		pgx.NamedArgs{"key": key[:], "now": now, "by": why.By, "reason": keyCompromise})
	if err != nil {
		return f, false, fmt.Errorf("close reports: %w", err)
	}
	if id == 0 {
		return f, false, nil
	}
	return f, true, b.noteBlocked(ctx, tx, now, why, key, id, f)
}

// noteBlocked writes that the key is blocked. What no officer did, officers are told,
// unless nothing fell: anybody can make keys and prove that they hold them.
func (b *Book) noteBlocked(ctx context.Context, tx pgx.Tx, now time.Time, why Cause, key Digest, id int64, f Fallen) error {
	err := audit.Write(ctx, tx, audit.Line{
		Who: why.Who, At: now, Action: "compromise.blocked", About: []audit.Thing{{Kind: "blocked_key", ID: id}},
		Detail: audit.Detail{"key": key.String(), "how": string(why.How), "comment": why.Note},
	})
	if err != nil || why.How == ByOfficer || f == (Fallen{}) {
		return err
	}
	return b.Cert.TellOfficers(ctx, tx, "", func(to mail.Reader) mail.Words {
		return mail.KeyBlockedWords{
			Reader: to, Key: key.String(), At: now, Revoked: f.Revoked, Revoking: f.Revoking, Told: f.Told, Link: b.Cert.Base + paths.OfficeKey(key.String()),
		}
	})
}

// end does to a certificate what its fate is, tells whose it is, and writes it down.
func (b *Book) end(ctx context.Context, tx pgx.Tx, now time.Time, why Cause, c Certificate) error {
	fate := c.Fate(now)
	if fate == Stays {
		return nil
	}
	if err := b.Cert.KeyFell(ctx, tx, now, why.By, c.ID); err != nil {
		return err
	}
	if !c.Unexpected {
		to, link, err := b.Cert.ReaderOf(ctx, tx, c.ID, c.Reference, c.Organisation)
		if err != nil {
			return err
		}
		err = b.Cert.Outbox.Post(ctx, tx, mail.KeyFellWords{
			Reader: to, Organisation: c.OrganisationName, Reference: c.Reference, Names: append(c.Emails, cert.SpelledAll(c.Names)...), Fate: string(fate),
			Proof: why.How == ByProof, By: why.Name, At: now, Link: link,
		})
		if err != nil {
			return err
		}
	}
	return audit.Write(ctx, tx, audit.Line{
		Who: why.Who, At: now, Action: "compromise." + string(fate), About: c.things(),
		Detail: audit.Detail{"reference": c.Reference, "serial": hex.EncodeToString(c.Serial), "reason": int(keyCompromise)},
	})
}
