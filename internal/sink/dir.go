package sink

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// stored is a mail on disk: what came, not what was read from it.
type stored struct {
	ID        int64
	From      string
	To        []string
	Received  time.Time
	Encrypted bool
	Raw       []byte
}

func (s *Sink) file(id int64) string { return filepath.Join(s.cfg.Dir, fmt.Sprintf("%012d.json", id)) }

func (s *Sink) readDir() error {
	if s.cfg.Dir == "" {
		return nil
	}
	names, err := filepath.Glob(filepath.Join(s.cfg.Dir, "*.json"))
	if err != nil {
		return err
	}
	slices.Sort(names)
	old := max(0, len(names)-s.cfg.Limit)
	for _, name := range names[:old] {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	for _, name := range names[old:] {
		m, err := readMail(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if s.cfg.Moved != nil {
			m.Text, m.HTML = s.cfg.Moved.Replace(m.Text), s.cfg.Moved.Replace(m.HTML)
		}
		s.mails = append(s.mails, m)
		s.last = max(s.last, m.ID)
	}
	return nil
}

func readMail(name string) (Mail, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return Mail{}, err
	}
	var x stored
	if err := json.Unmarshal(text, &x); err != nil {
		return Mail{}, err
	}
	m := Mail{ID: x.ID, From: x.From, To: x.To, Received: x.Received, Encrypted: x.Encrypted}
	m.parse(x.Raw)
	return m, nil
}

// write puts the whole file or nothing in its place.
func (s *Sink) write(m Mail) error {
	if s.cfg.Dir == "" {
		return nil
	}
	text, err := json.Marshal(stored{ID: m.ID, From: m.From, To: m.To, Received: m.Received, Encrypted: m.Encrypted, Raw: m.Raw})
	if err != nil {
		return err
	}
	name := s.file(m.ID)
	if err := os.WriteFile(name+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

func (s *Sink) unlink(mails []Mail) error {
	if s.cfg.Dir == "" {
		return nil
	}
	var all []error
	for _, m := range mails {
		if err := os.Remove(s.file(m.ID)); !errors.Is(err, fs.ErrNotExist) {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}
