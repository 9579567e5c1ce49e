package browser_test

import (
	"strings"
	"testing"

	"petschaft/internal/browser"
)

func TestEveryRequestInABrowserIsRecordedWithItsBody(t *testing.T) {
	t.Parallel()
	site := serve(t, map[string]string{
		"/": head + `<form method="post" enctype="multipart/form-data"><label>Name <input name="name"></label>
		<label>Datei <input type="file" name="file"></label><button>Senden</button></form>
		<button id="ask" type="button">Fragen</button><script src="/ask.js"></script></main>`,
		"/ask.js": `document.getElementById("ask").onclick = async () => {
			await fetch("/?by=fetch", {method: "POST", headers: {"X-Said": "in a header"}, body: "in a body"});
			navigator.sendBeacon("/?by=beacon", "in a beacon");
			document.title = "asked";
		}`,
	})
	p := browser.Open(t, site).Visitor("ada")
	p.Goto(site)
	p.Click("Fragen")
	if got := p.Run(`new Promise((done) => { const look = () => document.title === "asked" ? done(document.title) : setTimeout(look, 10); look(); })`); got != "asked" {
		t.Errorf("got %q", got)
	}
	p.Fill("Name", "in a form")
	p.Press("Senden")
	sent := strings.Join(p.Sent(), "\n")
	for _, want := range []string{"GET " + site + "/", "POST " + site + "/?by=fetch", "X-Said: in a header", "in a body", "in a beacon", "in a form", "Accept-Language: de"} {
		if !strings.Contains(sent, want) {
			t.Errorf("%q is not among what was sent:\n%s", want, sent)
		}
	}
}

func TestWhatAPageInABrowserSavesIsADownload(t *testing.T) {
	t.Parallel()
	site := serve(t, map[string]string{
		"/": head + `<button id="save" type="button">Sichern</button><script src="/save.js"></script></main>`,
		"/save.js": `document.getElementById("save").onclick = () => {
			const link = document.createElement("a");
			link.href = URL.createObjectURL(new Blob([Uint8Array.of(1, 2, 255)]));
			link.download = "drei.bin";
			link.click();
		}`,
	})
	p := browser.Open(t, site).Visitor("ada")
	p.Goto(site)
	for range 2 {
		if file, content := p.Download("Sichern"); file != "drei.bin" || string(content) != "\x01\x02\xff" {
			t.Errorf("got %q with %x, want drei.bin with 0102ff", file, content)
		}
	}
}
