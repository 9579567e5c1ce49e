package trial

import (
	"fmt"
	"testing"
	"time"
)

// patience is far longer than anything takes on a busy machine.
const patience = 100 * time.Second

// Until polls what tells nobody when it is done, and ends the test when it is not
// true after a hundred seconds. what completes "waited in vain until".
func Until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// Must is v of a step that sets a test up, where a failure is nobody's finding.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("setting up: %v", err))
	}
	return v
}
