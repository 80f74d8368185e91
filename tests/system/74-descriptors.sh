#!/bin/bash
# Too few descriptors: for master and what it starts, then for the running qmgr, pickup and master;
# and, for an ordinary user, no more processes. Warnings, no loss, and all is well afterwards.
. "$(dirname "$0")/chaos.bash"
command -v prlimit >/dev/null || { echo "needs prlimit"; exit 77; }
make_relay
start_sink
submit() { # submit TOKEN
	printf 'X-Token: %s\nSubject: x\n\ntext\n' "$1" | "$bin/sendmail" -f s@example.net away@example.net >"$scratch/out" 2>&1 &&
		echo "$1 0" >>"$accepted"
}

# limit PID NUMBER: the soft limit on descriptors, set as the user that the process runs as
limit() {
	local uid gid
	uid=$(sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$1/status")
	gid=$(sed -n 's/^Gid:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$1/status")
	if [ "$uid" = "$(id -u)" ]; then
		prlimit --pid "$1" --nofile="$2:"
	else
		setpriv --reuid "$uid" --regid "$gid" --clear-groups prlimit --pid "$1" --nofile="$2:"
	fi
}
hard() { sed -n 's/^Max open files *[0-9]* *\([0-9]*\).*/\1/p' "/proc/$1/limits"; }

# a low hard limit from the start: it runs, or says why it does not
(ulimit -n 64 && exec "$postern" -c "$etc" start) >"$scratch/out" 2>&1 || echo "with 64 descriptors: $(tail -n 1 "$scratch/out")"
if "$postern" -c "$etc" status 2>/dev/null; then
	source_mail -s 30 -m 300 -l 4000 -t away@example.net
	for n in 1 2 3; do submit "low.$n" || fail "sendmail: $(cat "$scratch/out")"; done
	await_all 15
	await_empty 15
	stop
fi
accepted_so_far=$(wc -l <"$accepted")
echo "with 64 descriptors: $accepted_so_far accepted, all delivered"

# taken from the running system
start
source_mail -s 10 -m 50 -l 4000 -t away@example.net
lines=$(wc -l <"$log")
q=$(pick qmgr) m=$(master_pid)
used() { ls "/proc/$1/fd" | wc -l; }
limit "$q" $(($(used "$q") + 1)) || { echo "prlimit does not work here"; exit 77; }
source_mail -s 20 -m 400 -l 4000 -t away@example.net
for n in 1 2 3 4 5; do submit "qmgr.$n" || fail "sendmail: $(cat "$scratch/out")"; done
sleep 1
echo "qmgr without descriptors: $(tokens_arrived | sort -u | wc -l) of $(wc -l <"$accepted") arrived, $(($(wc -l <"$log") - lines)) lines, $(tail -n +"$lines" "$log" | grep -c 'Too many open files') of them warnings"
[ "$(tail -n +"$lines" "$log" | grep -c 'Too many open files')" -lt 2000 ] || fail "the log is filled: $(tail -n 5 "$log")"
[ -z "$(find "$spool/corrupt" -type f)" ] || fail "sound mail was set aside: $(grep corrupt "$log" | head -n 3)"
limit "$q" "$(hard "$q")" || fail "prlimit"
"$postern" -c "$etc" flush
await_all 20
await_empty 20

lines=$(wc -l <"$log")
limit "$m" $(($(used "$m") + 2))
source_mail -s 30 -m 300 -l 4000 -t away@example.net
for n in 1 2 3; do submit "master.$n" || fail "sendmail: $(cat "$scratch/out")"; done
[ "$(tail -n +"$lines" "$log" | grep -c 'Too many open files')" -lt 500 ] || fail "the log is filled: $(tail -n 5 "$log")"
limit "$m" "$(hard "$m")" || fail "prlimit"
kill -0 "$m" || fail "master ended"
await_all 20
await_empty 20

if [ "$(id -u)" != 0 ]; then # the limit on processes does not hold for root
	prlimit --pid "$m" --nproc=1:
	for pid in $(children); do [ "$(cat "/proc/$pid/comm")" != qmgr ] && kill "$pid"; done
	timeout 1 "$bin/smtp-source" -A -s 10 -m 30 -J "$accepted" -t away@example.net "127.0.0.1:$PORT1" >/dev/null 2>&1
	await_log 'warning: fork: .* -- throttling'
	submit nproc || fail "sendmail: $(cat "$scratch/out")"
	prlimit --pid "$m" --nproc=4000:
	await_all 20
	await_empty 20
fi
[ "$(duplicates)" = 0 ] || fail "$(duplicates) duplicates"
grep -E 'panic|killed by signal' "$log" && fail "panics"
stop
no_leftovers
exit 0
