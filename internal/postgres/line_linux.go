package postgres

import (
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// control bounds how long sent bytes may wait for their acknowledgement (RFC
// 5482; tcp(7), TCP_USER_TIMEOUT): keepalive alone asks idle peers only.
func control(network, _ string, c syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	var set error
	err := c.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unheard.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return set
}
