package pki

import (
	"encoding/asn1"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// The tags of strings that encoding/asn1 does not name.
const (
	tagVisible   = 26
	tagUniversal = 28
)

// decodeText is the text of a string of the ASN.1 type with that tag; ok is
// false where it is none. It does not ask whether the type allows the
// characters: openssl and others write underscores, "@" and umlauts into a
// PrintableString. Bytes that are no UTF-8 are taken for ISO 8859-1, which is
// what a T61String holds in practice.
func decodeText(tag int, b []byte) (text string, ok bool) {
	switch tag {
	case asn1.TagUTF8String, asn1.TagPrintableString, asn1.TagIA5String, asn1.TagNumericString, asn1.TagT61String, tagVisible:
		if utf8.Valid(b) {
			return string(b), true
		}
		runes := make([]rune, len(b))
		for i, c := range b {
			runes[i] = rune(c)
		}
		return string(runes), true
	case asn1.TagBMPString:
		units := make([]uint16, len(b)/2)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(b[2*i:])
		}
		return string(utf16.Decode(units)), true
	case tagUniversal:
		runes := make([]rune, len(b)/4)
		for i := range runes {
			runes[i] = rune(binary.BigEndian.Uint32(b[4*i:]))
		}
		return string(runes), true
	}
	return "", false
}

// plainText is the text of v, "" of what is none.
func plainText(v asn1.RawValue) string {
	if v.Class != asn1.ClassUniversal || v.IsCompound {
		return ""
	}
	text, _ := decodeText(v.Tag, v.Bytes)
	return text
}
