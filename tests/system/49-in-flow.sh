#!/bin/bash
# in_flow_delay: while the active queue is full, smtpd and pickup wait so long before each message,
# and no longer than until there is room; with 0 they do not wait. Nothing is lost either way.
. "$(dirname "$0")/chaos.bash"

# No connection is answered until the sink is told to go on: what is active stays active.
start_system() { # start_system SECONDS
	make_relay
	cat >>"$etc/main.cf" <<END
in_flow_delay = $1
qmgr_message_active_limit = 10
default_process_limit = 5
END
	start_sink
	kill -STOP "$sink"
	start
}
elapsed() { # elapsed COMMAND...: milliseconds
	local begin
	begin=$(date +%s%N)
	"$@" || fail "$*: $(tail -n 3 "$scratch/source.out")"
	took=$((($(date +%s%N) - begin) / 1000000))
}
submit() { # by sendmail; how long pickup needs for them
	local i
	for i in 1 2 3; do
		"$bin/sendmail" -i -f from@sender.test to@up.test <<<"Subject: x" || return 1
	done
	await 15 eval '[ -z "$(find "$spool/maildrop" -type f)" ]'
}

full() { "$bin/postqueue" --scheduler | grep -q 'more wait for room$'; }

start_system 1
elapsed source_mail -m 10 -s 1 -d -f from@sender.test -t to@up.test
[ "$took" -lt $((5000 * patience)) ] || fail "mail was held up while there was room: $took ms"
source_mail -m 1 -f from@sender.test -t to@up.test || fail "smtp-source: $(tail -n 3 "$scratch/source.out")"
await 10 full || fail "the active queue has room for eleven: $("$bin/postqueue" --scheduler)"
elapsed source_mail -m 3 -s 1 -d -f from@sender.test -t to@up.test
[ "$took" -ge 1900 ] || fail "three messages to a full queue took $took ms"
elapsed submit
[ "$took" -ge 1900 ] || fail "pickup took three messages to a full queue in $took ms"
kill -CONT "$sink"
await_all 15
await_empty 15
elapsed source_mail -m 5 -s 1 -d -f from@sender.test -t to@up.test
[ "$took" -lt $((4000 * patience)) ] || fail "mail is held up although there is room again: $took ms"
await_all 10
stop_sink
stop

rm -rf "$scratch/i"
start_system 0
elapsed source_mail -m 15 -s 1 -d -f from@sender.test -t to@up.test
[ "$took" -lt $((4000 * patience)) ] || fail "in_flow_delay = 0, and 15 messages took $took ms"
elapsed submit
[ "$took" -lt $((2900 * patience)) ] || fail "in_flow_delay = 0, and pickup took $took ms"
kill -CONT "$sink"
await_all 15
await_empty 15
stop

# bounds: refused with the parameter's name, the old one stays in force
start
echo "in_flow_delay = 11" >>"$etc/main.cf"
reload && fail "in_flow_delay = 11 was taken"
grep -q 'in_flow_delay = 11: expected' "$scratch/reload.out" || fail "reload says: $(cat "$scratch/reload.out")"
elapsed source_mail -m 1 -f from@sender.test -t to@up.test
await_all 10
stop
grep -E 'fatal|panic' "$log" && fail "unexpected lines"
exit 0
