#!/bin/bash
# Agents that answer nonsense: in the place of a delivery agent, mail is deferred with a reason and
# delivered when a real one is back; in the place of bounce(8) and defer(8), mail stays until the real
# ones are back. (Silence is in 49-stopped.) Nothing that such an agent says makes the queue manager believe in a delivery.
. "$(dirname "$0")/chaos.bash"
make_relay
agent=$build/tests/system/helpers/badagent
[ -x "$agent" ] || fail "$agent is not built"
cat >>"$etc/main.cf" <<END
transport_maps = inline:{ {bad.test=fake:}, {none.test=nowhere:}, {not.test=error:5.1.1 not here} }
END
fake=
end_fake() {
	[ -z "$fake" ] || kill $fake 2>/dev/null
	end_chaos
}
trap end_fake EXIT
fake_agent() { # fake_agent SOCKET HOW
	[ -z "$fake" ] || { kill $fake; wait $fake 2>/dev/null; }
	rm -f "$spool/private/$1" "$scratch/said"
	"$agent" "$spool/private/$1" "$2" >"$scratch/said" 2>&1 &
	fake=$!
	await 5 test -S "$spool/private/$1" || fail "no socket: $(cat "$scratch/said")"
}
start_sink
start
mail() { printf 'X-Token: %s\nSubject: x\n\ntext\n' "$1" | "$bin/sendmail" -f "${3-s@example.net}" "$2" || fail "sendmail"; }
n=0
for how in garbage half length field-length wrong-id wrong-type others fewer more outcome status slander close; do
	n=$((n + 1))
	fake_agent fake "$how"
	mail "token.$how" "$how@bad.test"
	await 20 logged "to=<$how@bad.test>,.*dsn=4.3.0, status=deferred (unknown mail transport error)" ||
		fail "$how: $(grep "$how@" "$log" | tail -n 3)"
	grep -q "to=<$how@bad.test>.*status=\(sent\|bounced\)" "$log" && fail "$how: believed"
done
[ "$(find "$spool/corrupt" -type f | wc -l)" = 0 ] || fail "believed that mail is damaged"
for text in 'malformed answer: to request' 'malformed answer: type 77' 'results for 1 recipients' 'malformed answer: unknown outcome 4711' \
	'malformed answer: recipient 1000 where 0' 'malformed answer: status "5.1.1.Bcc: all"' 'connection ended before the answer'; do
	grep -q "warning: private/fake: $text" "$log" || grep -q "warning: private/fake: malformed answer: .*$text" "$log" || fail "nobody says: $text"
done
# a transport that does not exist
mail token.none "x@none.test"
await 15 logged 'to=<x@none.test>,.*dsn=4.3.0, status=deferred (mail transport unavailable)' || fail "a transport that does not exist: $(grep none.test "$log" | tail -n 2)"
logged 'warning: connect to transport private/nowhere: No such file' || fail "nothing is said of it"
# the real ones come back
kill $fake
wait $fake 2>/dev/null
fake=
rm -f "$spool/private/fake"
sed -i 's/fake:/smtp:/; s/nowhere:/smtp:/' "$etc/main.cf"
qmgr_pid() { pgrep -P "$(master_pid)" -x qmgr; }
old=$(qmgr_pid)
renewed() { [ -n "$(qmgr_pid)" ] && [ "$(qmgr_pid)" != "$old" ]; }
"$postern" -c "$etc" reload >/dev/null 2>&1
await 10 renewed || fail "the queue manager stays"
"$postern" -c "$etc" flush
for how in garbage half length field-length wrong-id wrong-type others fewer more outcome status slander close none; do
	echo "token.$how 0" >>"$accepted"
done
await_all 20
await_empty 20
[ "$(duplicates)" = 0 ] || fail "$(duplicates) duplicates"

# bounce(8) and defer(8)
for service in bounce defer; do
	for how in garbage half length wrong-type close strange-status other-answer; do
		stop
		sed -i "/^$service /d" "$etc/master.cf"
		start
		fake_agent "$service" "$how"
		if [ "$service" = bounce ]; then
			mail "token.$service.$how" "$how@not.test" "from.$how@example.net"
		else
			stop_sink
			mail "token.$service.$how" "$how@late.test"
			echo "token.$service.$how 0" >>"$accepted"
		fi
		await 10 grep -q connection "$scratch/said" || fail "$service $how: was not asked"
		sleep 0.2
		# a message on the move may be listed twice
		[ "$("$bin/postqueue" -j | sed 's/.*"queue_id": "\([^"]*\)".*/\1/' | sort -u | wc -l)" = 1 ] || fail "$service $how: the mail is gone"
		kill $fake
		wait $fake 2>/dev/null
		fake=
		rm -f "$spool/private/$service"
		stop
		echo "$service unix - - n - 0 bounce" >>"$etc/master.cf"
		[ -n "$sink" ] || start_sink
		start
		"$postern" -c "$etc" flush
		await_empty 15
		if [ "$service" = bounce ]; then
			await 10 logged "to=<from.$how@example.net>.*status=sent" || fail "$service $how: no notice"
			[ "$(grep -c "to=<from.$how@example.net>.*status=sent" "$log")" = 1 ] || fail "$service $how: two notices"
		fi
	done
done
await_all 10
grep -E 'panic|fatal|killed by' "$log" && fail "panics"
exit 0
