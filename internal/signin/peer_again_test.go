package signin

import (
	"net/url"
	"strconv"
	"strings"
	"testing"

	"petschaft/internal/lane"
)

// ago is a sign-in at the provider of 20 minutes ago.
const ago = "1200"

// silent keeps the provider from saying when somebody signed in.
func (f *foreign) silent(on bool) {
	f.browser().get(f.issuer + "/test/silent?on=" + strconv.FormatBool(on))
}

func TestPeerOIDCProviderMakesASignInFresh(t *testing.T) {
	t.Parallel()
	lane.Peer(t, "node")
	f := newForeign(t, false)
	b := f.browser()
	b.get(f.answered(b, b.begin("/"), url.Values{"as": {ada().Sub}, "ago": {ago}}).String())
	b.mustBe(ada().Name, "signed in")
	b.fresh(false, "the provider says when only where it was asked")

	at := b.again(Fresh)
	wantAsked(t, at, map[string]string{"max_age": "0"})
	if asks := b.get(at.String()).to(t); !strings.HasPrefix(asks.Path, "/interaction/") {
		t.Errorf("got sent to %s, want that the provider asks for the person, who is signed in there", asks)
	}
	if to := b.get(f.answered(b, b.again(Fresh), url.Values{"as": {ada().Sub}}).String()).to(t).Path; to != "/form" {
		t.Errorf("got led to %s, want to what was asked for", to)
	}
	b.fresh(true, "signed in again")
}

// What a provider says that is not fresh is asked for once more, and then refused.
func TestPeerOIDCProviderIsPressed(t *testing.T) {
	t.Parallel()
	lane.Peer(t, "node")
	for what, silent := range map[string]bool{"it says too long ago": false, "it does not say when": true} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			f := newForeign(t, false)
			f.silent(silent)
			b := f.browser()
			f.enter(b, ada().Sub)
			stale := url.Values{"as": {ada().Sub}, "ago": {ago}}
			more := b.get(f.answered(b, b.again(Fresh), stale).String()).to(t)
			wantAsked(t, more, map[string]string{"max_age": "0", "prompt": "login"})
			wantFault(t, b.get(f.answered(b, more, stale).String()), "denied signin.not_fresh")
			b.fresh(false, "refused")
			b.mustBe(ada().Name, "signed in as before")
			f.silent(false)
			more = b.get(f.answered(b, b.again(Fresh), stale).String()).to(t)
			if to := b.get(f.answered(b, more, url.Values{"as": {ada().Sub}}).String()).to(t).Path; to != "/form" {
				t.Errorf("got led to %s, want to what was asked for", to)
			}
			b.fresh(true, "it says so in the end")
		})
	}
}

func TestPeerOIDCProviderReachesWhatAnOfficersSignInMust(t *testing.T) {
	t.Parallel()
	lane.Peer(t, "node")
	f := newForeign(t, false, func(c *Config) { c.ACR = []string{"two"} })
	b := f.browser()
	b.get(f.answered(b, b.begin("/"), url.Values{"as": {ada().Sub}, "acr": {"one"}}).String())
	b.officer(false, true, "signed in with less")

	more := b.get(f.answered(b, b.again(Strong), url.Values{"as": {ada().Sub}, "acr": {"one"}}).String()).to(t)
	wantAsked(t, more, map[string]string{"acr_values": "two", "prompt": "login"})
	wantFault(t, b.get(f.answered(b, more, url.Values{"as": {ada().Sub}, "acr": {"one"}}).String()), "denied signin.not_strong")
	b.officer(false, true, "not reached")

	more = b.get(f.answered(b, b.again(Strong), url.Values{"as": {ada().Sub}, "acr": {"one"}}).String()).to(t)
	b.get(f.answered(b, more, url.Values{"as": {ada().Sub}, "acr": {"two"}}).String())
	b.officer(true, false, "reached")
}
