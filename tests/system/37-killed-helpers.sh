#!/bin/bash
# What smtpd asks is killed again and again while clients send: anvil, verify, tlsmgr, qmgr, an agent,
# the policy server. Each answer stays right, nothing taken is lost, and the rest goes on.
. "$(dirname "$0")/submit.bash"
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
server='' clients=''
end() {
	for p in $server $clients; do kill "$p"; done 2>/dev/null
	cleanup
}
trap end EXIT
serve() {
	python3 tests/system/restrictions.py serve "$dns" "$policy" >>"$scratch/served" 2>&1 &
	server=$!
}

make_instance discard
port=$(free_port) policy=$(free_port) dns=$(free_port)
serve
await 10 grep -q ready "$scratch/served" || fail "servers: $(cat "$scratch/served")"
cat >>"$etc/main.cf" <<END
mydestination = example.org
mynetworks =
local_recipient_maps =
smtpd_peername_lookup = no
smtpd_error_sleep_time = 0
address_verify_poll_delay = 1s
smtpd_relay_restrictions = reject_unauth_destination
END
cat >>"$etc/master.cf" <<END
127.0.0.1:$port inet n - n - - smtpd
    -o { smtpd_recipient_restrictions = check_recipient_access inline:{{bad@example.org = REJECT}},
        reject_unverified_sender, check_policy_service { inet:127.0.0.1:$policy,
        { policy_context = DUNNO }, retry_delay=1s } }
END
start
# clients PORT FILE: for five seconds; one message after the other, a line for each
cat >"$scratch/clients.py" <<'END'
import socket, sys, threading, time
end, lines = time.time() + 5, []

def send(number):
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 120)
    f = s.makefile("rb")

    def say(line):
        if line:
            s.sendall(line.encode() + b"\r\n")
        return f.readline().decode().strip()

    for line in None, "HELO x.test", "MAIL FROM:<s%d@sender.test>" % (number % 3):
        say(line)
    bad, other, good = (say("RCPT TO:<%s>" % a) for a in ("bad@example.org", "x@other.test", "r@example.org"))
    taken = ""
    if good[:3] == "250" and say("DATA")[:3] == "354":
        taken = say("Subject: x\r\n\r\ntext\r\n.")
    right = bad[:1] in "45" and other[:1] in "45" and good[:1] in "24" and taken[:1] in ("", "2", "4")
    return ("right" if right else "WRONG %s %s %s" % (bad, other, good)) + " " + taken

def client():
    number = 0
    # until the killing is over and something was taken again
    while time.time() < end or (time.time() < end + 20 and not any("queued" in l for l in lines)):
        number += 1
        try:
            lines.append(send(number))
        except OSError as e:
            lines.append("lost %s" % e)

threads = [threading.Thread(target=client) for _ in range(5)]
for t in threads:
    t.start()
for t in threads:
    t.join()
open(sys.argv[2], "w").write("\n".join(lines) + "\n")
END
python3 "$scratch/clients.py" "$port" "$scratch/said" &
clients=$!
for i in 1 2 3 4 5 6 7 8; do
	for p in $(children); do
		case $i$(cat "/proc/$p/comm" 2>/dev/null) in
		?anvil | [1357]verify | [2468]qmgr | ?tlsmgr | [258]discard) kill -9 "$p" ;;
		esac
	done
	[ "$i" != 4 ] || { kill -9 "$server"; wait "$server" 2>/dev/null; serve; }
	sleep 0.5
done
wait "$clients"
clients=
! grep -v '^right' "$scratch/said" || fail "wrong answers"
taken=$(sed -n 's/.*queued as //p' "$scratch/said")
[ -n "$taken" ] || fail "nothing was taken: $(cat "$scratch/said")"
await 30 count_is 0 || fail "mail stays: $(queue_ids)"
for id in $taken; do
	grep -q "$id: to=<r@example.org>.*status=sent" "$log" || fail "$id is lost"
done
! logged 'panic:' || fail "panic"
stop
