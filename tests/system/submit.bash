# Sourced by the tests of submission and of the queue's commands: a scratch instance with its real
# services, in which mail for the outside is deferred, or thrown away, as the test says.
. "$(dirname "${BASH_SOURCE[0]}")/service.bash"
bin=$build/bin spool=$scratch/i/spool
export MAIL_CONFIG=$etc

# make_instance OUTSIDE: the transport of all mail.
make_instance() {
	init_instance "$scratch/i"
	cat >>"$etc/main.cf" <<END
default_transport = $1
local_transport = $1
END
}
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
