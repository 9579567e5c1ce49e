package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// folder is where the demo keeps its settings, keys and mails, in the clone.
const folder = ".demo"

// settings are chosen once and kept: another port would change the provider's
// issuer and make strangers of all accounts.
type settings struct {
	Portal   int
	Provider int
	Reader   int // of mails, in the browser
	SMTP     int
	Secret   string // PETSCHAFT_SECRET
	Client   string // the portal's secret at the provider
}

// readSettings reads the kept ones, or makes them around the port asked for.
func readSettings(port int) (settings, error) {
	if err := os.MkdirAll(filepath.Join(folder, "mails"), 0o700); err != nil {
		return settings{}, fmt.Errorf("make the demo's folder: %w", err)
	}
	path := filepath.Join(folder, "settings.json")
	kept, err := os.ReadFile(path)
	var s settings
	switch {
	case err == nil:
		if err := json.Unmarshal(kept, &s); err != nil {
			return s, fmt.Errorf("read %s: %w", path, err)
		}
		if port == 0 || port == s.Portal {
			return s, nil
		}
	case !errors.Is(err, fs.ErrNotExist):
		return s, fmt.Errorf("read the demo's settings: %w", err)
	default:
		s.Secret, s.Client = random(), random()
	}
	if port == 0 {
		port = 8080
	}
	s.Portal, s.Provider, s.Reader, s.SMTP = port, port+1, port+2, port+3
	b, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		return s, fmt.Errorf("keep the demo's settings: %w", err)
	}
	return s, nil
}

func random() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.StdEncoding.EncodeToString(b)
}

// listen opens a port of the demo on loopback.
func listen(port int) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("port %d is taken; the demo needs four in a row, choose others with: make run PORT=9000", port)
	}
	return l, nil
}

// local is an address on this machine. The portal is 127.0.0.1 and the others
// are localhost, because cookies do not know ports.
func local(host string, port int) string { return "http://" + host + ":" + strconv.Itoa(port) }
