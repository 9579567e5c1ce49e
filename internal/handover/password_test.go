package handover

import (
	"strings"
	"testing"

	"github.com/alexedwards/argon2id"
)

// served is how the portal hashes. The tests of this room hash hundreds of times,
// with the race detector, and cheaply: all but the cost is as served.
var served = hashing

func init() { hashing.Memory, hashing.Iterations = 64, 1 }

func TestAHashCostsNineteenMebibytesTwice(t *testing.T) {
	t.Parallel()
	hash, err := argon2id.CreateHash("0123456789ABCDEF", &served)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("got %q, want argon2id with 19 MiB and two passes", hash)
	}
}
