// Package pki reads and makes the bytes of public key infrastructure: requests,
// public keys, certificates, chains and revocation lists. It decides which key
// is good enough, what a profile puts into a certificate, and whether an answer
// of an authority is what was asked for. Of a request nothing but its public key
// ever reaches a certificate. It is pure: no database, no network, no clock, and
// it never stores, logs or repeats what it was given; addresses and names come
// to it in their canonical form, whose rules belong to other rooms.
package pki
