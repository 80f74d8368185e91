#!/bin/bash
# The times of the queue under a turned clock: minimal_backoff_time, maximal_backoff_time,
# queue_run_delay, maximal_queue_lifetime and bounce_queue_lifetime show what they say, 0 included,
# and where Debian's Postfix is installed it does the same at the same times.
. "$(dirname "$0")/submit.bash"
. tests/system/postfix.bash
. tests/system/clock.bash

settings="minimal_backoff_time = 100s
maximal_backoff_time = 400s
queue_run_delay = 50s
maximal_queue_lifetime = 2000s
bounce_queue_lifetime = 700s"
later="retry:4.0.0 not now"

make_instance "$later"
echo "$settings" >>"$etc/main.cf"
clock_setup "$etc"
clocked start
if have_postfix; then
	make_postfix "$later"
	echo "$settings" >>"$pf_etc/main.cf"
	clock_setup "$pf_etc"
	start_postfix clocked
fi
logs() { echo "$log"; [ -z "$pf_pid" ] || echo "$pf_log"; }

# send FROM TO: to both
send() {
	clocked "$bin/sendmail" -C "$etc" -i -f "$1" "$2" <<<"Subject: x" || fail "sendmail: $?"
	[ -z "$pf_pid" ] || clocked /usr/sbin/sendmail -C "$pf_etc" -i -f "$1" "$2" <<<"Subject: x" 2>/dev/null || fail "sendmail: $?"
}
# ages LOG RECIPIENT: how old the message was at each attempt, in seconds
ages() { sed -n "s/.*: to=<$2>,.* delay=\([0-9]*\).*status=.*/\1/p" "$1"; }
attempts() { # attempts RECIPIENT N: so many attempts in all logs
	local file
	for file in $(logs); do [ "$(ages "$file" "$1" | wc -l)" -ge "$2" ] || return 1; done
}
everywhere() { # everywhere REGEXP
	local file
	for file in $(logs); do grep -Eq -- "$1" "$file" || return 1; done
}
await_everywhere() { await 15 everywhere "$1" || fail "not logged everywhere: $1 $(tail -n 20 "$pf_log" 2>/dev/null)"; }

# Back-off: the age doubles from one attempt to the next, from 100 to 400 s apart.
send from@times.test a@times.test
await 10 attempts a@times.test 1 || fail "no first attempt"
clock_run 4200 25 everywhere 'from=<>, status=expired'
for file in $(logs); do
	last=0 gap=0
	for age in $(ages "$file" a@times.test); do
		[ "$age" = 0 ] && continue
		gap=$((age - last))
		# the least, and what a run of the queue and a step add to it
		least=$((last < 100 ? 100 : last > 400 ? 400 : last))
		[ "$gap" -ge $((least - 25)) ] && [ "$gap" -le $((least + 95)) ] ||
			fail "$file: $gap s after the attempt at $last s, not $least: $(ages "$file" a@times.test)"
		last=$age
	done
	[ "$last" -ge 1980 ] && [ "$last" -le 2500 ] || fail "$file: the last attempt was at $last s"
	grep -q 'from=<from@times.test>, status=expired, returned to sender' "$file" || fail "$file: not expired"
	# the notice has a life of its own
	last=$(ages "$file" from@times.test | tail -n 1)
	[ "$last" -ge 700 ] && [ "$last" -le 1100 ] || fail "$file: the notice lived $last s"
	grep -q 'from=<>, status=expired' "$file" || fail "$file: the notice has not expired"
done
await 5 count_is 0 || fail "left in the queue: $("$bin/mailq")"
[ -z "$pf_pid" ] || diff <(ages "$log" a@times.test | wc -l) <(ages "$pf_log" a@times.test | wc -l) ||
	fail "not as many attempts as Postfix makes"

# A day's outage is one queue run, not hundreds; and what is new goes out at once.
send from@times.test b@times.test
await 10 attempts b@times.test 1 || fail "no first attempt"
clock_advance 900
await 10 attempts b@times.test 2 || fail "no second attempt after a pause"
sleep 0.2
attempts b@times.test 3 && fail "tried again and again"

# 0: one attempt and no more, for mail and for notices
for file in "$etc" "$pf_etc"; do
	[ ! -f "$file/main.cf" ] || sed -i 's/^\(.*_queue_lifetime\) = .*/\1 = 0/' "$file/main.cf"
done
reload || fail "reload: $(cat "$scratch/reload.out")"
[ -z "$pf_pid" ] || clocked /usr/sbin/postfix -c "$pf_etc" reload >/dev/null 2>&1
await_log 'reload'
send from@times.test c@times.test
await_everywhere 'to=<c@times.test>.*status=deferred'
await_everywhere 'to=<from@times.test>.*status=deferred'
await 10 count_is 1 || fail "left in the queue: $("$bin/mailq")" # b, until its next attempt
sleep 0.2
for file in $(logs); do
	[ "$(ages "$file" c@times.test | wc -l)" = 1 ] || fail "$file: more than one attempt"
done
clock_advance 900
await 10 count_is 0 || fail "left in the queue: $("$bin/mailq")"
clocked stop
grep -E 'fatal|panic' "$log" && fail "unexpected lines"
exit 0
