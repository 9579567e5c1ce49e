package signin

import (
	"context"
	"net/http"
	"testing"
	"time"
)

// Each end of a login by its owner, with a clock that jumps between two readings.
func TestAnOperationReadsTheClockOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Idle, c.RefreshEvery = 9*time.Hour, 9*time.Hour }) // longer than the clock jumps
	here := w.browser()
	for range 3 {
		w.browser().signIn(ada().Sub)
	}
	here.signIn(ada().Sub)
	me, _ := here.me()
	first := here.logins()[3].ID
	once := func(what string, f func(ctx context.Context) error) {
		t.Helper()
		here.within(func(ctx context.Context) { w.clock.Once(t, what, func() error { return f(ctx) }) })
	}
	once("end", func(ctx context.Context) error { return w.desk.End(ctx, me, first) })
	once("end the others", func(ctx context.Context) error { return w.desk.EndOthers(ctx, me) })
	w.do = func(out http.ResponseWriter, r *http.Request) {
		w.clock.Once(t, "sign out", func() error { _, err := w.desk.SignOut(out, r); return err })
	}
	here.get("/do")

	const apart = `select count(*) from login l where l.ended is null or not exists (
		select from audit_line a where a.at = l.ended and a.detail::jsonb ->> 'login' = l.id::text)`
	if n := w.number(apart); n != 0 {
		t.Errorf("%d logins ended at another time than their line says, or not at all", n)
	}
}
