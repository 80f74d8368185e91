#!/bin/bash
# Limits of clients and senders, counted across all smtpd processes; the counts of what died are
# given back; anvil dies and comes back; a reset by the operator; counts of senders outlive a
# restart.
. "$(dirname "$0")/service.bash"
holders=()
end() {
	[ ${#holders[@]} -gt 0 ] && kill "${holders[@]}" 2>/dev/null
	cleanup
}
trap end EXIT
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }

init_instance "$scratch/i"
cat >>"$etc/main.cf" <<END
default_transport = discard
smtpd_client_event_limit_exceptions =
smtpd_client_connection_count_limit = 3
smtpd_client_message_rate_limit = 20
smtpd_client_recipient_rate_limit = 25
smtpd_sender_limit_maps = inline:{ { two@x.test = messages=2/h } { @held.test = recipients=1/d action=hold }
	{ no@x.test = messages=0/h action=reject } { bad@x.test = messages=5 } }
END
start

# talk LINE...: one session; prints the reply code of each line, ".": the end of a message
cat >"$scratch/talk.py" <<'END'
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 120)
f = s.makefile("rwb")
def reply():
    while True:
        line = f.readline().decode()
        if len(line) < 4 or line[3] == " ":
            return line.rstrip()
print(reply()[:3])
for line in sys.argv[2:]:
    if line == "wait":
        sys.stdin.readline()
        continue
    f.write(line.encode() + b"\r\n")
    f.flush()
    print(reply()[:9] if line != "QUIT" else reply()[:3], flush=True)
END
talk() { python3 "$scratch/talk.py" "$PORT1" "$@" | tr '\n' ' '; }
says() { # says "CODES" LINE...
	local want=$1 got
	shift
	got=$(talk "$@")
	[ "$got" = "$want " ] || fail "$*: got $got, not $want"
}
message() { printf '%s\n' "MAIL FROM:<$1>" "RCPT TO:<o@y.test>" DATA "Subject: x" .; }

# three connections at once, not four; the end of one makes room, be it a violent one
mkfifo "$scratch/never"
for i in 1 2 3; do
	python3 "$scratch/talk.py" "$PORT1" "HELO $i" wait <>"$scratch/never" >"$scratch/o$i" &
	holders+=($!)
	await 10 grep -q '^250' "$scratch/o$i" || fail "connection $i"
done
says "421"
await_log 'warning: Connection concurrency limit exceeded: 4 from [a-z]*\[127.0.0.1\] for service'
kill "${holders[0]}"
await 10 eval '[ "$(talk QUIT)" = "220 221 " ]' || fail "no room after the end of a connection"
pkill -9 -P "$(master_pid)" -x smtpd
await 10 eval '[ "$(talk QUIT)" = "220 221 " ]' || fail "the dead did not give back"
kill "${holders[@]}" 2>/dev/null
holders=()
wait

# a sender's own limits
says "220 250 2.1.0 250 2.0.0 250 2.1.0 250 2.0.0 450 4.7.1 221" \
	"MAIL FROM:<two@x.test>" RSET "MAIL FROM:<Two@X.test>" RSET "MAIL FROM:<two@x.test>" QUIT
says "220 550 5.7.1 451 4.3.0 221" "MAIL FROM:<no@x.test>" "MAIL FROM:<bad@x.test>" QUIT
logged 'smtpd_sender_limit_maps: bad@x.test: "5": expected N/h or N/d' || fail "no word on a bad limit"
says "220 250 2.1.0 250 2.1.5 250 2.1.5 221" "MAIL FROM:<u@held.test>" "RCPT TO:<a@y.test>" "RCPT TO:<b@y.test>" QUIT
logged 'recipient limit exceeded: 2 per day by sender <u@held.test> .*: held' || fail "not held"

# the operator looks and resets
"$postern" -c "$etc" limits >"$scratch/limits" || fail "limits"
grep -q '^sender:two@x.test  *messages_hour=3 messages_day=3 recipients_hour=0' "$scratch/limits" || fail "$(cat "$scratch/limits")"
"$postern" -c "$etc" limits -j | python3 -c 'import json,sys; [json.loads(l) for l in sys.stdin]' || fail "no JSON"
"$postern" -c "$etc" limits SENDER:two@X.test | grep -q '^sender:two@x.test ' || fail "another case of letters"
"$postern" -c "$etc" limits reset sender:TWO@x.test >/dev/null || fail "reset"
says "220 250 2.1.0 221" "MAIL FROM:<two@x.test>" QUIT

# anvil dies: sessions go on, and are counted again
pid=$(pgrep -P "$(master_pid)" -x anvil)
kill -9 "$pid"
says "220 250 2.1.0 221" "MAIL FROM:<any@x.test>" QUIT
await 20 eval '[ "$(pgrep -c -P "$(master_pid)" -x anvil)" = 1 ]' || fail "no new anvil"
says "220 250 2.1.0 250 2.0.0 250 2.1.0 250 2.0.0 450 4.7.1 221" \
	"MAIL FROM:<two@x.test>" RSET "MAIL FROM:<two@x.test>" RSET "MAIL FROM:<two@x.test>" QUIT

# a restart: clients begin anew, senders do not
stop
await 10 gone "$(cat "$scratch/i/spool/pid/master.pid")"
logged 'statistics: max connection rate [0-9]*/60s for (.*127.0.0.1) at ' || fail "no statistics"
start
says "220 450 4.7.1 221" "MAIL FROM:<two@x.test>" QUIT
exit 0
