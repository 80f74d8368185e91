#!/bin/bash
# Messages of one transport, one agent: who passes whom under which settings. Where Debian's Postfix
# is installed, it delivers in the same order.
. "$(dirname "$0")/submit.bash"
. tests/system/postfix.bash

# NAME COST LOAN DISCOUNT MINIMUM SIZES ORDER: messages a, b, c of so many recipients
patterns="never 0 3 50 0 10,2,2 aaaaaaaaaabbcc
earned 2 0 0 3 10,2,2 aaaabbaaaaccaa
half 2 0 50 3 10,2,2 aabbaaaaccaaaa
loan 2 1 0 3 10,2,2 aabbaaaaccaaaa
minimum 2 0 0 6 10,2,2 aaaaaaaaaabbcc
usual 5 3 50 3 20,1,1 abaaaaacaaaaaaaaaaaaaa
third 3 0 0 3 10,2,2 aaaaaabbaaaacc"

settings() {
	local name cost loan discount minimum rest
	echo "default_destination_recipient_limit = 1"
	while read -r name cost loan discount minimum rest; do
		cat <<END
${name}_delivery_slot_cost = $cost
${name}_delivery_slot_loan = $loan
${name}_delivery_slot_discount = $discount
${name}_minimum_delivery_slots = $minimum
END
	done <<<"$patterns"
	echo "transport_maps = inline:{ $(sed -n "s/\([a-z]*\).*/{\1.test = \1:[127.0.0.1]:$port},/p" <<<"$patterns" | tr -d '\n' | sed 's/,$//') }"
}
services() { sed 's/\([a-z]*\).*/\1 unix - - n - 1 smtp/' <<<"$patterns"; }
order() { sed -n "s/.*: to=<\([a-c]\)[0-9]*@$2.test>.*status=sent.*/\1/p" "$1" | tr -d '\n'; }
known() { [ "$(grep -c 'from=<from@times.test>.*queue active' "$1")" -ge "$2" ]; }
submit() { # submit SENDMAIL ETC LOG: all messages of all patterns, the first of each pattern first
	local letter name rest sizes size column=1
	for letter in a b c; do
		while read -r name _ _ _ _ sizes rest; do
			size=$(cut -d, -f$column <<<"$sizes")
			"$1" -C "$2" -i -f from@times.test $(seq -f "$letter%g@$name.test" "$size") <<<"Subject: $letter" ||
				fail "sendmail: $?"
		done <<<"$patterns"
		await 30 known "$3" $((column * $(wc -l <<<"$patterns"))) || fail "$letter does not become active"
		column=$((column + 1))
	done
}
complete() { # complete LOG
	local name order rest
	while read -r name _ _ _ _ _ order; do
		[ "$(order "$1" "$name" | wc -c)" -ge ${#order} ] || return 1
	done <<<"$patterns"
}

make_instance discard
"$bin/smtp-sink" -O "$scratch/sink" 127.0.0.1:0 100 >/dev/null 2>&1 &
sink=$!
trap 'end_process $sink; end_postfix' EXIT
await 10 test -s "$scratch/sink" || fail "no smtp-sink"
port=$(cat "$scratch/sink")
kill -STOP "$sink" # the first delivery of each pattern is under way until all messages are there
settings >>"$etc/main.cf"
services >>"$etc/master.cf"
"$postern" -c "$etc" start >"$scratch/out" 2>&1 || fail "start: $(cat "$scratch/out")"
submit "$bin/sendmail" "$etc" "$log"
if have_postfix; then
	make_postfix discard
	settings >>"$pf_etc/main.cf"
	services >>"$pf_etc/master.cf"
	start_postfix
	submit /usr/sbin/sendmail "$pf_etc" "$pf_log"
fi
kill -CONT "$sink"
await 60 complete "$log" || fail "not all is delivered"
while read -r name _ _ _ _ _ want; do
	[ "$(order "$log" "$name")" = "$want" ] || fail "$name: $(order "$log" "$name"), not $want"
done <<<"$patterns"
[ -n "$pf_pid" ] || exit 0
await 60 complete "$pf_log" || fail "Postfix has not delivered all"
while read -r name _ _ _ _ _ want; do
	[ "$(order "$pf_log" "$name")" = "$want" ] || fail "Postfix: $name: $(order "$pf_log" "$name")"
done <<<"$patterns"
exit 0
