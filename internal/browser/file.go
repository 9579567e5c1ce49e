package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Scripts tells whether scripts are on in this window.
func (p *Page) Scripts() bool { return p.script }

// Attach chooses a file with the content in the field called name.
func (p *Page) Attach(name, file string, content []byte) {
	p.t.Helper()
	path := filepath.Join(p.t.TempDir(), file)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		p.fatalf("write %s: %v", file, err)
	}
	// Chromium calls the control for files a button.
	x := p.one("", name, button)
	p.do(fmt.Sprintf("attach %q", name), dom.SetFileInputFiles([]string{path}).WithBackendNodeID(x.BackendNodeID))
}

// Drag drops a file with the text onto the field for files called name, as from
// a folder of the machine.
func (p *Page) Drag(name, file, text string) {
	p.t.Helper()
	both, err := json.Marshal([2]string{file, text})
	if err != nil {
		p.fatalf("drag %s: %v", file, err)
	}
	p.call(p.one("", name, button), `function (argument) {
		const [file, text] = JSON.parse(argument);
		const dataTransfer = new DataTransfer();
		dataTransfer.items.add(new File([text], file, { type: "text/csv" }));
		for (const kind of ["dragenter", "dragover", "drop"]) {
			this.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
		}
		return "";
	}`, string(both))
}

// Value is what stands in the field called name.
func (p *Page) Value(name string) string {
	p.t.Helper()
	return p.call(p.one("", name, typing, seeking), `function () { return this.value; }`, "")
}

// HTML is the source of the page as it is now.
func (p *Page) HTML() string {
	p.t.Helper()
	var html string
	p.do("read the source", chromedp.Evaluate("document.documentElement.outerHTML", &html))
	return html
}

// Save is the file behind the link called name, fetched with the cookies of the
// window.
func (p *Page) Save(name string) []byte {
	p.t.Helper()
	address := p.call(p.one("", name, link), `function () { return this.href; }`, "")
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		p.fatalf("save %q: %v", name, err)
	}
	var cookies []*network.Cookie
	p.do("read the cookies", chromedp.ActionFunc(func(ctx context.Context) (err error) {
		cookies, err = network.GetCookies().WithURLs([]string{address}).Do(ctx)
		return err
	}))
	for _, c := range cookies {
		req.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.fatalf("save %q: %v", name, err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		p.fatalf("save %q: got %s, %v", name, res.Status, err)
	}
	return content
}
