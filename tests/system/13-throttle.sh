#!/bin/bash
# A daemon that cannot start is tried again with growing pauses; everybody else works on.
. "$(dirname "$0")/service.bash"

make_instance <<END
127.0.0.1:PORT1 inet n - n - 5 testd -o testd_fails=yes
127.0.0.1:PORT2 inet n - n - 5 testd
127.0.0.1:PORT3 inet n - n - 5 testd -o testd_ends=yes
poison unix n - n 600 1 testtrigger -o testd_crashes=yes
END
began=$SECONDS
start
exec 5<>/dev/tcp/127.0.0.1/"$PORT3" || fail "no connection in line"
exec 3<>/dev/tcp/127.0.0.1/"$PORT1" || fail "no connection in line"
await_log 'testd: bad command startup -- throttling'
await_log "warning: process .*/testd pid [0-9]* exit status 1"
connect 4 "$PORT2" || fail "the other service does not work"
# pauses of 1, 2, 4 seconds and so on, never a storm: one that fails, one that ends at once with status
# 0 while a client waits, one that crashes at each wake-up
tried() { [ "$(count_logged "$1")" -ge "$2" ]; }
for what in 'told to fail' 'told to end' 'poison: trigger W'; do
	await 30 tried "$what" 3 || fail "$what: not tried again"
	tries=$(count_logged "$what") passed=$((SECONDS - began + 1)) most=0 pause=1 sum=0
	for ((; sum <= passed; pause *= 2)); do most=$((most + 1)) sum=$((sum + pause)); done
	[ "$tries" -le $most ] || fail "$what: $tries times in $passed seconds"
done
say 4 alive && [ "$answer" = alive ] || fail "the other service was harmed"

# a session that crashes is no reason to throttle
before=$(count_logged throttling)
say 4 crash
await_log "warning: process .*/testd pid [0-9]* killed by signal 9"
hangup 4
connect 4 "$PORT2" || fail "no session after a crash"
say 4 exit
await_log "warning: process .*/testd pid [0-9]* exit status 7"
hangup 4
connect 4 "$PORT2" || fail "no session after a bad exit"
hangup 4
hangup 5
logged "127.0.0.1:$PORT2.*throttling" && fail "throttled for a crashed session"

# repaired and reloaded: no pause any more, and the client that waits is served
master_cf <<END
127.0.0.1:PORT1 inet n - n - 5 testd
127.0.0.1:PORT2 inet n - n - 5 testd
END
reload || fail "reload: $(cat "$scratch/reload.out")"
read -r -t 60 -u 3 greeting || fail "the client that waited is not served"
stop
exit 0
