package text_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"petschaft/internal/fault"
	"petschaft/internal/text"
)

func TestJSONIsUTF8(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in, want, id string
		at           int
	}{
		"plain":                      {`{"a":"ü"}`, `{"a":"ü"}`, "", 0},
		"a byte order mark":          {"\xef\xbb\xbf{}", "{}", "", 0},
		"ISO-8859-1":                 {"{\"name\":\"M\xfcller\"}", "", "text.json", 11},
		"UTF-16":                     {"\xff\xfe{\x00}\x00", "", "text.json", 1},
		"a surrogate as bytes":       {"\"\xed\xa0\x80\"", "", "text.json", 2},
		"behind a byte order mark":   {"\xef\xbb\xbf\"\xff\"", "", "text.json", 5},
		"NUL":                        {"\"\x00\"", "", "text.json_escape", 2},
		"an escaped NUL":             {`"\u0000"`, "", "text.json_escape", 2},
		"half a pair":                {`"\ud800"`, "", "text.json_escape", 2},
		"the other half":             {`"x\uDC00"`, "", "text.json_escape", 3},
		"two first halves":           {`"\ud83d\ud83d"`, "", "text.json_escape", 2},
		"a pair":                     {`"\ud83d\ude00"`, `"\ud83d\ude00"`, "", 0},
		"a backslash before the u":   {`"\\ud800"`, `"\\ud800"`, "", 0},
		"three before the u":         {`"\\\ud800"`, "", "text.json_escape", 4},
		"what is no escape":          {`"\ug000`, `"\ug000`, "", 0},
		"a backslash at the end":     {`"\`, `"\`, "", 0},
		"an escape that breaks off":  {`"\u00`, `"\u00`, "", 0},
		"the sign of broken letters": {"\"\ufffd\"", "\"\ufffd\"", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := text.JSON([]byte(c.in))
			if c.id == "" {
				if err != nil || string(got) != c.want {
					t.Errorf("got %q, %v; want %q", got, err, c.want)
				}
				return
			}
			if f := fault.Of(err); f == nil || f.Kind != fault.Invalid || f.ID != c.id || f.Args[1] != c.at {
				t.Errorf("got %v, want %s at byte %d", err, c.id, c.at)
			}
		})
	}
}

func TestAddressesFormsAndHeadersAreTexts(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"/a?b=c": true, "/%C3%BC?q=%C3%BC": true, "/%00": false, "/%ff": false, "/a?b=%00": false, "/a?b=x&b=%fc": false, "/a?%00=b": false, "/a?b=%zz": true,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := text.Address(u); (err == nil) != ok || !ok && fault.Of(err).ID != "text.address" {
			t.Errorf("%s: got %v, want it taken: %v", address, err, ok)
		}
	}
	for body, ok := range map[string]bool{"name=Nora": true, "name=%00": false, "na%ffme=x": false, "name=\xfc": false} {
		r, err := http.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if err := r.ParseForm(); err != nil {
			t.Fatal(err)
		}
		if err := text.Form(r); (err == nil) != ok {
			t.Errorf("form %q: got %v, want it taken: %v", body, err, ok)
		}
	}
	h := http.Header{"User-Agent": {"M\xfcller\x00", "ok"}}
	if text.Headers(h); h["User-Agent"][0] != "Mller" || h["User-Agent"][1] != "ok" {
		t.Errorf("headers: got %q", h)
	}
}

func TestTheFormOfFilesIsText(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{"antrag.csr": true, "M\xfcller.csr": false} {
		body := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + name + "\"\r\n\r\nx\r\n--b--\r\n"
		r, err := http.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
		if err := r.ParseMultipartForm(1 << 10); err != nil {
			t.Fatal(err)
		}
		if err := text.Form(r); (err == nil) != ok {
			t.Errorf("file %q: got %v, want it taken: %v", name, err, ok)
		}
	}
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":"\ud83d\ude00"}`, "\"M\xfcller\"", `"\u0000"`, `"\\\ud800"`, "\xef\xbb\xbf{}", `"\udbff\udfff\udc00"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := text.JSON(b)
		if err != nil {
			return
		}
		var v string
		if json.Unmarshal(out, &v) != nil {
			return
		}
		if !text.Valid(v) {
			t.Errorf("%q was let in and holds %q", b, v)
		}
		if strings.ContainsRune(v, utf8.RuneError) && !strings.ContainsRune(string(out), utf8.RuneError) && !strings.Contains(strings.ToLower(string(out)), `\ufffd`) {
			t.Errorf("%q was let in and became %q", b, v)
		}
	})
}
