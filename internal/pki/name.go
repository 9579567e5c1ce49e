package pki

import (
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// namePart is an attribute of a distinguished name.
type namePart struct {
	oid  asn1.ObjectIdentifier
	text string
	odd  bool // its text is not as RFC 5280, 4.1.2.4 wants it
}

var errName = errors.New("the distinguished name is damaged")

// readName reads a DER distinguished name, its text as OpenSSL does: characters
// that a type of string does not have are read all the same.
func readName(der []byte) (all []namePart, err error) {
	in := cryptobyte.String(der)
	var name, set, pair, value cryptobyte.String
	if !in.ReadASN1(&name, tag.SEQUENCE) || !in.Empty() {
		return nil, errName
	}
	for !name.Empty() {
		if !name.ReadASN1(&set, tag.SET) {
			return nil, errName
		}
		for !set.Empty() {
			var p namePart
			var kind tag.Tag
			if !set.ReadASN1(&pair, tag.SEQUENCE) || !pair.ReadASN1ObjectIdentifier(&p.oid) || !pair.ReadAnyASN1(&value, &kind) || !pair.Empty() {
				return nil, errName
			}
			p.text, p.odd = readText(kind, value)
			all = append(all, p)
		}
	}
	return all, nil
}

// readText reads a DirectoryString or IA5String; odd tells that its type is no
// longer used or lacks a character of it. What is no text is shown in
// hexadecimal (RFC 4514, 2.4).
func readText(kind tag.Tag, b []byte) (text string, odd bool) {
	text, ok := decodeText(int(kind), b)
	if !ok {
		return "#" + hex.EncodeToString(b), true
	}
	switch kind {
	case tag.UTF8String:
		return text, !utf8.Valid(b)
	case tag.PrintableString:
		return text, strings.ContainsFunc(text, func(r rune) bool { return !isPrintable(r) })
	case tag.IA5String, asn1.TagNumericString, tagVisible:
		return text, strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf })
	}
	return text, true
}

func isPrintable(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(" '()+,-./:=?", r)
}
