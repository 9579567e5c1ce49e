package api_test

import (
	"bytes"
	"sync"
	"testing"

	"petschaft/internal/api"
)

// The race detector judges this one: huma writes into the values that describe
// an operation while it registers them.
func TestAPIsOfOneProcessShareNothingThatIsWritten(t *testing.T) {
	t.Parallel()
	var opened sync.WaitGroup
	documents := make([][]byte, 8)
	for i := range documents {
		opened.Go(func() {
			_, document, err := new(api.API).Open()
			if err != nil {
				t.Error(err)
			}
			documents[i] = document
		})
	}
	opened.Wait()
	for _, d := range documents[1:] {
		if !bytes.Equal(d, documents[0]) {
			t.Error("the same API is described in two ways")
		}
	}
}
