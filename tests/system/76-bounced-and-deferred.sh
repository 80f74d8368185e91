#!/bin/bash
# A message of which one recipient is returned and another has to wait: it leaves the journal for
# deferred/ at once, and nothing in the lane stays locked.
. "$(dirname "$0")/submit.bash"

make_instance 'retry:4.3.0 not today'
cat >>"$etc/main.cf" <<END
transport_maps = inline:{ {never.example = error:5.1.2 no mail here} }
END
start
printf 'Subject: both\n\nhello\n' | "$bin/sendmail" -f '' a@never.example b@later.example || fail "sendmail: $?"
await_log 'to=<a@never.example>.*status=bounced'
await_log 'to=<b@later.example>.*status=deferred'
id=$(sed -n 's/.* \([0-9A-Za-z]*\): to=<b@later.example>.*/\1/p' "$log")
await 10 eval '[ -n "$(find "$spool/deferred" -name "$id")" ]' || fail "$id is not in deferred/"
logged 'is being delivered' && fail "a recipient stays locked: $(grep 'is being delivered' "$log" | head -n 1)"
# open file description locks have no process id: -1
while read -r _ kind _ _ pid where _; do
	[ "$kind" = OFDLCK ] || continue
	for lane in "$spool"/journal/[0-9]*; do
		[ "${where##*:}" = "$(stat -c %i "$lane")" ] && fail "a lock stays: $kind $pid $where"
	done
done </proc/locks
stop
exit 0
