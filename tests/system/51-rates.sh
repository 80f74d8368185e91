#!/bin/bash
# Rates by destination, by mail provider and by transport, and the back-off from a destination that
# answers "too much": with real agents under a turned clock. Bad rates and patterns are refused by a
# reload, and what was in force stays.
. "$(dirname "$0")/chaos.bash"
. tests/system/clock.bash

make_relay
clock_setup "$etc"
refusing=$(free_port)
cat >"$etc/rates" <<END
a.test	6/1m
END
printf '%s\n' '/^421 4\.7\./	10m concurrency=1' >"$etc/patterns"
sed -i '/^minimal_backoff_time/d; /^maximal_backoff_time/d' "$etc/main.cf"
cat >>"$etc/main.cf" <<END
relayhost =
destination_rate_maps = texthash:$etc/rates
mx_rate_maps = inline:{ {big.test = 12/1m} }
transport_rate_maps = inline:{ {slow = 6/1m} }
destination_backoff_maps = regexp:$etc/patterns
transport_maps = inline:{ {a.test = smtp:[127.0.0.1]:$sink_port}, {c.test = slow:[127.0.0.1]:$sink_port},
	{r.test = smtp:[127.0.0.1]:$refusing}, {other.test = smtp:[127.0.0.1]:$sink_port} }
smtp_initial_destination_concurrency = 1
minimal_backoff_time = 60s
maximal_backoff_time = 120s
END
# a.test and other.test are the same next hop: the rate is that of the next hop's name, so they differ
sed -i "s/{other.test = smtp:\[127.0.0.1\]/{other.test = smtp:127.0.0.1/; s/^a\.test.*/[127.0.0.1]:$sink_port 6\/1m/" "$etc/main.cf" "$etc/rates"
echo "slow unix - - n - - smtp" >>"$etc/master.cf"
start_sink
"$bin/smtp-sink" -r RCPT -b "421 4.7.0 too many messages from you" "127.0.0.1:$refusing" 50 >/dev/null 2>&1 &
jobs_started=$!
await_port "$refusing"
clocked start

sent() { grep -c "to=<[a-z]*@$1>.*status=sent" "$log"; }
sent_is() { [ "$(sent "$1")" = "$2" ]; }
submit() { # submit DOMAIN COUNT
	local i
	for ((i = 0; i < $2; i++)); do
		clocked "$bin/sendmail" -i -f from@sender.test "to@$1" <<<"Subject: x" || fail "sendmail: $?"
	done
}

submit a.test 10
await 10 sent_is a.test 1 || fail "the first message is not sent"
submit other.test 5
await 10 sent_is other.test 5 || fail "another destination is held up: $(sent other.test) of 5"
sent_is a.test 1 || fail "$(sent a.test) messages at once"
clock_run 30 5
await 5 sent_is a.test 4 || fail "$(sent a.test) messages in 30 seconds, not 4"
clock_run 60 5
await 5 sent_is a.test 10 || fail "$(sent a.test) messages in 90 seconds, not all 10"

submit c.test 4
await 10 sent_is c.test 1 || fail "transport: the first message is not sent"
clock_run 20 5
await 5 sent_is c.test 3 || fail "transport: $(sent c.test) messages in 20 seconds, not 3"
clock_run 20 5
await 5 sent_is c.test 4 || fail "transport: $(sent c.test) messages in 40 seconds, not 4"

# one refusal, and the destination is left alone for ten minutes
submit r.test 1
await_log "warning: backing off from destination \[127.0.0.1\]:$refusing for 600 seconds, then 1 at a time: host .* said: 421 4.7.0 too many"
submit r.test 2
await 10 eval '[ "$(grep -c "to=<to@r.test>, relay=none, .*(delivery temporarily suspended: host .* 421 4.7.0 too many" "$log")" = 2 ]' ||
	fail "mail for it is not suspended"
tried=$(grep -c 'to=<to@r.test>, relay=127' "$log")
clock_run 540 30
[ "$(grep -c 'to=<to@r.test>, relay=127' "$log")" = "$tried" ] || fail "it was tried within the ten minutes"
again() { [ "$(grep -c 'to=<to@r.test>, relay=127' "$log")" -gt "$tried" ]; }
clock_run 300 30 again
await 5 again || fail "it is not tried again after the ten minutes"

# what is wrong is told, and what was in force stays
refused() { # refused REGEXP
	reload && fail "taken: $1"
	grep -q -- "$1" "$scratch/reload.out" || fail "reload says: $(cat "$scratch/reload.out")"
}
echo "d.test	20 a minute" >>"$etc/rates"
refused "main.cf: line [0-9]*: destination_rate_maps: texthash:$etc/rates: d.test: value \"20 a minute\": expected N/period"
sed -i '$d' "$etc/rates"
printf '%s\n' '/(/	5m' '/^450/	never' >>"$etc/patterns"
refused "main.cf: line [0-9]*: destination_backoff_maps: regexp:$etc/patterns: line 2: "
refused "destination_backoff_maps: regexp:$etc/patterns: line 3: value \"never\": time \"never\": expected"
sed -i '2,$d' "$etc/patterns"
reload || fail "the repaired tables are refused: $(cat "$scratch/reload.out")"
submit other.test 1
await 10 sent_is other.test 6 || fail "no mail flows after the reload"

# by provider: known from the first delivery on, whatever the destination
sed -i 's/^mx_rate_maps.*/mx_rate_maps = inline:{ {127.0.0.1 = 12\/1m} }/; /^destination_rate_maps/d' "$etc/main.cf"
reload || fail "reload: $(cat "$scratch/reload.out")"
submit other.test 2
submit a.test 2
both() { [ $(($(sent other.test) + $(sent a.test))) = "$1" ]; }
await 10 both 18 || fail "each destination's first message is not sent"
sleep 0.3
both 18 || fail "the provider's rate is not kept: $(sent other.test) and $(sent a.test)"
clock_run 60 5 both 20
await 5 both 20 || fail "the provider's rate holds up mail for ever"
clocked stop
grep -E 'fatal|panic' "$log" && fail "unexpected lines"
exit 0
