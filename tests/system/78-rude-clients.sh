#!/bin/bash
# Clients that hang up at every stage, send slowly, or send a command of 10 MB: nothing of theirs is
# queued, half or whole, nobody else waits, and the smtpd processes stay small.
trap '' PIPE # a server that hangs up on a rude client must not end the test
. "$(dirname "$0")/chaos.bash"
make_relay --set smtpd_timeout=3s --set smtpd_error_sleep_time=0
start_sink
start
queued() { find "$spool"/{incoming,active,deferred,hold,corrupt} -type f 2>/dev/null; }
live() { "$bin/postqueue" -j | wc -l; }

# hanging up after each step of a dialogue
steps=("EHLO chaos.test" "MAIL FROM:<s@example.net>" "RCPT TO:<rude@example.net>" "DATA"
	$'Subject: x\r\n\r\nhalf a mess' $'age\r\n.' $'age\r\n.\r')
for last in "${!steps[@]}"; do
	for how in close reset; do
		exec 3<>/dev/tcp/127.0.0.1/"$PORT1" || fail "no session"
		smtp_reply 3
		for i in $(seq 0 "$last"); do
			if [ "$i" -lt 4 ]; then smtp 3 "${steps[i]}"; else printf '%s' "${steps[i]}" >&3; fi
		done
		[ "$how" = reset ] && printf 'NOOP\r\n' >&3 # unread input makes the kernel reset
		exec 3>&-
	done
done
await 10 eval '[ "$(grep -c "disconnect from" "$log")" -ge 14 ]' || fail "sessions hang: $(grep -c 'disconnect from' "$log")"
[ -z "$(queued)" ] || fail "half-queued: $(queued)"
[ "$(live)" = 0 ] || fail "half-queued in the journal: $("$bin/postqueue" -j)"

# a large message that breaks off, when it is in a file already
smtp_open 3
smtp 3 "MAIL FROM:<s@example.net>"
smtp 3 "RCPT TO:<rude@example.net>"
smtp 3 DATA
yes "$(printf '%070d\r' 0)" | head -n 60000 >&3
await 5 eval '[ -n "$(find "$spool/incoming" -name "tmp.*")" ]' || echo "note: it never was in a file"
exec 3>&-
await 5 eval '[ -z "$(queued)" ]' || fail "left behind: $(queued)"

# 10 MB without a line end; the process stays small
smtp_open 3
pid=$(pick smtpd)
head -c 10000000 /dev/zero | tr '\0' x >&3 2>/dev/null
for pid in $(children); do
	[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = smtpd ] || continue
	hwm=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status" 2>/dev/null)
	within "${hwm:-0}" 20000 || fail "smtpd grew to $hwm kB"
done
printf '\r\n' >&3 2>/dev/null
read -r -t 5 -u 3 answer
echo "10 MB command: $answer"
exec 3>&-

# slow ones, a byte now and then, and silent ones: others are served meanwhile, and they are cut off
slow=()
for n in $(seq 20); do
	eval "exec {fd}<>/dev/tcp/127.0.0.1/$PORT1" || fail "no session"
	slow+=("$fd")
done
(for n in $(seq 60); do
	for fd in "${slow[@]}"; do printf 'X' >&"$fd"; done 2>/dev/null
	sleep 0.1
done) &
dripper=$!
jobs_started=$dripper
began=$(date +%s%N)
source_mail -s 5 -m 20 -t away@example.net
await_all 10
echo "20 messages beside 20 slow sessions: $((($(date +%s%N) - began) / 1000000)) ms"
await 15 eval '[ "$(grep -c "timeout after" "$log")" -ge 20 ]' || fail "slow sessions are not ended: $(grep -c 'timeout after' "$log")"
kill "$dripper" 2>/dev/null
wait "$dripper" 2>/dev/null
jobs_started=
for fd in "${slow[@]}"; do eval "exec $fd>&-"; done

# noise of all kinds
for n in 1 2 3 4 5; do head -c 200000 /dev/urandom 2>/dev/null >/dev/tcp/127.0.0.1/"$PORT1"; done 2>/dev/null
printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' >/dev/tcp/127.0.0.1/"$PORT1"
source_mail -m 3 -t away@example.net
await_all 10
await_empty 10
[ "$(grep -c 'to=<rude@' "$log")" = 0 ] || fail "a broken-off message was delivered"
grep -E 'panic|fatal|killed by' "$log" && fail "panics"
stop
no_leftovers
exit 0
