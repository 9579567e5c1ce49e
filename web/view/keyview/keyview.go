// Package keyview is the pages about keys that fell into other hands and about
// certificates that somebody reported: those of registration officers, and those that
// need no sign-in. It shows what was decided.
package keyview
