#!/bin/bash
# The clock is set forward by a month and back again, and back by a year, while mail flows and other
# mail waits: nothing is lost, nothing expires before its time, the queue is looked at all the while,
# and nobody spins.
. "$(dirname "$0")/chaos.bash"
. tests/system/clock.bash
day=86400

make_relay
clock_setup "$etc"
echo "transport_maps = inline:{ {later.test = retry:4.0.0 not now} }" >>"$etc/main.cf"
start_sink
clocked start

later_attempts() { grep -c 'to=<[ab]@later.test>.*status=deferred' "$log"; }
tried_again() { [ "$(later_attempts)" -gt "$1" ]; }
# processor time of master and its children, in hundredths of a second
ticks() {
	local pid sum=0 stat
	for pid in $(master_pid) $(children); do
		read -r -a stat <"/proc/$pid/stat" 2>/dev/null && sum=$((sum + stat[13] + stat[14]))
	done
	echo "$sum"
}
# after_jump TEXT: new mail goes out, old mail is tried again, and that costs no more than it must
after_jump() {
	local before
	source_mail -m 10 -s 2 -f "from@sender.test" -t "to@up.test" || fail "$1: smtp-source: $(tail -n 3 "$scratch/source.out")"
	await_all 10
	await 10 tried_again "$(later_attempts)" || fail "$1: what waits is not tried again"
	before=$(ticks)
	sleep 0.5
	[ $(($(ticks) - before)) -lt 25 ] || fail "$1: $(($(ticks) - before)) ticks in half a second"
	grep -E 'status=expired|fatal|panic' "$log" && fail "$1"
	true
}

clocked "$bin/sendmail" -i -f "from@sender.test" a@later.test <<<"Subject: a" || fail "sendmail: $?"
await_log 'to=<a@later.test>.*status=deferred'
after_jump "at first"
clock_set_forward $((30 * day))
after_jump "a month forward"
clocked "$bin/sendmail" -i -f "from@sender.test" b@later.test <<<"Subject: b" || fail "sendmail: $?"
clock_advance $day
await_log 'to=<b@later.test>.*status=deferred'
after_jump "a day later"
clock_set_back $((30 * day))
after_jump "a month back"
clock_set_back $((365 * day))
after_jump "a year back"
clock_set_forward $((365 * day))
after_jump "a year forward"

# when its time really comes, it goes: the first one now, the other one never before its five days
clock_advance $((4 * day + 3600))
await_log 'to=<a@later.test>.*delay=4[0-9]*,.*status=deferred'
await_log 'from=<from@sender.test>, status=expired, returned to sender'
[ "$(count_logged 'status=expired')" = 1 ] || fail "the other one expired, too"
[ "$(duplicates)" = 0 ] || fail "duplicates"
clocked stop
grep -E 'fatal|panic' "$log" && fail "unexpected lines"
exit 0
