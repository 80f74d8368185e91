#!/bin/bash
# In the foreground, for containers: the log on standard output, SIGTERM stops; also as process 1.
. "$(dirname "$0")/service.bash"

make_instance --set maillog_file=/dev/stdout <<END
127.0.0.1:PORT1 inet n - n - 5 testd
END
log=$scratch/out
"$postern" -c "$etc" start >"$scratch/start.out" 2>&1 && fail "start takes a log on standard output"
grep -q 'maillog_file = /dev/stdout: expected' "$scratch/start.out" || fail "start says: $(cat "$scratch/start.out")"

"$postern" -c "$etc" start-fg >"$log" 2>"$scratch/err" &
pid=$!
await_log 'postfix/master\[[0-9]*\]: daemon started'
connect 3 "$PORT1" || fail "no session"
hangup 3
kill -TERM $pid
wait $pid || fail "status $?"
logged "postfix/master\[$pid\]: terminating on signal 15" || fail "no line about the end"
logged 'postfix/testd\[[0-9]*\]: .*exiting' || fail "the children do not log to standard output"

# as process 1 of a container
namespace=$([ "$(id -u)" = 0 ] || echo "--user --map-current-user")
command -v unshare >/dev/null && unshare $namespace --pid --fork true 2>/dev/null || exit 0
: >"$log"
unshare $namespace --pid --fork --kill-child=KILL "$postern" -c "$etc" start-fg >"$log" 2>"$scratch/err" &
outer=$!
trap 'kill -9 $outer 2>/dev/null; cleanup' EXIT
await_log 'postfix/master\[1\]: daemon started'
inner=$(cat "/proc/$outer/task/$outer/children")
connect 3 "$PORT1" || fail "no session of process 1"
hangup 3
kill -TERM ${inner%% *}
wait $outer || fail "process 1: status $?"
logged 'postfix/master\[1\]: terminating on signal 15' || fail "no line about the end of process 1"
exit 0
