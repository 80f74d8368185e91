#!/bin/bash
# One message to 50,000 recipients, and 100,000 deferred messages: the queue manager's memory stays
# bounded, new mail goes out soon after a start, and mailq can be read.
# a hundred thousand small files: in memory where there is room, so that the disk is not measured
free_shm=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)
if [ -w /dev/shm ] && [ "${free_shm:-0}" -gt 2000000 ]; then export TMPDIR=/dev/shm; else CHAOS_FILES=${CHAOS_FILES:-20000}; fi
. "$(dirname "$0")/chaos.bash"
make_relay
sed -i 's/_backoff_time = .*/_backoff_time = 1000s/; s/^queue_run_delay.*/queue_run_delay = 300s/; s/^relayhost.*/relayhost =/' "$etc/main.cf"
printf 'default_transport = discard\nrelay_transport = discard\n' >>"$etc/main.cf"
count=${CHAOS_RCPTS:-50000} files=${CHAOS_FILES:-100000}
start
peak() { sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$1/status"; }

seq -f 'rcpt%.0f@example.net' "$count" >"$scratch/rcpts"
{ printf 'Subject: many\nBcc: '; paste -sd, "$scratch/rcpts" | sed 's/,/,\n /g'; printf '\ntext\n'; } |
	"$bin/sendmail" -f s@example.net -t || fail "sendmail -t: $?"
delivered() { [ "$(grep -c 'to=<rcpt.*status=sent' "$log")" -ge "$count" ]; }
await 25 delivered || fail "delivered: $(grep -c 'to=<rcpt.*status=sent' "$log") of $count"
[ "$(grep -o 'to=<rcpt[0-9]*@' "$log" | sort -u | wc -l)" = "$count" ] || fail "not each once"
await_empty 10
hwm=$(peak "$(pick qmgr)")
echo "$count recipients in one message: qmgr used at most $hwm kB"
within "$hwm" 60000 || fail "too much memory"

# 100,000 deferred
stop
cp "$log" "$log.1"
: >"$log"
cp "$etc/main.cf" "$scratch/main.cf"
sed -i 's/^default_transport.*/default_transport = retry:4.3.2 later/' "$etc/main.cf"
start
echo text | "$bin/sendmail" -f s@example.net waits@example.net
await_log 'to=<waits@.*status=deferred'
deferred() { find "$spool/deferred" -type f | grep -q .; }
await 10 deferred || fail "not deferred"
stop
one=$(find "$spool/deferred" -type f)
timeout 10 "$build/tests/system/helpers/fillqueue" copy "$one" "$files" "$spool/deferred" || { echo "the disk is too slow for so many files"; exit 77; }
if [ "$(id -u)" = 0 ]; then chown -R --reference="$one" "$spool/deferred"; fi
cp "$scratch/main.cf" "$etc/main.cf"
now_ms() { echo $(($(date +%s%N) / 1000000)); }
for due in no yes; do
	if [ "$due" = yes ]; then find "$spool/deferred" -type f -exec touch -d '1 hour ago' {} +; fi
	: >"$log"
	began=$(now_ms)
	start
	"$bin/smtp-source" -m 1 -t "new.$due@example.org" "127.0.0.1:$PORT1" || fail "no session"
	await 15 logged "to=<new.$due@example.org>.*status=sent" || fail "new mail waits"
	took=$(($(now_ms) - began))
	echo "$files deferred, due: $due: first delivery of new mail $took ms after the start"
	[ "$took" -lt 10000 ] || fail "too long"
	if [ "$due" = no ]; then
		began=$(now_ms)
		n=$("$bin/mailq" | tail -n 1)
		# what is on its way between two places may be shown in both
		case ${n##* in } in "$((files + 1)) Requests." | "$((files + 2)) Requests.") ;; *) fail "mailq: $n" ;; esac
		echo "mailq: $(($(now_ms) - began)) ms"
	else
		sleep 3 # they are being delivered
		source_mail -m 1 -t "second.$due@example.org"
		await 10 logged "to=<second.$due@example.org>.*status=sent" || fail "new mail waits behind old"
		echo "then, busy: $(sed -n 's/.*to=<second.*delay=\([0-9.]*\),.*/\1/p' "$log") s; delivered meanwhile: $(grep -c 'to=<waits@.*status=sent' "$log")"
	fi
	hwm=$(peak "$(pick qmgr)")
	echo "qmgr used at most $hwm kB"
	within "$hwm" 200000 || fail "too much memory"
	stop
done
grep -E 'panic|fatal' "$log" && fail "panics"
exit 0
