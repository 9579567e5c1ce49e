package audit

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"petschaft/internal/postgres"
)

// header begins each part of a file: by which key, from which seal on there are
// signatures, behind which seal the part begins.
type header struct {
	Record string `json:"record"` // recordFormat
	Key    []byte `json:"key"`    // Ed25519, 32 bytes in base64
	First  int64  `json:"first"`
	Since  int64  `json:"since"`
	Hash   string `json:"hash"` // of the seal Since, in hex
}

const recordFormat = "petschaft-audit-1"

// sealedLine is a seal with its line in a file. Detail is the text whose bytes
// digest is about: sha256(salt || detail).
type sealedLine struct {
	Seq       int64       `json:"seq"`
	Line      int64       `json:"line"`
	At        time.Time   `json:"at"`
	Account   *int64      `json:"account,omitempty"`
	Token     *int64      `json:"token,omitempty"`
	Origin    *netip.Addr `json:"origin,omitempty"`
	Action    string      `json:"action"`
	Detail    *string     `json:"detail"`
	Salt      []byte      `json:"salt"`
	About     []string    `json:"about,omitempty"`
	Digest    string      `json:"digest"`
	Hash      string      `json:"hash"`
	Signature []byte      `json:"signature,omitempty"`
}

// Export writes the sealed lines behind the seal since, as JSON lines, after one
// that says what it is. A later export behind the last seal of this one can be
// appended to it. It returns the last seal.
func Export(ctx context.Context, db *postgres.DB, since int64, to io.Writer) (int64, error) {
	last, err := export(ctx, db, since, to)
	if err != nil {
		return last, fmt.Errorf("export the audit record: %w", err)
	}
	return last, nil
}

func export(ctx context.Context, db *postgres.DB, since int64, to io.Writer) (int64, error) {
	key, first, err := keyOf(ctx, db, Expected{})
	if err != nil {
		return 0, err
	}
	h := header{Record: recordFormat, Key: key, First: first, Since: since}
	if since > 0 {
		var hash []byte
		if err := db.QueryRow(ctx, `select s.hash from (select) one left join audit_seal s on s.seq = $1`, since).Scan(&hash); err != nil {
			return 0, err
		}
		if hash == nil {
			return 0, fmt.Errorf("there is no seal %d", since)
		}
		h.Hash = hex.EncodeToString(hash)
	}
	out := bufio.NewWriterSize(to, 64<<10)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	if err := lines.Encode(h); err != nil {
		return 0, err
	}
	last := since
	err = walk(ctx, db, since, func(l link) error {
		if !l.Found {
			return &Break{Kind: Missing, Seq: l.Seq, Line: l.ID}
		}
		last = l.Seq
		return lines.Encode(sealedLine{
			l.Seq, l.ID, l.At.UTC(), l.Account, l.Token, l.Origin, l.Action, l.Detail, l.Salt, l.About,
			hex.EncodeToString(l.Digest), hex.EncodeToString(l.Hash), l.Signature,
		})
	})
	return last, errors.Join(err, out.Flush())
}

// ErrUnreadable says that a file is none that Export wrote.
var ErrUnreadable = errors.New("not an exported audit record")

// VerifyFile is Verify for what Export wrote. Where x names no key, it is the
// file's own that counts: then whoever wrote the file can have signed it, too.
func VerifyFile(from io.Reader, x Expected) (Report, error) {
	f := &file{chain: chain{anchor: x.Anchor}, expected: x}
	lines := bufio.NewReaderSize(from, 64<<10)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if err := f.read(line); err != nil {
				return f.report(), fmt.Errorf("line %d of the file: %w", n, err)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return f.report(), fmt.Errorf("read the file: %w", err)
		}
	}
	if !f.begun {
		return f.report(), fmt.Errorf("the file is empty: %w", ErrUnreadable)
	}
	return f.report(), f.end()
}

type file struct {
	chain
	expected Expected
	begun    bool
	since    int64
}

func (f *file) report() Report {
	return Report{End: f.at, Key: f.key, First: f.first, Lines: f.lines, Erased: f.erased, Continued: f.since}
}

func (f *file) read(line []byte) error {
	if bytes.Contains(line, []byte(`"record":`)) {
		var h header
		if json.Unmarshal(line, &h) == nil && h.Record == recordFormat {
			return f.begin(h)
		}
	}
	var l sealedLine
	if err := json.Unmarshal(line, &l); err != nil || !f.begun || l.Seq == 0 {
		return errors.Join(ErrUnreadable, err)
	}
	digest, err := hex.DecodeString(l.Digest)
	if err != nil {
		return errors.Join(ErrUnreadable, err)
	}
	hash, err := hex.DecodeString(l.Hash)
	if err != nil {
		return errors.Join(ErrUnreadable, err)
	}
	return f.add(link{
		Seq: l.Seq, Hash: hash, Signature: l.Signature, Found: true, Detail: l.Detail, Salt: l.Salt,
		chained: chained{ID: l.Line, At: l.At, Account: l.Account, Token: l.Token, Origin: l.Origin, Action: l.Action, Digest: digest, About: l.About},
	})
}

// begin reads the head of a part. The first one says where the file begins; each
// other one must fit what is before it.
func (f *file) begin(h header) error {
	hash, err := hex.DecodeString(h.Hash)
	if err != nil || h.Key != nil && len(h.Key) != ed25519.PublicKeySize {
		return errors.Join(ErrUnreadable, err)
	}
	switch {
	case f.expected.Key != nil && !bytes.Equal(f.expected.Key, h.Key):
		return &Break{Kind: OtherKey}
	case f.begun && f.key != nil && !bytes.Equal(f.key, h.Key):
		return &Break{Kind: OtherKey}
	case f.begun && h.Since != f.at.Seq:
		return &Break{Kind: Gap, Seq: f.at.Seq + 1}
	case f.begun && !bytes.Equal(hash, f.at.Hash):
		return &Break{Kind: Rewritten, Seq: h.Since}
	case f.anchor != nil && f.anchor.Seq < h.Since && !f.begun:
		return fmt.Errorf("the file begins behind seal %d, which the anchor is about", f.anchor.Seq)
	case f.anchor != nil && f.anchor.Seq == h.Since && !bytes.Equal(hash, f.anchor.Hash):
		return &Break{Kind: Rewritten, Seq: h.Since}
	}
	if !f.begun {
		f.at, f.signed, f.since = Anchor{h.Since, hash}, h.Since, h.Since
	}
	f.begun, f.key, f.first = true, h.Key, h.First
	return nil
}
