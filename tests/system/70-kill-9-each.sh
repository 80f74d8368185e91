#!/bin/bash
# Daemons die by kill -9 at random moments under load: everything accepted arrives, whole. A second
# copy may only come of a kill between a delivery and its record, so never of killing qmgr.
. "$(dirname "$0")/chaos.bash"
seed=${CHAOS_SEED:-$$}
RANDOM=$seed
echo "CHAOS_SEED=$seed"
me=$(id -un)
make_relay
start_sink -x 'refused=550 5.1.1 nobody here'
start

load() { # load MESSAGES: by SMTP, by sendmail, to a mailbox, and some that come back
	local n
	round=$((${round:-0} + 1))
	source_mail -s 8 -m "$1" -R 0.08 -l 4000 -t away@example.test &
	jobs_started=$!
	source_mail -s 1 -R 0.1 -m $(($1 / 20)) -l 4000 -f back@example.net -t refused@example.net &
	jobs_started="$jobs_started $!"
	source_mail -s 2 -R 0.1 -m $(($1 / 10)) -l 4000 -t "$me@localhost" &
	jobs_started="$jobs_started $!"
	for n in $(seq 60); do
		printf 'X-Token: sendmail.%s.%s\nSubject: x\n\ntext\n' "$round" "$n" |
			"$bin/sendmail" -f s@example.net away@example.net && echo "sendmail.$round.$n 0" >>"$accepted"
		sleep 0.05
	done &
	jobs_started="$jobs_started $!"
}
loading() {
	local pid
	for pid in $jobs_started; do kill -0 "$pid" 2>/dev/null && return; done
	return 1
}
killing() { # killing PROGRAM...: while the load lasts; counts in killed
	local pid n=0
	killed=0
	while loading; do
		pid=$(pick "${@:RANDOM % $# + 1:1}")
		if [ -n "$pid" ]; then kill -9 "$pid" 2>/dev/null && killed=$((killed + 1)); fi
		sleep "0.$((RANDOM % 30 + 10))"
		n=$((n + 1))
		[ "$n" -lt 200 ] || fail "the load does not end: $(tail -n 3 "$scratch/source.out")"
	done
	wait $jobs_started
	jobs_started=
}
arrived() { find "$scratch/i/mail" -path '*/new/*' -type f 2>/dev/null; }

# qmgr alone: nothing twice
load 800
killing qmgr
[ "$killed" -gt 2 ] || fail "only $killed kills"
await_all 20 $(arrived)
await_empty 20
[ "$(duplicates $(arrived))" = 0 ] || fail "$(duplicates $(arrived)) duplicates when only qmgr dies"
echo "qmgr: $killed kills, 0 duplicates of $(tokens_accepted | wc -l)"

# qmgr stands still for a while
load 200
for _ in 1 2 3; do
	pid=$(pick qmgr)
	[ -n "$pid" ] && kill -STOP "$pid" && sleep 0.4 && kill -CONT "$pid"
	sleep 0.1
done
wait $jobs_started
jobs_started=
await_empty 20
await_all 5 $(arrived)
[ "$(duplicates $(arrived))" = 0 ] || fail "$(duplicates $(arrived)) duplicates when qmgr stands still"

# all of them
load 1200
killing smtpd qmgr smtp local bounce pickup
echo "all programs: $killed kills"
await_empty 25
await_all 5 $(arrived)
echo "$(duplicates $(arrived)) duplicates of $(tokens_accepted | wc -l)"
whole 4000 away@example.test
stop
no_leftovers killed

grep -E 'panic|fatal|corrupt' "$log" && fail "panics, or damage"
exit 0
