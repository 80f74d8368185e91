#!/bin/bash
# Selection of messages by expressions, dry runs, JSON lines, qshape, the deletion of everything;
# hostile addresses, damaged files, unreadable directories, ids of nothing.
. "$(dirname "$0")/submit.bash"
make_instance "retry:4.3.2 conversation timed out"
start
send() { printf 'Subject: x\n\n%*s\n' "$3" x | fold -w 900 | "$bin/sendmail" -f "$1" $2 || fail "sendmail $1 $2"; }
send news@spam.example 'a@one.example b@two.example' 10
send news@spam.example c@one.example 20000
send boss@good.example d@two.example 10
send '' e@sub.one.example 10
deferred_is() { [ "$("$bin/postqueue" -j | grep -c '"queue_name": "deferred"')" = "$1" ]; }
await 15 deferred_is 4 || fail "not deferred: $("$bin/mailq")"
id_of() { "$bin/postqueue" -j | grep "\"address\": \"$1\"" | sed 's/.*"queue_id": "\([^"]*\)".*/\1/' | sort -u; }
selects() { # selects COUNT EXPRESSION
	local n
	n=$("$bin/postqueue" -j --where "$2" | wc -l)
	[ "$n" = "$1" ] || fail "postqueue --where '$2': $n, not $1"
	expect 0 "^postsuper: Deleted: $1 message" "$bin/postsuper" -d --where "$2" --dry-run
}
selects 2 'sender=~@spam\.example'
selects 1 'queue=deferred and sender=~@spam\.example and age<2h and size>10k and reason~"timed out"'
selects 0 'sender=~@spam\.example and age>2h'
selects 3 'domain=one.example or domain=two.example'
selects 1 'domain=.one.example'
selects 1 'sender=<>'
selects 2 'not domain=one.example'
selects 1 'recipients>1'
selects 0 'queue=hold'
[ "$("$bin/postqueue" --where 'sender_domain=good.example' | grep -c '@')" = 2 ] || fail "text"
expect 0 '^No message matches$' "$bin/postqueue" --where 'queue=hold'
expect 0 '^4 messages, 5 recipients, ' "$bin/postqueue" --count
expect 0 '^{"messages": 2, "recipients": 3, "bytes": [0-9]*}$' "$bin/postqueue" -j --count --where 'sender=news@spam.example'
expect 64 'where: column 1: there is no field "sendr"' "$bin/postqueue" --where 'sendr=x'
expect 64 'where: column 15: a comparison is missing at the end' "$bin/postsuper" -d --where 'size>1k and   '
expect 64 usage "$bin/postqueue" -i ABCDEF --where 'size>1'
expect 64 'dry-run and -j go with' "$bin/postsuper" --dry-run -s
grep -q 'Deleted' "$log" && fail "a dry run is logged"
deferred_is 4 || fail "a dry run deletes"

# JSON lines say what was done
"$bin/postsuper" -h --where 'sender=boss@good.example' -j >"$scratch/json" 2>"$scratch/err" || fail "-h -j: $?"
grep -q "^{\"queue_name\": \"deferred\", \"queue_id\": \"$(id_of d@two.example)\", .*\"delay_reason\": \"conversation timed out\"}\], \"action\": \"hold\", \"dry_run\": false}$" "$scratch/json" || fail "$(cat "$scratch/json")"
grep -q 'Placed on hold: 1 message$' "$scratch/err" || fail "$(cat "$scratch/err")"
state_is "$(id_of d@two.example)" hold || fail "not held"

# combinations are done in their order; what is as it is to be does not count
one=$(id_of a@one.example) two=$(id_of c@one.example)
expect 0 'Force-expired: 1 message$' "$bin/postsuper" -e "$one" -e "$one"
expect 0 'Force-expired: 0 messages' "$bin/postsuper" -e "$one"
expect 0 "^$one# " "$bin/postqueue" -p
expect 0 'Placed on hold: 1 message$' "$bin/postsuper" -h "$one"
expect 0 "^$one!# " "$bin/postqueue" -p
expect 0 'Released from hold: 0 messages' "$bin/postsuper" -H "$two" -h "$two"
grep -q 'Placed on hold: 1 message$' "$scratch/out" || fail "$(cat "$scratch/out")"
expect 0 'Deleted: 0 messages' "$bin/postsuper" -d "$one" deferred
printf '%s junk\nb;d\n' "$one" | expect 0 "invalid mail queue id: $one junk" "$bin/postsuper" -d -
grep -q 'Deleted: 0 messages' "$scratch/out" || fail "$(cat "$scratch/out")"

# qshape: what postqueue knows, by domain
"$bin/qshape" hold deferred >"$scratch/shape" || fail "qshape: $?"
[ "$(awk '$1 == "TOTAL" { print $2 }' "$scratch/shape")" = 5 ] || fail "$(cat "$scratch/shape")"
[ "$(awk '$1 == "one.example" { print $2, $3 }' "$scratch/shape")" = '2 2' ] || fail "$(cat "$scratch/shape")"
[ "$("$bin/qshape" -s hold deferred | awk '$1 == "spam.example" { print $2 }')" = 2 ] || fail "qshape -s"
[ "$("$bin/qshape" -p -m 1 hold deferred | awk '$1 == ".one.example" { print $2 }')" = 1 ] || fail "qshape -p"
[ "$("$bin/qshape" "$spool/deferred" | awk '$1 == "TOTAL" { print $2 }')" = 1 ] || fail "qshape FOLDER"
expect 64 'expected a number' "$bin/qshape" -b x

# what would disturb a terminal, or a reader of JSON
send "$(printf '"\033[2Jx\302\233y"@evil.example')" f@one.example 10
await 15 deferred_is 2 || fail "$("$bin/mailq")"
"$bin/postqueue" -p | LC_ALL=C grep -q "$(printf '[\001-\011\013-\037\177]\\|\302\233')" && fail "a control character gets through"
"$bin/postqueue" -j | LC_ALL=C grep -q "$(printf '[\001-\011\013-\037]')" && fail "a control character in JSON"

# damage is named and passed over
printf 'PstR and then nothing' >"$spool/hold/ABCDEF123456"
if [ "$(id -u)" = 0 ]; then chown --reference="$spool/hold/$one" "$spool/hold/ABCDEF123456"; fi
[ "$("$bin/postqueue" -j | wc -l)" = 5 ] || fail "damage hides mail: $("$bin/postqueue" -j)"
await_log 'hold/ABCDEF123456: queue file is only 21 bytes'
expect 0 'hold/ABCDEF123456: queue file is only' "$bin/qshape" hold
expect 0 'ABCDEF123456: removed' "$bin/postsuper" -d ABCDEF123456

# maildrop only when it is named; then it alone
stop
echo x | "$bin/sendmail" -f m@x.example n@x.example || fail "sendmail while down"
expect 0 'Deleted: 1 message$' "$bin/postsuper" -d ALL maildrop
[ "$("$bin/postqueue" -j 2>/dev/null | wc -l)" = 5 ] || fail "more than maildrop was deleted"
expect 0 'Deleted: 0 messages' "$bin/postsuper" -d ALL defer
mkdir -p "$spool/deferred/.deleted.99999999.3" && cp "$spool/hold/$one" "$spool/deferred/.deleted.99999999.3/"
if [ "$(id -u)" = 0 ]; then chown -R --reference="$spool/hold" "$spool/deferred"; fi
expect 0 'finished the deletion of 1 message' "$bin/postsuper" -p
[ -e "$spool/deferred/.deleted.99999999.3" ] && fail "left behind"

# a directory that cannot be read hides nothing else
if [ "$(id -u)" != 0 ]; then
	chmod 0 "$spool/hold"
	"$bin/postqueue" -j >"$scratch/json" 2>"$scratch/err"
	chmod 700 "$spool/hold"
	[ "$(wc -l <"$scratch/json")" = 2 ] || fail "deferred is not listed: $(cat "$scratch/json" "$scratch/err")"
	grep -q 'open directory hold: Permission denied' "$scratch/err" || fail "$(cat "$scratch/err")"
fi

# everything, with many files: the queue is empty at once, the disk a little later
id=$(id_of c@one.example)
expect 0 '' "$bin/postsuper" -H ALL
timeout 100 "$build/tests/system/helpers/fillqueue" copy "$(find "$spool/deferred" -name "$id")" 3000 "$spool/deferred" || fail fillqueue
if [ "$(id -u)" = 0 ]; then chown -R --reference="$spool/hold" "$spool/deferred"; fi
n=$("$bin/postqueue" --count 2>/dev/null)
expect 0 '^3005 messages, 3006 recipients' "$bin/postqueue" --count
expect 0 'Deleted: 3005 messages' "$bin/postsuper" -d ALL
expect 0 'Mail queue is empty' "$bin/mailq"
all_gone() { [ -z "$(find "$spool/deferred" "$spool/defer" -type f)" ] && [ -z "$(find "$spool/deferred" -name '.deleted*')" ]; }
await 25 all_gone || fail "left: $(find "$spool/deferred" "$spool/defer" | head)"
exit 0
