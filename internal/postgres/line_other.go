//go:build !linux

package postgres

import "syscall"

// control has nothing to set: only Linux has TCP_USER_TIMEOUT.
func control(string, string, syscall.RawConn) error { return nil }
