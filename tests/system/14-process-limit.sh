#!/bin/bash
# There are never more processes than master.cf says; who comes then waits, and one line says so.
. "$(dirname "$0")/service.bash"

make_instance <<END
127.0.0.1:PORT1 inet n - n - 3 testd
127.0.0.1:PORT2 inet n - n - 1 testd
127.0.0.1:PORT3 inet n - n - 0 testd
END
start
for fd in 3 4 5; do connect $fd "$PORT1" || fail "no session at $fd"; done
await_log "warning: service \"127.0.0.1:$PORT1\" ($PORT1) has reached its process limit \"3\": new clients may experience noticeable delays"
exec 6<>/dev/tcp/127.0.0.1/"$PORT1"
read -r -t 1 -u 6 greeting && fail "a fourth session"
[ "$(pgrep -P "$(master_pid)" -x testd | wc -l)" = 3 ] || fail "processes: $(pgrep -P "$(master_pid)" -x testd | wc -l)"
say 3 stress && [ "$answer" = 1 ] || fail "no stress"
say 3 quit
read -r -t 60 -u 6 greeting || fail "the client in line is not served"
say 4 stress && [ "$answer" = 1 ] || fail "no stress with the fourth"
say 5 quit
await 5 eval 'say 4 stress && [ "$answer" = 0 ]' || fail "stress does not end"
[ "$(count_logged 'has reached its process limit')" = 1 ] || fail "the warning is repeated"

# a limit of one gives no such warning
connect 7 "$PORT2" || fail "no single session"
exec 8<>/dev/tcp/127.0.0.1/"$PORT2"
read -r -t 1 -u 8 greeting && fail "a second session at a limit of one"
say 7 quit
read -r -t 60 -u 8 greeting || fail "the second is not served after the first"
logged "$PORT2.*process limit" && fail "warned at a limit of one"

# no limit: more than default_process_limit
for fd in $(seq 20 140); do connect "$fd" "$PORT3" || fail "no session at $fd"; done
[ "$(pgrep -P "$(master_pid)" -x testd | wc -l)" -ge 121 ] || fail "not one process a session"
stop
grep -E 'error|fatal|signal [^1]' "$log" && fail "unexpected lines"
exit 0
