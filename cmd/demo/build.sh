#!/bin/sh
# build.sh [PACKAGE…] builds bin/demo, which runs the demo and the tests, and
# fetches what the tests of the packages want. The first time that takes minutes,
# and a line says so every ten seconds. What keeps Go from building at all (no Go,
# an old one, no network) is said in one sentence.
set -u
say() { printf 'petschaft: %s\n' "$1" >&2; }
fail() { say "$1"; exit 1; }

from='https://go.dev/dl/ (unpack it to /usr/local and put /usr/local/go/bin into PATH)'
command -v go >/dev/null || fail "there is no Go here; Petschaft needs Go 1.26, from $from"
minor=$(cd / && go version | sed -n 's/^go version go1\.\([0-9]*\).*/\1/p')
if [ "${minor:-99}" -lt 21 ]; then
	fail "Go 1.$minor here is too old, also to fetch a newer one by itself as Go from 1.21 on does; Petschaft needs Go 1.26, from $from"
fi

mkdir -p bin
log=bin/build.log
beat() {
	s=0
	while sleep "$1" </dev/null >/dev/null 2>&1; do
		s=$((s + $1))
		say "$what, $s seconds so far$2"
		set -- 10 ''
	done
}
# with WORDS COMMAND… runs the command and says the words while it runs.
with() {
	what=$1
	shift
	beat 5 '; the first time this takes minutes' &
	beating=$!
	trap 'kill $beating 2>/dev/null' EXIT
	trap 'exit 130' INT TERM
	"$@" 2>"$log"
	status=$?
	kill $beating 2>/dev/null
	return $status
}
# sentence is why modules could not be fetched, empty when it is something else.
sentence() {
	why=$(grep -oE '(dial tcp|proxyconnect|x509: |net/http: |read tcp|context deadline|module lookup disabled|toolchain not available|checksum database disabled).*' "$log" | head -n 1)
	[ -z "$why" ] || say "Go modules that are not here yet cannot be fetched ($why); Petschaft needs the network for its first build and its first test (proxy.golang.org, or what GOPROXY says). All that Go said is in $log"
}
with 'fetching Go modules and building' go build -o bin/demo ./cmd/demo &&
	{ [ $# = 0 ] || with 'fetching Go modules of the tests' go list -test -deps "$@" >/dev/null; } && exit
said=$(sentence 2>&1)
if [ -n "$said" ]; then
	printf '%s\n' "$said" >&2
else
	cat "$log" >&2
fi
exit 1
