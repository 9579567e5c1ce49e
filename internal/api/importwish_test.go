package api_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"petschaft/internal/person"
	"petschaft/internal/trial"
)

func TestAnImportSaysHowTheFileWasUnderstood(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora", person.WriteImports)
	plan := func(query, kind, file string) answer {
		t.Helper()
		trial.Must(r.db.Exec(t.Context(), `update import set state = 'discarded'`)) // one person has few at a time
		return r.call("POST", uni+"/imports"+query, token, file, "Content-Type", kind)
	}
	has := func(a answer, status int, all ...string) {
		t.Helper()
		for _, s := range all {
			if a.status != status || !strings.Contains(string(a.body), s) {
				t.Errorf("got %d and %s\nwant %d and %s", a.status, a.body, status, s)
			}
		}
	}
	has(plan("", "text/csv", "Last name;First Name (given);Room;E-Mail;Type\nM;J;1;j@uni.example;personal\n"), 202,
		`"encoding":"utf-8","separator":"semicolon","header_line":1`, `{"heading":"First Name (given)","field":"first"}`,
		`{"heading":"Room","field":null}`, `"not_understood":["Room"]`)
	has(plan("", "text/csv; charset=ibm850", "Name;Mail;Type\nJ\x81rgen;j@uni.example;personal\n"), 202, `"encoding":"ibm850"`)
	has(plan("?encoding=windows-1252", "text/csv; charset=utf-8", "Name;Mail;Type\nJ\xfcrgen;j@uni.example;personal\n"), 202, `"encoding":"windows-1252"`)
	has(plan("?separator=comma&header_line=3&columns=name,-,primary,kind", "text/csv", "Liste;x\n\nA,B,C,D\nJ,1,j@uni.example,personal\n"), 202,
		`"separator":"comma","header_line":3`, `{"heading":"A","field":"name"},{"heading":"B","field":null},{"heading":"C","field":"primary"}`)
	has(plan("", "text/csv", "a;b\n1;2\n"), http.StatusUnprocessableEntity, `"parameter":"columns"`, `a | b`)
	has(plan("?header_line=9", "text/csv", "Mail;b\n1;2\n"), http.StatusUnprocessableEntity, `"parameter":"header_line"`)
	has(plan("?columns=primary", "text/csv", "Mail;b\n1;2\n"), http.StatusUnprocessableEntity, `"parameter":"columns"`)
	has(plan("?columns=room,b", "text/csv", "Mail;b\n1;2\n"), http.StatusUnprocessableEntity, `api.field.one_of`)
	has(plan("", "text/csv; charset=ebcdic", "Mail;b\n"), http.StatusUnsupportedMediaType, "ebcdic")
	has(plan("", "application/vnd.oasis.opendocument.spreadsheet", "PK\x03\x04"), http.StatusUnprocessableEntity, "sheet.workbook_damaged")
	for name, kind := range map[string]string{
		"excel.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "list.ods": "application/vnd.oasis.opendocument.spreadsheet",
	} {
		book := string(trial.Must(os.ReadFile(filepath.Join("..", "sheet", "testdata", name))))
		has(plan("", kind, book), 202, `"encoding":"workbook","separator":null`, `"field":"primary"`)
	}
	has(plan("", "text/csv", "\x1f\x8b\x08\x00"), http.StatusUnprocessableEntity, "sheet.foreign")
	for _, page := range []string{"preview", "Vorschau"} {
		if a := plan("?columns=primary", "text/csv", "Mail;b\n1;2\n"); strings.Contains(string(a.body), page) {
			t.Errorf("got %s, want words that fit a program", a.body)
		}
	}
}
