#!/bin/bash
# The queue manager with real agents: a transport that does not exist, a destination that is down and
# rests, a flush that ends the rest, forced expiry, agents that are killed.
. "$(dirname "$0")/service.bash"
sinks=
end() {
	[ -z "$sinks" ] || kill $sinks 2>/dev/null
	cleanup
}
trap end EXIT
logged() { grep -Eq -- "$1" "$log"; }
await_log() { await 15 logged "$1" || fail "not logged: $1"; }
send() { # send RECIPIENT
	printf 'Subject: test\n\nhello\n' | "$build/bin/sendmail" -C "$etc" -i -f sender@up.test "$1" ||
		fail "sendmail: $?"
}
start_sink() { # start_sink PORT
	"$build/bin/smtp-sink" -O "$scratch/sink.$1" "127.0.0.1:$1" 50 >/dev/null 2>&1 &
	sinks="$sinks $!"
	await 10 test -s "$scratch/sink.$1" || fail "smtp-sink did not start"
}
id_of() { sed -n "s/.*\]: \([0-9A-Za-z]*\): to=<$1>.*/\1/p" "$log" | head -n 1; }

init_instance "$scratch/i"
up=$(free_port) down=$(free_port)
start_sink "$up"
cat >>"$etc/main.cf" <<END
transport_maps = inline:{ {up.test = smtp:[127.0.0.1]:$up}, {down.test = smtp:[127.0.0.1]:$down},
	{nosuch.test = nosuch:next} }
smtp_initial_destination_concurrency = 1
END
start

# no such transport: deferred, one warning, others not delayed
for i in 1 2 3; do send "u$i@nosuch.test"; done
send a@up.test
await_log 'to=<a@up.test>.*status=sent'
for i in 1 2 3; do
	await_log "to=<u$i@nosuch.test>, relay=none, .*dsn=4.3.0, status=deferred \(mail transport unavailable\)"
done
[ "$(grep -c 'qmgr.*warning: connect to transport private/nosuch: No such file' "$log")" = 1 ] ||
	fail "not one warning"

# a dead destination rests
send u1@down.test
await_log 'to=<u1@down.test>.*status=deferred \(connect to 127.0.0.1\[127.0.0.1\]:'
send u2@down.test
await_log 'to=<u2@down.test>, relay=none, .*dsn=4.4.1, status=deferred \(delivery temporarily suspended: connect to 127.0.0.1\[127.0.0.1\]:[0-9]*: Connection refused\)'
send b@up.test
await_log 'to=<b@up.test>.*status=sent'

# a flush ends the rest
start_sink "$down"
idle() { [ -z "$(find "$scratch/i/spool/active" -type f)" ]; }
await 5 idle || fail "mail is still active"
await 5 eval '[ "$(find "$scratch/i/spool/deferred" -type f | wc -l)" = 5 ]' || fail "not five deferred messages"
"$postern" -c "$etc" flush >"$scratch/out" 2>&1 || fail "flush: $(cat "$scratch/out")"
await_log 'to=<u1@down.test>.*status=sent'
await_log 'to=<u2@down.test>.*status=sent'

# forced expiry
await 5 eval '[ "$(find "$scratch/i/spool/deferred" -type f | wc -l)" = 3 ]' || fail "not three deferred messages"
id=$(id_of u1@nosuch.test)
"$build/bin/postsuper" -c "$etc" -e "$id" >"$scratch/out" 2>&1 || fail "postsuper -e: $(cat "$scratch/out")"
"$postern" -c "$etc" flush >/dev/null 2>&1
await_log "$id: to=<u1@nosuch.test>.*dsn=4.7.0, status=deferred \(message is administratively expired\)"
await_log "$id: from=<sender@up.test>, status=force-expired, returned to sender"
await_log "$id: sender non-delivery notification: "
await_log "$id: removed"
await_log 'to=<sender@up.test>.*status=sent'

stop
grep -E 'fatal|panic' "$log" && fail "unexpected lines"
exit 0
