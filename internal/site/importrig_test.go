package site_test

import (
	"strings"

	"petschaft/internal/imports"
	"petschaft/internal/trial"
)

// imported is an import of nora's, as far as the page of the matrix wants it:
// with a plan, applied, or just uploaded.
func (r *matrixRig) imported(pattern string) imports.ID {
	r.T.Helper()
	n := trial.Must(r.Imports.Upload(r.T.Context(), r.Actors["nora"], "uni.example", "liste.csv",
		strings.NewReader("Anzeigename;Primäre E-Mail;Postfachtyp\r\nMuster, Max;max.muster@uni.example;persönlich\r\n")))
	state := ""
	switch {
	case strings.HasSuffix(pattern, "/apply"), strings.HasSuffix(pattern, "/faults.csv"), strings.HasSuffix(pattern, "/missing"):
		state = "planned"
	case strings.HasSuffix(pattern, "/undo"):
		state = "applied"
	}
	if state != "" {
		trial.Must(r.Pool.Exec(r.T.Context(), `update import set state = $2::text, new = 1, faulty = 1, planned = $3::timestamptz,
			applied = case $2::text when 'applied' then $3::timestamptz end, applied_by = case $2::text when 'applied' then $4::bigint end where id = $1`,
			n, state, r.Clock.Now(), r.Actors["nora"].Account))
	}
	return n
}
