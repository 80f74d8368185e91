#!/bin/bash
# A message of 5,000 recipients, 50 ms a delivery, is under way: single messages to the same
# destination and to others are delivered within two seconds. First the destination's concurrency is
# what is short, then the agents are.
. "$(dirname "$0")/submit.bash"

singles() { # singles NAME: ten to the bulk's destination, ten to others
	local i
	for i in $(seq 10); do
		"$bin/sendmail" -i -f s@times.test "$1$i@bulk.test" <<<"Subject: same" || fail "sendmail: $?"
		"$bin/sendmail" -i -f s@times.test "$1$i@other$i.test" <<<"Subject: other" || fail "sendmail: $?"
	done
}
delivered() { [ "$(grep -c "to=<$1[0-9]*@.*status=sent" "$log")" -ge "$2" ]; }
limit=2
case $build in *asan) limit=10 ;; esac # the sanitizers are slow
slow() { # slow NAME: deliveries that took as long, or longer
	sed -n "s/.*to=<$1[0-9]*@.* delay=\([0-9.]*\),.*status=sent.*/\1/p" "$log" | awk -v limit=$limit '$1 >= limit'
}
# scenario NAME LEAST: with the bulk under way, and at least so many of it left at the end
scenario() {
	"$bin/sendmail" -i -f s@times.test $(seq -f "bulk$1%g@bulk.test" 5000) <<<"Subject: bulk" || fail "sendmail: $?"
	await 10 delivered "bulk$1" 20 || fail "$1: the bulk does not begin"
	singles "$1"
	await 10 delivered "$1" 20 || fail "$1: singles are not delivered"
	[ -z "$(slow "$1")" ] || fail "$1: too slow: $(slow "$1")"
	[ "$(grep -c "to=<bulk$1[0-9]*@.*status=sent" "$log")" -lt "$2" ] || fail "$1: the bulk was done before"
}

make_instance discard
"$bin/smtp-sink" -O "$scratch/sink" -W .:0.05 0.0.0.0:0 100 >/dev/null 2>&1 &
sink=$!
trap 'kill $sink; cleanup' EXIT
await 10 test -s "$scratch/sink" || fail "no smtp-sink"
port=$(cat "$scratch/sink")
cat >>"$etc/main.cf" <<END
default_process_limit = 40
transport_maps = inline:{ {bulk.test = smtp:[127.0.0.1]:$port}$(for i in $(seq 10); do printf ', {other%s.test = smtp:[127.0.0.%s]:%s}' "$i" $((i + 1)) "$port"; done) }
smtp_destination_recipient_limit = 2
END
"$postern" -c "$etc" start >"$scratch/out" 2>&1 || fail "start: $(cat "$scratch/out")"
scenario window 5000
"$postern" -c "$etc" stop >"$scratch/out" 2>&1 || fail "stop: $(cat "$scratch/out")"
"$bin/postsuper" -d ALL >/dev/null 2>&1

# Each recipient a destination, ten agents: all wait for an agent.
sed -i 's/^smtp_destination_recipient_limit.*/smtp_destination_recipient_limit = 1/; s/^default_process_limit.*/default_process_limit = 10/' "$etc/main.cf"
"$postern" -c "$etc" start >"$scratch/out" 2>&1 || fail "start: $(cat "$scratch/out")"
scenario agents 5000
exit 0
