package imports_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"petschaft/internal/imports"
)

func TestALargeFileTakesLittleMemory(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var file strings.Builder
	file.WriteString(heads)
	for i := range 60_000 {
		fmt.Fprintf(&file, "Nachname %d, Vorname;user%d@uni.example;alias%d@uni.example;;personal;;bis 2027\n", i, i, i)
	}
	_, err := r.db.Exec(t.Context(), `drop index address_row_search, address_row_by_name, address_row_by_primary, address_row_by_end`)
	r.ok(t, err) // they cost the database a minute, and us no memory
	im := r.upload(t, r.contact, r.uni, file.String())
	file.Reset()
	runtime.GC()
	stop, peak := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		var m runtime.MemStats
		for {
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
			select {
			case <-stop:
				peak <- most
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	im = r.apply(t, r.contact, r.plan(t, r.contact, im))
	close(stop)
	if most := <-peak; im.State != imports.Applied || im.New != 60_000 || most > 80<<20 {
		t.Errorf("got %s with %d new rows and a heap of %d MB, want it applied within 80 MB", im.State, im.New, most>>20)
	}
}
