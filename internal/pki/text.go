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

// plainText is the text of a string of any ASN.1 type, "" of what is none. It
// does not ask whether the type allows the characters: openssl and others write
// underscores, "@" and umlauts into a PrintableString. Bytes that are no UTF-8
// are taken for ISO 8859-1, which is what a T61String holds in practice.
func plainText(v asn1.RawValue) string {
	if v.Class != asn1.ClassUniversal || v.IsCompound {
		return ""
	}
	switch v.Tag {
	case asn1.TagUTF8String, asn1.TagPrintableString, asn1.TagIA5String, asn1.TagNumericString, asn1.TagT61String, tagVisible:
		if utf8.Valid(v.Bytes) {
			return string(v.Bytes)
		}
		runes := make([]rune, len(v.Bytes))
		for i, b := range v.Bytes {
			runes[i] = rune(b)
		}
		return string(runes)
	case asn1.TagBMPString:
		units := make([]uint16, len(v.Bytes)/2)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(v.Bytes[2*i:])
		}
		return string(utf16.Decode(units))
	case tagUniversal:
		runes := make([]rune, len(v.Bytes)/4)
		for i := range runes {
			runes[i] = rune(binary.BigEndian.Uint32(v.Bytes[4*i:]))
		}
		return string(runes)
	}
	return ""
}
