package audit

import (
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"
)

// written are the lines of a transaction that wait to be inserted by one
// statement, and what they are about.
type written struct {
	at             []time.Time
	account, token []*int64
	origin         []*netip.Addr
	action, detail []string
	salt, digest   [][]byte

	line  []int64 // which of them, from 1
	kind  []string
	thing []int64
}

func (w *written) add(r row, about []Thing) {
	w.at, w.account, w.token, w.origin = append(w.at, r.at), append(w.account, r.account), append(w.token, r.token), append(w.origin, r.origin)
	w.action, w.detail = append(w.action, r.action), append(w.detail, r.detail)
	w.salt, w.digest = append(w.salt, r.salt), append(w.digest, r.digest)
	for _, t := range about {
		w.line, w.kind, w.thing = append(w.line, int64(len(w.at))), append(w.kind, t.Kind), append(w.thing, t.ID)
	}
}

// SQL is for one line simpler, since most transactions write one.
func (w *written) SQL() string {
	if len(w.at) == 1 {
		return oneLine
	}
	return manyLines
}

const oneLine = `
	#l as (
		insert into audit_line (at, account, token, origin, action, detail, salt, digest)
		values (@at, @account, @token, @origin, @action, @detail, @salt, @digest)
		returning id
	), #a as (
		insert into audit_about (line, kind, id)
		select distinct l.id, t.kind, t.id from #l l, unnest(@kind::text[], @thing::bigint[]) t (kind, id)
	), #u as (
		insert into audit_waiting (line) select id from #l
	)`

// manyLines draws the ids in the order of the lines: what an insert leaves to a
// default is drawn after the sort of its select.
const manyLines = `
	#l as (
		insert into audit_line (at, account, token, origin, action, detail, salt, digest)
		select r.at, r.account, r.token, r.origin, r.action, r.detail::json, r.salt, r.digest
		from unnest(@at::timestamptz[], @account::bigint[], @token::bigint[], @origin::inet[], @action::text[], @detail::text[],
			@salt::bytea[], @digest::bytea[]) with ordinality r (at, account, token, origin, action, detail, salt, digest, n)
		order by r.n
		returning id
	), #n as (
		select id, row_number() over (order by id) as n from #l
	), #a as (
		insert into audit_about (line, kind, id)
		select distinct l.id, t.kind, t.id from #n l join unnest(@line::bigint[], @kind::text[], @thing::bigint[]) t (n, kind, id) on t.n = l.n
	), #u as (
		insert into audit_waiting (line) select id from #l
	)`

func (w *written) Args() pgx.NamedArgs {
	if len(w.at) == 1 {
		return pgx.NamedArgs{
			"at": w.at[0], "account": w.account[0], "token": w.token[0], "origin": w.origin[0], "action": w.action[0],
			"detail": w.detail[0], "salt": w.salt[0], "digest": w.digest[0], "kind": w.kind, "thing": w.thing,
		}
	}
	return pgx.NamedArgs{
		"at": w.at, "account": w.account, "token": w.token, "origin": w.origin, "action": w.action, "detail": w.detail,
		"salt": w.salt, "digest": w.digest, "line": w.line, "kind": w.kind, "thing": w.thing,
	}
}
