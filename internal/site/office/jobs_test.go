package office_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// TestEveryJobHasWords: who reads of a job that failed reads words, not its kind.
func TestEveryJobHasWords(t *testing.T) {
	t.Parallel()
	kinds := jobKinds(t)
	if len(kinds) < 20 {
		t.Fatalf("got the kinds %q, want those of all rooms", kinds)
	}
	r := sitetest.New(t)
	rita := r.As("rita")
	for _, kind := range kinds {
		trial.Must(r.Pool.Exec(t.Context(), `insert into river_job (kind, args, state, attempt, max_attempts, finalized_at, errors)
			values ($1, '{}', 'discarded', 3, 3, now(), array['{"at": "2026-11-22T09:00:00Z", "attempt": 3, "error": "boom", "trace": ""}'::jsonb])`, kind))
	}
	for _, rita.Lang = range []string{"de", "en"} {
		at := rita.Get("/office/mail").Is(http.StatusOK).Lacks(kinds...)
		if n := strings.Count(at.Content, "boom"); n != len(kinds) {
			t.Errorf("%s: got %d failed jobs, want %d", rita.Lang, n, len(kinds))
		}
	}
}

// jobKinds are the kinds that the rooms give to River's workers.
func jobKinds(t *testing.T) (kinds []string) {
	t.Helper()
	for _, file := range trial.Must(filepath.Glob("../../*/*.go")) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, d := range trial.Must(parser.ParseFile(token.NewFileSet(), file, nil, 0)).Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || f.Name.Name != "Kind" || fmt.Sprint(f.Type.Results.List[0].Type) != "string" {
				continue
			}
			kind, ok := f.Body.List[0].(*ast.ReturnStmt).Results[0].(*ast.BasicLit)
			if !ok {
				t.Fatalf("%s: a kind of job is not a literal", file)
			}
			kinds = append(kinds, trial.Must(strconv.Unquote(kind.Value)))
		}
	}
	return kinds
}
