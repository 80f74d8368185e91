#!/bin/bash
# ORCPT: what servers with DSN hear of the recipient as it was given; as Debian's Postfix says it.
. "$(dirname "$0")/chaos.bash"
. tests/system/postfix.bash

make_relay
start_sink
start

send() { # send RCPT [smtp-source options]
	"$bin/smtp-source" -f "from@sender.test" -t "$1" "${@:2}" "127.0.0.1:$port" >"$scratch/out" 2>&1 ||
		fail "smtp-source: $(cat "$scratch/out")"
}
arrived() { [ "$(grep -c '^X-Rcpt-Args' "$dump")" = "$1" ]; }
all_of_them() { # all_of_them PORT: the arguments of all RCPT commands
	port=$1
	: >"$dump"
	send to@up.test
	send 'we+ird@up.test'
	await 15 arrived 2 || fail "not arrived: $(cat "$log")"
	grep '^X-Rcpt-Args' "$dump" | sort
}
all_of_them "$PORT1" >"$scratch/ours" || exit
grep -qx 'X-Rcpt-Args: <we+ird@up.test> ORCPT=rfc822;we+2Bird@up.test' "$scratch/ours" || fail "we say: $(cat "$scratch/ours")"
: >"$dump"
echo "enable_original_recipient = no" >>"$etc/main.cf"
reload || fail "reload"
port=$PORT1
send to@up.test
await 15 arrived 1
grep -qx 'X-Rcpt-Args: <to@up.test>' "$dump" || fail "without enable_original_recipient: $(cat "$dump")"
if have_postfix; then
	make_postfix smtp:"[127.0.0.1]:$sink_port"
	start_postfix
	all_of_them "$PF_PORT" >"$scratch/theirs" || exit
	diff "$scratch/theirs" "$scratch/ours" || fail "Postfix says other things"
fi
stop
exit 0
