package earlier

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"petschaft/internal/fault"
	"petschaft/internal/org"
	"petschaft/internal/sheet"
	"petschaft/internal/text"
)

// ownerColumns are the words over the columns of an owners' file, in lower case
// and without anything but letters.
var ownerColumns = map[string][]string{
	"fingerprint":  {"fingerprint", "fingerprintsha", "sha", "fingerabdruck", "fingerabdrucksha"},
	"serial":       {"serial", "serialnumber", "serialno", "seriennummer", "seriennr"},
	"address":      {"address", "adresse", "email", "emailaddress", "emailadresse", "mail", "primaryemail", "primaereemail", "row", "zeile"},
	"holder":       {"holder", "inhaber", "inhaberin", "account", "konto", "owner", "user", "username", "benutzer", "benutzername", "person"},
	"organisation": {"organisation", "organization", "einrichtung", "institution"},
}

// letters is s in lower case without anything else, umlauts spelled out.
func letters(s string) string {
	s = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss").Replace(strings.ToLower(s))
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r
		}
		return -1
	}, s)
}

// ownersDepth is how many lines of an owners' file are looked at for the names
// of its columns.
const ownersDepth = 20

// ownersReader reads an owners' file, a text or a workbook.
func ownersReader(file []byte) (open func() *sheet.Reader, err error) {
	if why := sheet.Foreign(file[:min(len(file), sheet.HeadBytes)]); why != "" {
		return nil, ownersWrong(why)
	}
	f := sheet.Sniff(file)
	if sheet.IsWorkbook(file) {
		var text bytes.Buffer
		if err := sheet.Unpack(&text, bytes.NewReader(file), int64(len(file))); err != nil {
			return nil, ownersFault(err)
		}
		file, f = text.Bytes(), sheet.Format{Encoding: sheet.Workbook, Separator: ';'}
	}
	return func() *sheet.Reader { return sheet.NewReader(bytes.NewReader(file), f) }, nil
}

// namedColumns are the columns that a line names.
func namedColumns(cells []string) map[string]int {
	at := map[string]int{}
	for i, h := range cells {
		for column, words := range ownerColumns {
			if _, twice := at[column]; !twice && slices.Contains(words, letters(h)) {
				at[column] = i
			}
		}
	}
	return at
}

// ownersHead is the line that names the columns, the first that names one by
// which a certificate is meant, and where these are.
func ownersHead(r *sheet.Reader) (line int, at map[string]int, err error) {
	top, err := r.Top(ownersDepth)
	if err != nil {
		return 0, nil, ownersFault(err)
	}
	for _, rec := range top {
		at := namedColumns(rec.Cells)
		if slices.ContainsFunc([]string{"fingerprint", "serial", "address"}, func(c string) bool { _, ok := at[c]; return ok }) {
			return rec.Line, at, nil
		}
	}
	return 0, nil, ownersWrong("cert.import.owners_columns")
}

// own puts what an owners' file says into the lines. Its heading names the
// columns; a certificate is meant by fingerprint, else by serial number, else by
// an address that it names. A line of the file that means none becomes a faulty
// line of the plan.
func own(lines []uploaded, file []byte) ([]uploaded, error) {
	open, err := ownersReader(file)
	if err != nil {
		return nil, err
	}
	line, at, err := ownersHead(open())
	if err != nil {
		return nil, err
	}
	r := open()
	if _, err := r.Header(line); err != nil {
		return nil, ownersFault(err)
	}
	certificates := len(lines)
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, ownersFault(err)
		}
		said := func(column string, most int) string {
			if i, ok := at[column]; ok && i < len(record.Cells) {
				s := text.Line(record.Cells[i])
				return string([]rune(s)[:min(len([]rune(s)), most)])
			}
			return ""
		}
		o := Owner{Address: said("address", 254), Holder: said("holder", 254), Organisation: said("organisation", 150)}
		meant := meant(lines[:certificates], said("fingerprint", 200), said("serial", 200), o.Address)
		for _, i := range meant {
			lines[i].Owner = o
		}
		if len(meant) == 0 {
			if lines = append(lines, uploaded{source: fmt.Sprintf("CSV #%d", record.Line), der: []byte{}, fault: "cert.import.no_certificate", Owner: o}); len(lines) > 2*MostCertificates {
				return nil, ownersWrong("cert.import.owners_many", "max", MostCertificates)
			}
		}
	}
}

// meant are the lines that a line of an owners' file is about.
func meant(lines []uploaded, fingerprint, serial, address string) (all []int) {
	bare := func(s string) string {
		return strings.TrimLeft(strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(s)), "0")
	}
	for i, l := range lines {
		sum := sha256.Sum256(l.der)
		var is bool
		switch {
		case fingerprint != "":
			is = bare(fingerprint) == bare(hex.EncodeToString(sum[:]))
		case serial != "":
			is = len(l.Serial) > 0 && (bare(serial) == bare(hex.EncodeToString(l.Serial)) || serial == l.SerialDecimal())
		case address != "":
			is = slices.ContainsFunc(l.Emails, func(e string) bool { return org.Address(e).Folded() == org.Address(address).Folded() })
		}
		if is {
			all = append(all, i)
		}
	}
	return all
}

func ownersWrong(id string, args ...any) error {
	var bad fault.Fields
	bad.Add("owners", id, args...)
	return bad.Err()
}

// ownersFault is what is wrong with the file, beside its field.
func ownersFault(err error) error {
	if errors.Is(err, io.EOF) {
		return ownersWrong("cert.import.owners_columns")
	}
	if f := fault.Of(err); f.Kind != fault.Internal {
		return ownersWrong(f.ID, f.Args...)
	}
	return err
}
