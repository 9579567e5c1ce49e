package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// folder is where the demo keeps its settings, keys and mails, in the clone.
const folder = ".demo"

// settings are kept from run to run. Another port is another issuer of the
// provider: move lets the accounts follow.
type settings struct {
	Portal   int
	Provider int
	Reader   int // of mails, in the browser
	SMTP     int
	Was      []int  `json:",omitempty"` // of the portal before; links in old mails name them
	Secret   string // PETSCHAFT_SECRET
	Client   string // the portal's secret at the provider

	typed string // what make run was given as PORT
}

// highest is the last port with three more behind it.
const highest = 1<<16 - 4

// readSettings reads the kept ones, or makes some, and puts them at the port that
// was typed, if one was. It writes nothing: keep does.
func readSettings(typed string) (settings, error) {
	s, err := readKept()
	if err != nil {
		return s, err
	}
	s.typed = typed
	port := s.Portal
	if typed != "" {
		if port, err = strconv.Atoi(typed); err != nil || port < 1 || port > highest {
			return s, fmt.Errorf("PORT=%s: the demo needs four ports in a row, so PORT is a number from 1 to %d", typed, highest)
		}
	}
	if port == 0 {
		port = 8080
	}
	if s.Portal != 0 && s.Portal != port {
		s.Was = append(s.Was, s.Portal)
	}
	s.Was = slices.DeleteFunc(s.Was, func(was int) bool { return was == port })
	s.Portal, s.Provider, s.Reader, s.SMTP = port, port+1, port+2, port+3
	return s, nil
}

func kept() string { return filepath.Join(folder, "settings.json") }

func readKept() (s settings, err error) {
	text, err := os.ReadFile(kept())
	if errors.Is(err, fs.ErrNotExist) {
		return settings{Secret: random(), Client: random()}, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return s, fmt.Errorf("read %s: %w", kept(), err)
	}
	return s, nil
}

// keep writes the settings down for later runs.
func (s settings) keep() error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Join(folder, "mails"), 0o700)
	}
	if err == nil {
		err = os.WriteFile(kept()+".new", text, 0o600)
	}
	if err == nil {
		err = os.Rename(kept()+".new", kept())
	}
	if err != nil {
		return fmt.Errorf("keep the demo's settings: %w", err)
	}
	return nil
}

func random() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.StdEncoding.EncodeToString(b)
}

// local is an address on this machine. The portal is 127.0.0.1 and the others
// are localhost, because cookies do not know ports.
func local(host string, port int) string { return "http://" + host + ":" + strconv.Itoa(port) }
