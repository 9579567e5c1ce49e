package site_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
	"petschaft/internal/person"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// twins are two portals in the same state: nora uses the pages of one, her
// script the API of the other.
type twins struct {
	t             *testing.T
	pages, api    *sitetest.Rig
	nora          *sitetest.Browser
	token         string
	lines         [2]int64 // audit lines from before
	rows, clients []int64
}

func newTwins(t *testing.T) *twins {
	t.Helper()
	w := &twins{t: t, pages: sitetest.New(t), api: sitetest.New(t)}
	now := w.api.Clock.Now().Add(time.Minute) // after both
	for _, r := range []*sitetest.Rig{w.pages, w.api} {
		r.Clock.Set(now)
		for _, sub := range []string{"ada", "bob"} {
			row := r.LinkRow(sub, sub, sub+".alias@uni.example")
			id := r.Certified(sub, row)
			if r == w.api {
				w.clients = append(w.clients, int64(id))
				w.rows = append(w.rows, int64(row))
			}
		}
		r.Clock.Advance(time.Hour)
	}
	w.nora = w.pages.As("nora")
	r := w.api
	d := trial.Must(r.Org.Domain(t.Context(), r.Actors["nora"], "uni.example"))
	w.token, _ = must2(r.Org.MakeToken(t.Context(), r.Actors["nora"], person.TokenInput{
		Form: "f", Name: "Skript", Domains: []int64{int64(d.ID)}, Verbs: person.DomainVerbs(), Ends: r.Clock.Now().AddDate(0, 6, 0),
	}))
	for i, r := range []*sitetest.Rig{w.pages, w.api} {
		trial.Must(0, r.Pool.QueryRow(t.Context(), `select max(id) from audit_line`).Scan(&w.lines[i]))
	}
	return w
}

func must2[T, U any](v T, u U, err error) (T, U) { return trial.Must(v, err), u }

// call sends the script's request and returns the status.
func (w *twins) call(method, path string, body any, headers ...string) int {
	w.t.Helper()
	var content io.Reader
	if file, ok := body.(string); ok {
		content = strings.NewReader(file)
	} else if body != nil {
		content = bytes.NewReader(trial.Must(json.Marshal(body)))
	}
	req := trial.Must(http.NewRequest(method, w.api.Base+"/api/v1"+path, content))
	req.Header.Set("Authorization", "Bearer "+w.token)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res := trial.Must(http.DefaultClient.Do(req))
	defer res.Body.Close()
	text := trial.Must(io.ReadAll(res.Body))
	if res.StatusCode >= 500 {
		w.t.Errorf("%s %s: %d %s", method, path, res.StatusCode, text)
	}
	return res.StatusCode
}

// random picks one.
func random[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

// randomInput is a row as somebody may type it, right or wrong.
func randomInput(rng *rand.Rand) mailbox.Input {
	address := func() string {
		if rng.IntN(8) == 0 {
			return random(rng, "no address", "y@institut.example", "ada.alias@uni.example")
		}
		return random(rng, "", "", "", fmt.Sprintf("a%d@uni.example", rng.IntN(40)), fmt.Sprintf("A%d@labor.example", rng.IntN(40)))
	}
	in := mailbox.Input{
		Kind: random(rng, mailbox.Personal, mailbox.Personal, mailbox.Functional), Name: random(rng, "Eins", "Zwei", "Drei", "Ada Adler", " "),
		Primary: fmt.Sprintf("%s%d@uni.example", random(rng, "p", "q"), rng.IntN(30)), Aliases: []string{address(), address()},
		Applicant: random(rng, "", "", "bob@uni.example", "e@elsewhere.example"), Comment: random(rng, "", "neu", "bis 30.9."),
		Person: random(rng, mailbox.SamePerson, mailbox.OtherPerson, mailbox.Person("")),
	}
	if in.Kind == mailbox.Personal && rng.IntN(10) > 0 {
		in.Applicant = ""
	}
	return in
}

// filled are the aliases that say something.
func filled(aliases []string) []string {
	some := []string{}
	for _, a := range aliases {
		if a != "" {
			some = append(some, a)
		}
	}
	return some
}

// step does the same random thing to both and says what; same is whether both
// did it, or both refused.
func (w *twins) step(rng *rand.Rand) (what string, same bool) {
	in := randomInput(rng)
	row := random(rng, append([]int64{9999}, w.rows...)...)
	page, path := fmt.Sprintf("/email-domains/uni.example/rows/%d", row), fmt.Sprintf("/email-domains/uni.example/addresses/%d", row)
	var shown, called int
	switch what = random(rng, "add", "add", "edit", "edit", "edit", "deactivate", "activate", "challenges", "challenges", "delete", "revoke", "wait"); what {
	case "wait":
		d := time.Duration(1+rng.IntN(90)) * time.Second
		w.pages.Clock.Advance(d)
		w.api.Clock.Advance(d)
		return what, true
	case "add":
		form := []string{
			"kind", string(in.Kind), "name", in.Name, "primary", in.Primary, "alias1", in.Aliases[0], "alias2", in.Aliases[1],
			"applicant", in.Applicant, "comment", in.Comment,
		}
		shown = w.nora.Post("/email-domains/uni.example/rows", form...).StatusCode
		called = w.call("POST", "/email-domains/uni.example/addresses", map[string]any{
			"kind": in.Kind, "name": in.Name, "primary": in.Primary, "aliases": filled(in.Aliases), "applicant": in.Applicant, "comment": in.Comment,
		})
		w.learn()
	case "edit":
		version := w.version(row) + random(rng, int64(0), 0, 0, 0, 0, -1)
		form := []string{
			"version", strconv.FormatInt(version, 10), "kind", string(in.Kind), "name", in.Name, "alias1", in.Aliases[0], "alias2", in.Aliases[1],
			"applicant", in.Applicant, "comment", in.Comment, "person", string(in.Person),
		}
		shown = w.nora.Post(page+"/edit", form...).StatusCode
		patch := map[string]any{"kind": in.Kind, "name": in.Name, "aliases": filled(in.Aliases), "applicant": in.Applicant, "comment": in.Comment}
		if in.Person != "" {
			patch["person"] = in.Person
		}
		called = w.call("PATCH", path, patch, "If-Match", fmt.Sprintf(`"v%d"`, version))
	case "activate", "deactivate":
		shown = w.nora.Post(page + "/" + what).StatusCode
		called = w.call("PATCH", path, map[string]any{"active": what == "activate"})
		if shown == http.StatusConflict && called == http.StatusOK { // what is so already is no conflict for a patch
			called = shown
		}
	case "challenges":
		shown, called = w.nora.Post(page+"/challenges").StatusCode, w.call("POST", path+"/challenges", nil)
	case "delete":
		shown, called = w.nora.Post(page+"/delete").StatusCode, w.call("DELETE", path, nil)
	case "revoke":
		id := random(rng, w.clients...)
		shown = w.nora.Post(fmt.Sprintf("/client-certificates/%d/revoke", id), "reason", "4").StatusCode
		called = w.call("POST", fmt.Sprintf("/client-certificates/%d/revocation", id), map[string]any{"reason": "superseded"})
	}
	ok := func(status int) bool { return status < 400 }
	return fmt.Sprintf("%s row %d %+v: page %d, API %d", what, row, in, shown, called), ok(shown) == ok(called)
}

func (w *twins) version(row int64) (n int64) {
	_ = w.api.Pool.QueryRow(w.t.Context(), `select version from address_row where id = $1`, row).Scan(&n)
	return n
}

// learn notes the rows there are.
func (w *twins) learn() {
	rows := trial.Must(w.api.Pool.Query(w.t.Context(), `select id from address_row order by id`))
	w.rows = trial.Must(pgx.CollectRows(rows, pgx.RowTo[int64]))
}

// state is everything that the operations write, people by their names, without
// what is random by intention, and without tokens.
func (w *twins) state(i int) string {
	r := []*sitetest.Rig{w.pages, w.api}[i]
	var all strings.Builder
	for _, sql := range []string{
		`select (to_jsonb(x) - 'search')::text from address_row x where $1::bigint > 0 order by id`,
		`select a.place || a.folded || a.row_id || a.active from address a where $1::bigint > 0 order by a.row_id, a.place`,
		`select (to_jsonb(x) - 'started_by')::text || a.name from challenge_round x join account a on a.id = x.started_by where $1::bigint > 0 order by x.id`,
		`select (to_jsonb(x) - 'asked_by' - 'account')::text || a.name from challenge x join account a on a.id = x.asked_by where $1::bigint > 0 order by x.id`,
		`select (to_jsonb(x) - 'account')::text || a.name from link x join account a on a.id = x.account where $1::bigint > 0 order by x.row_id`,
		`select c.id || coalesce(c.revoked::text || c.reason || a.name, '') from certificate c left join account a on a.id = c.revoked_by where $1::bigint > 0 order by c.id`,
		`select k.certificate || coalesce(k.revoked::text, '') from address_certificate k where $1::bigint > 0 order by k.certificate`,
		`select (to_jsonb(x) - 'account' - 'ordered_by' - 'applied_by' - 'ordered_token' - 'file_name')::text from import x where $1::bigint > 0 order by x.id`,
		`select l.action || ' ' || l.at || ' ' || coalesce(a.name, '') || ' ' || l.origin || (coalesce(nullif(l.detail::jsonb, 'null'), '{}') - 'serial' - 'reference' - 'file')::text || (
				select string_agg(b.kind || coalesce(n.name, b.id::text), ' ' order by b.kind, b.id) from audit_about b
				left join account n on b.kind = 'account' and n.id = b.id where b.line = l.id)
			from audit_line l left join account a on a.id = l.account where l.id > $1 and l.action <> 'api.called' order by l.id`,
	} {
		rows := trial.Must(r.Pool.Query(w.t.Context(), sql, w.lines[i]))
		all.WriteString(strings.Join(trial.Must(pgx.CollectRows(rows, pgx.RowTo[string])), "\n") + "\n")
	}
	return all.String()
}

func TestPageAndAPIDoTheSame(t *testing.T) {
	t.Parallel()
	w := newTwins(t)
	seed := rand.Uint64()
	if s := os.Getenv("PETSCHAFT_SEED"); s != "" {
		seed = trial.Must(strconv.ParseUint(s, 10, 64))
	}
	t.Logf("repeat with PETSCHAFT_SEED=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 7))
	done := map[bool]int{}
	if d := cmp.Diff(w.state(0), w.state(1)); d != "" {
		t.Fatalf("they differ before the first step (-page +API):\n%s", d)
	}
	for i := range 300 {
		what, same := w.step(rng)
		if !same {
			t.Fatalf("step %d: one did it and the other did not: %s", i, what)
		}
		if i%10 == 9 || i < 20 {
			if d := cmp.Diff(w.state(0), w.state(1)); d != "" {
				t.Fatalf("step %d, %s: the states differ (-page +API):\n%s", i, what, d)
			}
		}
		done[strings.Contains(what, "API 2")]++
	}
	if done[true] < 75 || done[false] < 50 {
		t.Errorf("%d steps did something and %d did not: the walk says little", done[true], done[false])
	}
	var strange int
	trial.Must(0, w.api.Pool.QueryRow(t.Context(), `select count(*) from audit_line where id > $1 and token is null`, w.lines[1]).Scan(&strange))
	if strange > 0 {
		t.Errorf("%d lines of the script do not name its token", strange)
	}
}

func TestPageAndAPIImportTheSame(t *testing.T) {
	t.Parallel()
	w := newTwins(t)
	w.pages.StartJobs()
	w.api.StartJobs()
	file := "Anzeigename,Primäre E-Mail,Alias 1,Postfachtyp\nAda Adler,ada@uni.example,,persönlich\nNeu,neu@uni.example,n@uni.example,persönlich\n,falsch@uni.example,,persönlich\n"
	at := w.nora.Csv(sitetest.ImportsOfUni, "staff.csv", file).Is(http.StatusSeeOther).To()
	w.nora.Post(at + "/plan").Is(http.StatusSeeOther)
	if got := w.call("POST", sitetest.ImportsOfUni+"?file_name=staff.csv", file, "Content-Type", "text/csv"); got != http.StatusAccepted {
		t.Fatalf("got %d, want 202", got)
	}
	arrives(w.pages, at, imports.Planned)
	arrives(w.api, at, imports.Planned)
	w.nora.Post(at+"/apply", "number", "1").Is(http.StatusSeeOther)
	if got := w.call("POST", at+"/apply", map[string]any{"changed": 1}); got != http.StatusAccepted {
		t.Fatalf("got %d, want 202", got)
	}
	arrives(w.pages, at, imports.Applied)
	arrives(w.api, at, imports.Applied)
	if d := cmp.Diff(w.state(0), w.state(1)); d != "" {
		t.Errorf("the states differ (-page +API):\n%s", d)
	}
}
