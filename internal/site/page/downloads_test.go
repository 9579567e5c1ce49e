package page

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"petschaft/internal/person"
	"petschaft/internal/trial"
)

func TestOfFiftyFilesOfOneAccountOneIsWrittenAtATime(t *testing.T) {
	t.Parallel()
	var d downloads
	var inside atomic.Int32
	said := func(err error) string {
		if err == nil {
			return ""
		}
		return err.Error()
	}
	got := trial.Race(50, said, func(int) error {
		x, err := d.enter(t.Context(), 1, trial.Today)
		if err != nil {
			return err
		}
		defer x.leave()
		defer inside.Add(-1)
		if n := inside.Add(1); n > 1 {
			t.Errorf("%d are written at a time", n)
		}
		runtime.Gosched()
		return x.judge(nil)
	})
	if got[""] < 1 || got[""]+got[errOwn.Error()]+got[errNewer.Error()] != 50 {
		t.Errorf("got %v, want one or more sent and all others told that it was asked for again or is under way", got)
	}
	if d.writing != 0 || len(d.of) != 0 {
		t.Errorf("%d are still written, %d accounts have one", d.writing, len(d.of))
	}
}

func TestWhatIsSentHoldsNoPlaceAmongThoseWritten(t *testing.T) {
	t.Parallel()
	var d downloads
	enter := func(who person.ID) (*turn, error) { return d.enter(t.Context(), who, trial.Today) }
	var all []*turn
	for who := range person.ID(mostWriting) {
		all = append(all, trial.Must(enter(who)))
	}
	if _, err := enter(9); !errors.Is(err, errBusy) {
		t.Errorf("got %v, want that others are written", err)
	}
	trial.Must(0, all[0].judge(nil))
	nine, err := enter(9)
	if err != nil {
		t.Errorf("while a file is only sent: got %v", err)
	}
	if _, err := enter(0); !errors.Is(err, errOwn) {
		t.Errorf("got %v, want that the account's own is under way", err)
	}
	all[0].leave()
	nine.leave()
	if x, err := enter(0); err != nil {
		t.Errorf("when it has arrived: got %v", err)
	} else {
		x.leave()
	}
}

func TestAskingAgainEndsWhatIsBeingWritten(t *testing.T) {
	t.Parallel()
	var d downloads
	first := trial.Must(d.enter(t.Context(), 1, trial.Today))
	second := make(chan *turn)
	go func() { second <- trial.Must(d.enter(t.Context(), 1, trial.Today)) }()
	<-first.ctx.Done()
	if err := first.judge(context.Canceled); !errors.Is(err, errNewer) {
		t.Errorf("got %v, want that it was asked for again", err)
	}
	first.leave()
	if err := (<-second).judge(nil); err != nil {
		t.Errorf("the newer one: got %v", err)
	}
}

func TestALargeFileLiesOnDiskAndAllTogetherAreBounded(t *testing.T) {
	t.Parallel()
	var d downloads
	one := trial.Must(d.enter(t.Context(), 1, trial.Today))
	line := bytes.Repeat([]byte("x"), 32<<10)
	var want bytes.Buffer
	for i := range 100 {
		line[0] = byte(i)
		trial.Must(one.spool.Write(line))
		want.Write(line)
	}
	if one.spool.rest == nil || one.spool.head.Len() > spoolHead {
		t.Errorf("%d bytes lie in memory, want at most %d", one.spool.head.Len(), spoolHead)
	}
	if got := trial.Must(io.ReadAll(trial.Must(one.spool.content()))); !bytes.Equal(got, want.Bytes()) {
		t.Errorf("got %d bytes back, want the %d that were written", len(got), want.Len())
	}
	if d.bytes != int64(want.Len()) {
		t.Errorf("%d bytes are counted, want %d", d.bytes, want.Len())
	}
	d.bytes += mostSpooled - int64(want.Len()) - 1
	if _, err := one.spool.Write(line); !errors.Is(err, errBusy) {
		t.Errorf("over what all may fill: got %v", err)
	}
	d.bytes = int64(want.Len())
	one.spool.size += mostOfOne
	if _, err := one.spool.Write(line); !errors.Is(err, errLarge) {
		t.Errorf("over what one may fill: got %v", err)
	}
	one.spool.size -= mostOfOne
	one.leave()
	if d.bytes != 0 {
		t.Errorf("%d bytes are still counted", d.bytes)
	}
}

func TestAReaderMustTakeAFileAtAtLeastSixtyFourKibibytesASecond(t *testing.T) {
	t.Parallel()
	for size, want := range map[int64]time.Duration{0: 30 * time.Second, 64 << 10: 31 * time.Second, 24 << 20: 414 * time.Second, 512 << 20: 10 * time.Minute} {
		if got := sendingTime(size); got != want {
			t.Errorf("%d bytes: got %s, want %s", size, got, want)
		}
	}
}
