#!/bin/bash
# Two masters never share a queue or a data directory; the refusal names the other one.
. "$(dirname "$0")/service.bash"

make_instance <<END
127.0.0.1:PORT1 inet n - n - 5 testd
END
start
pid=$(master_pid)
"$postern" -c "$etc" start >"$scratch/out" 2>&1 && fail "a second start succeeds"
grep -q "already running: PID: $pid" "$scratch/out" || fail "start says: $(cat "$scratch/out")"

"$scratch/lib/master" -c "$etc" -w >"$scratch/out" 2>&1 && fail "a second master starts"
grep -q "another master.*$pid" "$scratch/out" || fail "master says: $(cat "$scratch/out")"

# another queue, the same data directory
cp -r "$etc" "$scratch/etc2"
mkdir -p "$scratch/spool2"
cp -r "$scratch/i/spool/pid" "$scratch/spool2/pid" && rm -f "$scratch/spool2/pid/master.pid"
sed -i "s|^queue_directory.*|queue_directory = $scratch/spool2|" "$scratch/etc2/main.cf"
"$scratch/lib/master" -c "$scratch/etc2" -w >"$scratch/out" 2>&1 && fail "a second master starts on the data directory"
grep -q "another master.*data directory.*$pid" "$scratch/out" || fail "master says: $(cat "$scratch/out")"

[ "$(master_pid)" = "$pid" ] || fail "the pid file was changed"
connect 3 "$PORT1" || fail "the first master was harmed"
hangup 3

# a killed master's files are no obstacle
kill -9 "$pid"
await 10 gone "$pid" || fail "it does not die"
start
[ "$(master_pid)" != "$pid" ] || fail "pid file is old"
stop
exit 0
