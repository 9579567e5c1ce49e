package browser

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Narrowest is the width that every page must fit (WCAG 2.2, 1.4.10).
const Narrowest = 320

// Look judges the page as people see it, narrow and wide, light and dark, and
// leaves pictures called name. It fails the test where the page is wider than
// the window, and for what axe-core finds. Width changes what stands where and
// the scheme changes the colours of it all, so axe-core is asked about one pair
// of each, narrow in the light and wide in the dark; all four are in pictures.
// It is asked about pages with something in them that it was not yet asked
// about in this process: another row or another word are not looked at again.
func (p *Page) Look(name string) {
	p.t.Helper()
	fresh := p.script && p.fresh() // axe-core is a script
	for _, s := range []struct {
		width                   int64
		dark, fits, asked, kept bool
	}{
		{width: Narrowest, fits: true},
		{width: 360, fits: true, asked: true, kept: true},
		{width: 360, dark: true, kept: true},
		{width: 768, fits: true},
		{width: 1400, kept: true},
		{width: 1400, dark: true, fits: true, asked: true, kept: true},
	} {
		if !s.fits && !pictures() {
			continue
		}
		scheme := "light"
		if s.dark {
			scheme = "dark"
		}
		p.shape(s.width, s.dark)
		if s.fits {
			p.fits(name, s.width)
		}
		if s.asked && fresh {
			p.axe(fmt.Sprintf("%s, %d pixels, %s", name, s.width, scheme))
		}
		if !s.kept {
			continue
		}
		if _, err := p.shoot(fmt.Sprintf("%s-%d-%s", plain(name), s.width, scheme)); err != nil {
			p.fatalf("take a picture: %v", err)
		}
	}
	p.shape(p.width, false)
}

// fits fails when the page must be scrolled sideways, or, in a wide window, when
// something inside it must, and names who sticks out.
func (p *Page) fits(name string, width int64) {
	p.t.Helper()
	const wide = `(() => {
		const call = (e) => e.tagName.toLowerCase() + (e.className ? "." + e.className : "");
		const all = Array.from(document.querySelectorAll("body *"));
		const most = document.documentElement.clientWidth;
		const cut = most < 1200 ? [] : all.filter((e) => ["auto", "scroll"].includes(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth);
		if (document.documentElement.scrollWidth <= most && cut.length === 0) return "";
		const out = all.filter((e) => e.getBoundingClientRect().right > most + 0.5 || e.getBoundingClientRect().left + e.scrollWidth > most + 0.5);
		return cut.concat(out).slice(0, 5).map(call).join(", ") || "something";
	})()`
	var out string
	p.do("measure the page", chromedp.Evaluate(wide, &out))
	if out != "" {
		p.t.Errorf("%s: %s sticks out of a window of %d pixels", name, out, width)
	}
}

// Picture is the whole page as a PNG.
func (p *Page) Picture() []byte {
	p.t.Helper()
	png, err := p.picture(false)
	if err != nil {
		p.fatalf("take a picture: %v", err)
	}
	return png
}

// picture is large if quick.
func (p *Page) picture(quick bool) (png []byte, err error) {
	err = p.try(chromedp.ActionFunc(func(ctx context.Context) error {
		_, _, _, _, _, size, err := page.GetLayoutMetrics().Do(ctx)
		if err != nil {
			return err
		}
		png, err = page.CaptureScreenshot().WithCaptureBeyondViewport(true).WithOptimizeForSpeed(quick).
			WithClip(&page.Viewport{Width: size.Width, Height: math.Max(size.Height, 1), Scale: 1}).Do(ctx)
		return err
	}))
	return png, err
}

// pictures tells whether somebody wants to see any.
func pictures() bool { return os.Getenv("PETSCHAFT_SCREENS") != "none" }

// shoot writes a picture to the folder of pictures and returns its path. With
// PETSCHAFT_SCREENS=none, for machines where nobody looks, there is none.
func (p *Page) shoot(name string) (string, error) {
	if !pictures() {
		return "none was wanted", nil
	}
	png, err := p.picture(true)
	if err != nil {
		return "", err
	}
	folder, err := screens()
	if err != nil {
		return "", err
	}
	file := filepath.Join(folder, name+".png")
	return file, os.WriteFile(file, png, 0o644)
}

// screens is the folder of pictures: PETSCHAFT_SCREENS, else out/screens of the
// tree.
func screens() (string, error) {
	folder := os.Getenv("PETSCHAFT_SCREENS")
	if folder == "" {
		root, err := Root()
		if err != nil {
			return "", err
		}
		folder = filepath.Join(root, "out", "screens")
	}
	return folder, os.MkdirAll(folder, 0o755)
}

// Root is the top of the tree, where go.mod lies.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
}

// plain is s as a part of a file's name.
func plain(s string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return '-'
	}, s), "-")
}
