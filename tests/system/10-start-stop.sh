#!/bin/bash
# start returns when the sockets are bound, stop when all processes are gone; status tells which.
. "$(dirname "$0")/service.bash"

make_instance <<END
127.0.0.1:PORT1 inet n - n - 5 testd
127.0.0.1:PORT2 inet n - n - 1 testloop
127.0.0.1:PORT3 inet n - y - 1 testd
tick unix n - n 1 1 testtrigger
pipe fifo n - n 1 1 testtrigger
END
"$postern" -c "$etc" status >/dev/null 2>&1 && fail "status before start"

# what a reception left that died long ago is removed at a start, what is young stays
touch -d '3 days ago' "$scratch/i/spool/incoming/tmp.3F0ED1A2B3C"
touch "$scratch/i/spool/incoming/tmp.3F0ED1A2B3D"
start
[ ! -e "$scratch/i/spool/incoming/tmp.3F0ED1A2B3C" ] || fail "an old leftover is still there"
[ -e "$scratch/i/spool/incoming/tmp.3F0ED1A2B3D" ] || fail "a young file was removed"
"$postern" -c "$etc" status 2>&1 | grep -q "is running: PID: $(master_pid)" || fail "status after start"
"${postern%/*}/postfix" -c "$etc" reload 2>&1 | grep -q '^postfix: refreshing the Postfix' || fail "the name postfix"

# sockets are there at once, without waiting
connect 3 "$PORT1" || fail "no session"
case $greeting in "hello "*) ;; *) fail "greeting: $greeting" ;; esac
say 3 pid || fail "no answer"
session=$answer
connect 4 "$PORT2" || fail "no event loop"
first=$greeting
connect 4 "$PORT2" || fail "no event loop"
[ "$greeting" = "$first" ] || fail "two event loops: $first, $greeting"
if [ "$(id -u)" = 0 ]; then
	say 3 user
	[ "$answer" != "0 0" ] || fail "the session runs as root"
fi

# confined to the queue directory, or, without root, at least served
connect 5 "$PORT3" || fail "no session in a chroot"
if [ "$(id -u)" = 0 ]; then
	chrooted=$(echo "$greeting" | cut -d' ' -f2)
	[ "$(readlink "/proc/$chrooted/root")" = "$scratch/i/spool" ] || fail "root is $(readlink "/proc/$chrooted/root")"
fi
hangup 5

# a spare was started ahead of demand, and is not started again and again
await 5 eval '[ "$(pgrep -P "$(master_pid)" -x testd | wc -l)" = 3 ]' || fail "no spare process: $(children)"

# timers wake both kinds of sockets
await_log 'tick: trigger W'
await_log 'pipe: trigger W'

all="$(master_pid) $(children)"
stop
for pid in $all; do gone "$pid" || fail "process $pid is still there"; done
"$postern" -c "$etc" status >/dev/null 2>&1 && fail "status after stop"
logged 'terminating on signal 15' || fail "no line about the end"
[ -e "$scratch/i/spool/public/tick" ] && fail "a socket was left behind"
gone "$session" || fail "session is still there"

# max_use and max_idle
sed -i '/^max_/d' "$etc/main.cf"
printf 'max_use = 2\nmax_idle = 1s\n' >>"$etc/main.cf"
start
for i in 1 2 3 4 5 6; do
	connect 3 "$PORT1" || fail "max_use: no session $i"
	echo "${greeting% *}"
	hangup 3
done >"$scratch/pids"
[ "$(sort "$scratch/pids" | uniq -c | awk '$1 > 2' | wc -l)" = 0 ] || fail "max_use is not kept: $(cat "$scratch/pids")"
await 10 eval '[ -z "$(pgrep -P "$(master_pid)" -x testd)" ]' || fail "max_idle is not kept"
stop
grep -v 'services with chroot' "$log" | grep -E 'warning|error|fatal' && fail "unexpected lines"
exit 0
