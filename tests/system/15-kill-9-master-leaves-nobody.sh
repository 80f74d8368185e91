#!/bin/bash
# When master is killed, its processes end by themselves, busy or idle; a start afterwards works.
. "$(dirname "$0")/service.bash"

make_instance <<END
127.0.0.1:PORT1 inet n - n - 5 testd
127.0.0.1:PORT2 inet n - n - 1 testloop
tick unix n - n 1 1 testtrigger
END
start
connect 3 "$PORT1" || fail "no session"
connect 4 "$PORT2" || fail "no event loop"
await_log 'tick: trigger W'
await 5 eval '[ "$(children | wc -w)" -ge 4 ]' || fail "children: $(children)"
all="$(master_pid) $(children)"
kill -9 "$(master_pid)"
for pid in $all; do await 10 gone "$pid" || fail "process $pid outlives master"; done
"$postern" -c "$etc" status >/dev/null 2>&1 && fail "status says it runs"
start
connect 3 "$PORT1" || fail "no session after the new start"

# abort: everybody at once
all="$(master_pid) $(children)"
"$postern" -c "$etc" abort >/dev/null 2>&1 || fail "abort"
for pid in $all; do gone "$pid" || fail "process $pid is there after abort"; done
exit 0
