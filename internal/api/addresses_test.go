package api_test

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"petschaft/internal/mailbox"
	"petschaft/internal/trial"
)

// shown is what of a row's answer tests look at.
type shown struct {
	ID        int64
	Kind      string
	Name      string
	Primary   string
	Aliases   []string
	Applicant *string
	Comment   string
	Active    bool
	Status    string
}

type list struct{ Addresses []shown }

func (a answer) row(t *testing.T) (s shown) { t.Helper(); a.to(t, &s); return s }

func (a answer) names(t *testing.T) (names []string) {
	t.Helper()
	var l list
	a.to(t, &l)
	for _, s := range l.Addresses {
		names = append(names, strings.TrimPrefix(s.Name, "Name of "))
	}
	return names
}

var linkTo = regexp.MustCompile(`<([^>]+)>; rel="([a-z]+)"`)

// links are the pages beside an answer, by their relation.
func (r *rig) links(a answer) map[string]string {
	all := map[string]string{}
	for _, m := range linkTo.FindAllStringSubmatch(a.header.Get("Link"), -1) {
		path, ours := strings.CutPrefix(m[1], r.base+"/api/v1")
		if !ours {
			r.t.Errorf("a link leads elsewhere: %s", m[1])
		}
		all[m[2]] = path
	}
	return all
}

func TestAListIsReadPageByPageByItsLinks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora")
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		r.row(name)
	}
	a := r.call("GET", uni+"/addresses?limit=2&sort=-primary&status=none", token, nil)
	if got, want := r.links(a), []string{"next"}; len(got) != 1 || got["next"] == "" {
		t.Errorf("the first page leads to %v, want %v", got, want)
	}
	var seen [][]string
	for next := r.links(a)["next"]; ; {
		seen = append(seen, a.names(t))
		if next == "" {
			break
		}
		if q := trial.Must(url.Parse(next)).Query(); q.Get("limit") != "2" || q.Get("sort") != "-primary" || q.Get("status") != "none" {
			t.Errorf("a link forgets what was asked: %s", next)
		}
		a = r.call("GET", next, token, nil)
		wants(t, a, 200)
		next = r.links(a)["next"]
	}
	if want := [][]string{{"e", "d"}, {"c", "b"}, {"a"}}; !cmp.Equal(seen, want) {
		t.Errorf("got the pages %v, want %v", seen, want)
	}
	back := r.links(a)
	if got, want := r.call("GET", back["prev"], token, nil).names(t), []string{"c", "b"}; !cmp.Equal(got, want) {
		t.Errorf("one page back: got %v, want %v", got, want)
	}
	if got, want := r.call("GET", back["first"], token, nil).names(t), []string{"e", "d"}; !cmp.Equal(got, want) {
		t.Errorf("the first page: got %v, want %v", got, want)
	}
}

func TestAListTakesTheFiltersOfThePage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	op, _ := r.contract.operation("GET", uni+"/addresses")
	enum := func(name string) (values []string) {
		for _, p := range op["parameters"].([]any) {
			p := p.(map[string]any)
			if p["name"] == name {
				for _, v := range p["schema"].(map[string]any)["enum"].([]any) {
					values = append(values, v.(string))
				}
			}
		}
		return values
	}
	var statuses, sorts []string
	for _, s := range mailbox.Statuses {
		statuses = append(statuses, string(s))
	}
	for _, s := range []mailbox.Sort{mailbox.ByName, mailbox.ByPrimary, mailbox.ByStatus, mailbox.ByEnd, mailbox.ByComment} {
		sorts = append(sorts, string(s), "-"+string(s))
	}
	if got := enum("status"); !cmp.Equal(got, statuses) {
		t.Errorf("got the states %v, want %v", got, statuses)
	}
	if got := enum("sort"); !cmp.Equal(got, sorts) {
		t.Errorf("got the orders %v, want %v", got, sorts)
	}
	token := r.tokenOf("nora")
	r.row("ada")
	trial.Must(0, r.Mailbox.Deactivate(t.Context(), r.actors["nora"], "uni.example", r.row("bob")))
	for query, want := range map[string][]string{"?status=inactive": {"bob"}, "?q=AD": {"ada"}, "?q=nobody": nil, "?sort=-name": {"bob", "ada"}} {
		if got := r.call("GET", uni+"/addresses"+query, token, nil).names(t); !cmp.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", query, got, want)
		}
	}
	trial.Must(r.db.Exec(t.Context(), `insert into address_row (domain, kind, name, primary_address, created, changed)
		select $1, 'personal', 'many', 'many' || i || '@uni.example', now(), now() from generate_series(1, 1001) i`, r.domains["uni.example"]))
	for query, want := range map[string]string{
		"?q=many": "api.many_hits", "?cursor=made-up": "api.cursor", "?limit=201": "api.field.at_most", "?limit=0": "api.field.at_least",
		"?status=lost": "api.field.one_of", "?sort=size": "api.field.one_of", "?order=name": "api.field.unknown",
	} {
		a := r.call("GET", uni+"/addresses"+query, token, nil)
		if a.status != 422 || a.code() != want {
			t.Errorf("%s: got %d %s, want 422 %s: %s", query, a.status, a.code(), want, a.body)
		}
	}
}

func TestAPatchChangesWhatItNames(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora")
	a := r.call("POST", uni+"/addresses", token, map[string]any{
		"kind": "functional", "name": "Prüfungsamt", "primary": "pa@uni.example", "aliases": []string{"exam@uni.example", "x@labor.example"},
		"applicant": "ada@uni.example", "comment": "alt",
	})
	wants(t, a, 201)
	at := strings.TrimPrefix(a.header.Get("Location"), r.base+"/api/v1")
	ada := "ada@uni.example"
	want := shown{a.row(t).ID, "functional", "Prüfungsamt", "pa@uni.example", []string{"exam@uni.example", "x@labor.example"}, &ada, "alt", true, "none"}
	version := 1
	for _, c := range []struct {
		patch string
		then  func(*shown)
		moves int // versions
	}{
		{`{}`, func(*shown) {}, 0},
		{`{"comment": "neu"}`, func(s *shown) { s.Comment = "neu" }, 1},
		{`{"comment": "neu"}`, func(*shown) {}, 0},
		{`{"comment": null}`, func(s *shown) { s.Comment = "" }, 1},
		{`{"aliases": ["exam@uni.example"]}`, func(s *shown) { s.Aliases = s.Aliases[:1] }, 1},
		{`{"aliases": null}`, func(s *shown) { s.Aliases = []string{} }, 1},
		{`{"aliases": []}`, func(*shown) {}, 0},
		{`{"active": true}`, func(*shown) {}, 0},
		{`{"active": false, "name": "Amt", "applicant": null}`, func(s *shown) { s.Active, s.Status, s.Name, s.Applicant = false, "inactive", "Amt", nil }, 2},
		{`{"active": true, "kind": "personal"}`, func(s *shown) { s.Active, s.Status, s.Kind = true, "none", "personal" }, 2},
	} {
		a := r.call("PATCH", at, token, c.patch, "Content-Type", "application/merge-patch+json", "If-Match", fmt.Sprintf(`"v0", "v%d"`, version))
		c.then(&want)
		version += c.moves
		if got := a.row(t); !cmp.Equal(got, want) || a.header.Get("ETag") != fmt.Sprintf(`"v%d"`, version) {
			t.Errorf("%s: got %s with ETag %s, want v%d\n%s", c.patch, a.body, a.header.Get("ETag"), version, cmp.Diff(want, got))
		}
		if got := r.call("GET", at, token, nil).row(t); !cmp.Equal(got, want) {
			t.Errorf("after %s:\n%s", c.patch, cmp.Diff(want, got))
		}
	}
}

func TestAPatchIsAllOrNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token, id := r.tokenOf("nora"), r.row("ada", "alias@uni.example")
	r.row("bob")
	lines := r.scalar(`select count(*) from audit_line where action <> 'api.called'`)
	for _, c := range []struct {
		name, patch, pointer, code string
	}{
		{"a wrong alias keeps the row active", `{"active": false, "aliases": ["no address"]}`, "#/aliases/0", "org.address.form"},
		{"a second alias that is none", `{"aliases": ["a@uni.example", "b"]}`, "#/aliases/1", "org.address.form"},
		{"a row needs a name", `{"name": null, "active": false}`, "#/name", "api.field.missing"},
		{"null is neither active nor inactive", `{"active": null}`, "#/active", "api.field.missing"},
		{"a field has one name", `{"Comment": "neu"}`, "#/Comment", "api.field.unknown"},
		{"an empty name", `{"name": " ", "active": false}`, "#/name", "field.required"},
		{"the primary address never changes", `{"primary": "neu@uni.example"}`, "#/primary", "api.field.unknown"},
		{"status is no field to write", `{"status": "confirmed"}`, "#/status", "api.field.unknown"},
		{"a personal row has no applicant", `{"applicant": "bob@uni.example"}`, "#/applicant", "mailbox.applicant.personal"},
		{"active is true or false", `{"active": "no"}`, "#/active", "api.field.boolean"},
		{"three aliases", `{"aliases": ["a@uni.example", "b@uni.example", "c@uni.example"]}`, "#/aliases", "api.field.items"},
		{"a patch is an object", `[]`, "#", "api.field.object"},
	} {
		a := r.call("PATCH", rowAt(id), token, c.patch, "Content-Type", "application/merge-patch+json")
		var p struct {
			Errors []struct{ Pointer, Code string }
		}
		a.to(t, &p)
		if a.status != 422 || len(p.Errors) != 1 || p.Errors[0].Pointer != c.pointer || p.Errors[0].Code != c.code {
			t.Errorf("%s: got %d %s, want 422 with %s at %s", c.name, a.status, a.body, c.code, c.pointer)
		}
	}
	if got := r.call("GET", rowAt(id), token, nil).header.Get("ETag"); got != `"v1"` {
		t.Errorf("the row is at %s now, want v1", got)
	}
	if n := r.scalar(`select count(*) from audit_line where action <> 'api.called'`); n != lines {
		t.Errorf("refused patches left %d audit lines", n-lines)
	}
}

func TestARowIsFoundByEachOfItsAddresses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora")
	r.row("ada", "alias@uni.example")
	r.svensRow()
	trial.Must(r.Mailbox.Add(t.Context(), r.actors["sven"], "institut.example", mailbox.Input{Kind: mailbox.Personal, Name: "sven", Primary: "sven@institut.example"}))
	for email, want := range map[string][]string{
		"ada@uni.example": {"ada"}, "ALIAS@Uni.Example": {"ada"}, "nobody@uni.example": nil, "sven@institut.example": nil,
	} {
		if got := r.call("GET", "/addresses?email="+url.QueryEscape(email), token, nil).names(t); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", email, got, want)
		}
	}
	for path, want := range map[string]string{"/addresses?email=ada": "org.address.form", "/addresses": "api.field.missing", "/client-certificates?email=": "api.field.missing"} {
		if a := r.call("GET", path, token, nil); a.status != 422 || a.code() != want {
			t.Errorf("%s: got %d %s, want 422 %s", path, a.status, a.body, want)
		}
	}
}

func TestAConflictNamesTheRowThatHasTheAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token := r.tokenOf("nora")
	holder := r.call("POST", uni+"/addresses", token, newRow("ada")).row(t)
	want := fmt.Sprintf("%s/api/v1%s/addresses/%d", r.base, uni, holder.ID)
	type problem struct {
		Row    string
		Errors []struct{ Pointer, Code, Row string }
	}
	var p problem
	r.call("POST", uni+"/addresses", token, newRow("ada")).to(t, &p)
	if len(p.Errors) != 1 || p.Errors[0].Row != want {
		t.Errorf("an address that is there: got %+v, want %s", p, want)
	}
	patch := []string{"Content-Type", "application/merge-patch+json"}
	at := fmt.Sprintf("%s/addresses/%d", uni, holder.ID)
	wants(t, r.call("PATCH", at, token, map[string]any{"aliases": []string{"a@uni.example"}, "active": false}, patch...), 200)
	other := r.call("POST", uni+"/addresses", token, map[string]any{"kind": "personal", "name": "Neu", "primary": "neu@uni.example", "aliases": []string{"a@uni.example"}}).row(t)
	p = problem{}
	r.call("PATCH", at, token, map[string]any{"active": true}, patch...).to(t, &p)
	if want := fmt.Sprintf("%s/api/v1%s/addresses/%d", r.base, uni, other.ID); p.Row != want {
		t.Errorf("activating: got %+v, want %s", p, want)
	}
}
