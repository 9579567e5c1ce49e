package idp

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"
)

// session is one sign-in of one person at one client. Its secrets are stored
// as hashes only, so the state file opens nothing.
type session struct {
	ID       string // the claim sid
	Sub      string
	Client   string
	Scope    []string
	AuthTime time.Time
	ACR      string // what the sign-in reached; "": nothing was asked, or not reached
	Cookie   string // hash of the browser's cookie
	Refresh  string // hash of the refresh token; "" without offline_access
}

// grant is a code on its way from the browser to the token endpoint.
type grant struct {
	session   session
	redirect  string
	challenge string
	nonce     string
	ends      time.Time
	used      bool
}

func secret() (plain, hash string) {
	plain = rand.Text()
	return plain, hashed(plain)
}

func hashed(plain string) string {
	sum := sha256.Sum256([]byte(plain))
	return hex.EncodeToString(sum[:])
}

// issueCode stores g and returns its code.
func (p *Provider) issueCode(g grant) string {
	code, hash := secret()
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	maps.DeleteFunc(p.codes, func(_ string, g *grant) bool { return g.ends.Before(now) })
	g.ends = now.Add(codeLife)
	p.codes[hash] = &g
	return code
}

// takeCode hands out the grant of a code once, whatever the client then does
// wrong with it. A second try ends the session that the first one began
// (RFC 6749, 4.1.2).
func (p *Provider) takeCode(code, client string) (grant, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g, ok := p.codes[hashed(code)]
	if !ok || g.session.Client != client || g.ends.Before(p.now()) {
		return grant{}, errors.New("unknown or expired code")
	}
	if g.used {
		delete(p.sessions, g.session.ID)
		return grant{}, errors.Join(errors.New("this code was used before"), p.writeState())
	}
	g.used = true
	return *g, nil
}

func (p *Provider) keep(s session) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	oldest := p.now().Add(-sessionLife)
	maps.DeleteFunc(p.sessions, func(_ string, s session) bool { return s.AuthTime.Before(oldest) })
	p.sessions[s.ID] = s
	return p.writeState()
}

// renew is keep for a session that must still be there.
func (p *Provider) renew(s session) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.sessions[s.ID]; !ok {
		return errors.New("the session has ended")
	}
	p.sessions[s.ID] = s
	return p.writeState()
}

func (p *Provider) end(sid string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.sessions[sid]; !ok {
		return nil
	}
	delete(p.sessions, sid)
	return p.writeState()
}

// find returns the living session that matches.
func (p *Provider) find(matches func(session) bool) (session, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	oldest := p.now().Add(-sessionLife)
	for _, s := range p.sessions {
		if matches(s) && !s.AuthTime.Before(oldest) {
			return s, true
		}
	}
	return session{}, false
}

func (p *Provider) readState() error {
	if p.stateFile == "" {
		return nil
	}
	text, err := os.ReadFile(p.stateFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read sessions: %w", err)
	}
	var all []session
	if err := json.Unmarshal(text, &all); err != nil {
		return fmt.Errorf("read sessions from %s: %w", p.stateFile, err)
	}
	for _, s := range all {
		p.sessions[s.ID] = s
	}
	return nil
}

// writeState needs the lock.
func (p *Provider) writeState() error {
	if p.stateFile == "" {
		return nil
	}
	text, err := json.Marshal(slices.Collect(maps.Values(p.sessions)))
	if err == nil {
		err = replaceFile(p.stateFile, text)
	}
	if err != nil {
		return fmt.Errorf("write sessions: %w", err)
	}
	return nil
}
