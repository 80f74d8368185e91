#!/bin/bash
# A new relayhost while mail flows: nothing is lost or refused, new mail takes the new way at once,
# and what waits is resolved anew.
. "$(dirname "$0")/submit.bash"
sinks=
for n in 1 2; do
	"$bin/smtp-sink" -O "$scratch/port$n" -d "$scratch/sink$n.%M." 127.0.0.1:0 100 &
	sinks="$sinks $!"
done
trap 'kill $sinks; cleanup' EXIT
for n in 1 2; do await 10 test -s "$scratch/port$n" || fail "no sink"; done
init_instance "$scratch/i" --set smtpd_peername_lookup=no \
	--set "relayhost=[127.0.0.1]:1" --set transport_retry_time=1
port=$PORT1
at() { cat "$scratch/sink$1".* 2>/dev/null | grep -ac "X-Mark: $2" || true; }
route() {
	"$bin/postconf" -e "relayhost = [127.0.0.1]:$1" || fail "postconf -e"
	"$bin/postern" -c "$etc" reload >"$scratch/out" 2>&1 || fail "reload: $(cat "$scratch/out")"
}
submit() { printf 'X-Mark: %s\nSubject: x\n\nhello\n' "$1" | "$bin/sendmail" -i -f a@client.example b@out.example; }
start
# what waits for a next hop that never was
submit waiting
await_log 'to=<b@out.example>.*status=deferred (connect to 127.0.0.1'
route "$(cat "$scratch/port1")"
await_log 'reload -- version'
submit first
await 15 eval '[ "$(at 1 first)" = 1 ]' || fail "the new route is not taken"
await 10 eval '"$bin/postqueue" -f; sleep 0.5; [ "$(at 1 waiting)" = 1 ]' || fail "what waited is not resolved anew: $("$bin/mailq")"

# a switch in full flow
"$bin/smtp-source" -s 5 -m 600 -f a@client.example -t b@out.example "127.0.0.1:$port" >"$scratch/source" 2>&1 &
source=$!
await 10 eval '[ "$(grep -c "status=sent" "$log")" -gt 100 ]' || fail "no flow"
route "$(cat "$scratch/port2")"
wait $source || fail "smtp-source: $(cat "$scratch/source")"
submit last
await 15 eval '[ "$(at 2 last)" = 1 ]' || fail "the second route is not taken"
await 20 count_is 0 || fail "left: $("$bin/mailq")"
[ "$(grep -c 'status=sent' "$log")" = 603 ] || fail "$(grep -c 'status=sent' "$log") sent, not 603"
grep -q "relay=127.0.0.1\[127.0.0.1\]:$(cat "$scratch/port1"),.*status=sent" "$log" || fail "nothing by the first route"
[ "$(at 1 last)" = 0 ] || fail "the old route is still taken"
# after all of what was resolved before has been sent, none goes the old way
tail -n 5 "$log" | grep -q ":$(cat "$scratch/port1")," && fail "the old route at the end"
stop
exit 0
