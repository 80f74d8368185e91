# Sourced by the tests of submission and of the queue's commands: a scratch instance with its real
# services, in which mail for the outside is deferred, or thrown away, as the test says.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
build=${POSTERN_BUILD:-$PWD/build/release}
bin=$build/bin
scratch=$(mktemp -d) || exit 2
chmod 755 "$scratch"
etc=$scratch/i/etc log=$scratch/i/log/mail.log spool=$scratch/i/spool
export MAIL_CONFIG=$etc

cleanup() {
	"$bin/postern" -c "$etc" abort >/dev/null 2>&1
	rm -rf "$scratch"
}
trap cleanup EXIT

fail() { # fail REASON...
	echo "$*"
	[ -f "$log" ] && tail -n 30 "$log"
	exit 1
}

await() { # await SECONDS COMMAND...: until the command succeeds
	local tries=$(($1 * 50))
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.02
	done
}

logged() { grep -q -- "$1" "$log"; }
await_log() { await 15 logged "$1" || fail "not logged: $1"; }

# make_instance OUTSIDE: the transport of all mail.
make_instance() {
	"$bin/postern" init "$scratch/i" >"$scratch/init.out" 2>&1 || fail "init: $(cat "$scratch/init.out")"
	cat >>"$etc/main.cf" <<END
default_transport = $1
local_transport = $1
END
}
start() { "$bin/postern" -c "$etc" start >"$scratch/start.out" 2>&1 || fail "start: $(cat "$scratch/start.out")"; }
stop() { "$bin/postern" -c "$etc" stop >"$scratch/stop.out" 2>&1 || fail "stop: $(cat "$scratch/stop.out")"; }
# a message on the move may be listed twice
queue_ids() { "$bin/postqueue" -j 2>/dev/null | sed 's/.*"queue_id": "\([^"]*\)".*/\1/' | sort -u; }
queue_count() { queue_ids | grep -c .; }
count_is() { [ "$(queue_count)" = "$1" ]; }
state_is() { "$bin/postqueue" -j 2>/dev/null | grep "\"queue_id\": \"$1\"" | grep -q "\"queue_name\": \"$2\""; }
# expect STATUS TEXT COMMAND...: the exit status, and a text in what it says
expect() {
	local want=$1 text=$2 status
	shift 2
	"$@" >"$scratch/out" 2>&1
	status=$?
	[ "$status" = "$want" ] || fail "$*: status $status, not $want: $(cat "$scratch/out")"
	[ -z "$text" ] || grep -q -- "$text" "$scratch/out" || fail "$*: says: $(cat "$scratch/out")"
}
