package page

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

// What files under way may fill in a process.
const (
	spoolHead   = 1 << 20   // bytes of one, in memory; the rest lies in the directory for temporary files
	mostOfOne   = 512 << 20 // bytes of one
	mostSpooled = 1 << 30   // bytes of all
)

// spool keeps a file until it is sent. On disk it has no name, so that nothing
// stays of it when the process dies.
type spool struct {
	all  *downloads
	head bytes.Buffer
	rest *os.File
	size int64
}

func (s *spool) Write(b []byte) (int, error) {
	if s.size+int64(len(b)) > mostOfOne {
		return 0, errLarge
	}
	if err := s.all.grow(len(b)); err != nil {
		return 0, err
	}
	s.size += int64(len(b))
	if s.rest == nil && s.head.Len()+len(b) <= spoolHead {
		return s.head.Write(b)
	}
	if s.rest == nil {
		if err := s.open(); err != nil {
			return 0, err
		}
	}
	return s.rest.Write(b)
}

func (s *spool) open() (err error) {
	if s.rest, err = Nameless(); err != nil {
		return fmt.Errorf("keep a file until it is sent: %w", err)
	}
	return nil
}

// Nameless opens a temporary file that only this process sees and that goes with
// it.
func Nameless() (*os.File, error) {
	f, err := os.CreateTemp("", "petschaft-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// content is all of it, once.
func (s *spool) content() (io.Reader, error) {
	if s.rest == nil {
		return &s.head, nil
	}
	if _, err := s.rest.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read a file to be sent: %w", err)
	}
	return io.MultiReader(&s.head, s.rest), nil
}

func (s *spool) close() {
	if s.rest != nil {
		s.rest.Close()
	}
}
