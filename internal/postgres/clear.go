package postgres

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ClearError says that a database would be reached over a network without a proof
// of who answers.
type ClearError struct{ Host string }

func (e *ClearError) Error() string {
	return fmt.Sprintf("DATABASE_URL leads to %s without sslmode=verify-full: what is sent could be read, and anybody could answer. "+
		"Add sslmode=verify-full (and sslrootcert=FILE for an authority of your own); PETSCHAFT_DATABASE_TLS=off lifts this where the network is trusted", e.Host)
}

// Verified returns a ClearError when url leads to another machine by a way on
// which the server need not prove its name, and what is wrong with url itself.
func Verified(url string) error {
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("read database url: %w", err)
	}
	return verified(&c.ConnConfig.Config)
}

// verified looks at every way: sslmode=prefer, for one, has a second one in clear.
func verified(c *pgconn.Config) error {
	ways := append([]*pgconn.FallbackConfig{{Host: c.Host, Port: c.Port, TLSConfig: c.TLSConfig}}, c.Fallbacks...)
	for _, w := range ways {
		if !here(w.Host) && (w.TLSConfig == nil || w.TLSConfig.InsecureSkipVerify) {
			return &ClearError{w.Host}
		}
	}
	return nil
}

// here tells whether host is a socket or this machine itself.
func here(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "" || host == "localhost" || strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || err == nil && a.IsLoopback()
}
