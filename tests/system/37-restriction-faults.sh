#!/bin/bash
# What access control does when what it asks fails: policy servers that hang, die, answer nonsense or
# without end; DNS lists that do not answer, or lie; verify killed while it is asked; tables that are
# corrupt. Never a wrong permit, never a session that hangs.
. "$(dirname "$0")/submit.bash"
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
cases=tests/system/restrictions.py
server= clients=

end() {
	[ -n "$server" ] && kill "$server" 2>/dev/null
	for c in $clients; do kill "$c" 2>/dev/null; done
	cleanup
}
trap end EXIT

# ask NAME RESTRICTIONS...: an smtpd of its own, on 127.3.0.N
services=0
service() { # service NAME SETTING...
	services=$((services + 1))
	eval "at_$1=127.3.0.$services"
	echo "127.3.0.$services:$port inet n - n - - smtpd"
	shift
	for setting; do echo "    -o { $setting }"; done
}
replies() { # replies NAME [SENDER]: all that the server says
	python3 - "$(eval "echo \$at_$1")" "$port" "${2:-s@sender.test}" <<'END'
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 120, source_address=("127.0.0.1", 0))
f = s.makefile("rb")
print(f.readline().decode().strip())
for line in "HELO client.example", "MAIL FROM:<%s>" % sys.argv[3], "RCPT TO:<r@example.org>", "QUIT":
    s.sendall(line.encode() + b"\r\n")
    print(f.readline().decode().strip())
END
}
answer() { # answer NAME PATTERN [SENDER]: to RCPT
	local got
	got=$(replies "$1" "${3:-}" 2>&1 | sed -n 4p)
	grep -q "$2" <<<"$got" || fail "$1: \"$got\" is not $2"
}
policy() { echo "smtpd_recipient_restrictions = check_policy_service { inet:127.0.0.1:$policy_port, { policy_context = $1 }, retry_delay=1s$2 }"; }

make_instance discard
port=$(free_port) policy_port=$(free_port) dns_port=$(free_port)
python3 $cases serve "$dns_port" "$policy_port" >"$scratch/served" 2>&1 &
server=$!
await 10 grep -q ready "$scratch/served" || fail "servers: $(cat "$scratch/served")"
cat >>"$etc/main.cf" <<END
mydestination = example.org
mynetworks = 192.0.2.0/24
local_recipient_maps =
smtpd_peername_lookup = no
smtpd_relay_restrictions = reject_unauth_destination
dns_resolver_address = 127.0.0.1:$dns_port
address_verify_poll_delay = 1s
smtpd_error_sleep_time = 0
END
printf 'r@example.org REJECT never\n' >"$scratch/table"
"$bin/postmap" "lmdb:$scratch/table" || fail "postmap"
service hang "$(policy hang ", timeout=1s, try_limit=1")" >>"$etc/master.cf"
service die "$(policy die "")" >>"$etc/master.cf"
service nonsense "$(policy nonsense "")" >>"$etc/master.cf"
service endless "$(policy endless ", try_limit=1")" >>"$etc/master.cf"
service slow "$(policy slow "")" >>"$etc/master.cf"
service passes "$(policy die ", try_limit=1, default_action=DUNNO")" >>"$etc/master.cf"
service sick "smtpd_recipient_restrictions = reject_rbl_client sick.test" >>"$etc/master.cf"
service parked "smtpd_recipient_restrictions = reject_rbl_client parked.test" >>"$etc/master.cf"
service named "smtpd_recipient_restrictions = reject_rbl_client parked.test=203.0.113.9" >>"$etc/master.cf"
service white "smtpd_recipient_restrictions = permit_dnswl_client sick.test, reject" >>"$etc/master.cf"
service filter "smtpd_recipient_restrictions = reject_rbl_client bl.test=127.0.0" >>"$etc/master.cf"
service table "smtpd_recipient_restrictions = check_recipient_access lmdb:$scratch/table, permit" >>"$etc/master.cf"
service absent "smtpd_recipient_restrictions = check_recipient_access lmdb:$scratch/absent, permit" >>"$etc/master.cf"
service loop "smtpd_recipient_restrictions = a" "smtpd_restriction_classes = a b" "a = b" "b = a" >>"$etc/master.cf"
service filtered "smtpd_recipient_restrictions = check_recipient_access static:{FILTER error:filtered}" >>"$etc/master.cf"
service redirected "smtpd_recipient_restrictions = check_recipient_access static:{REDIRECT new@example.org}" >>"$etc/master.cf"
service verify "smtpd_recipient_restrictions = reject_unverified_sender" >>"$etc/master.cf"
start

broken='^451 4.3.5 <r@example.org>: Recipient address rejected: Server configuration problem'
answer hang "$broken"
answer die "$broken"
answer nonsense "$broken"
answer endless "$broken"
answer slow '^250'
answer passes '^250'
logged "problem talking to server 127.0.0.1:$policy_port: Connection timed out" || fail "time-out not logged"

# an answer about the question is none about the client, and is told of once
answer sick '^250'
answer sick '^250'
answer parked '^250'
answer named '^554 5.7.1 Service unavailable; Client host \[127.0.0.1\] blocked using parked.test'
answer white '^554 5.7.1 <r@example.org>: Recipient address rejected: Access denied'
answer filter '^451 4.3.5'
logged "sick.test: the list answers 127.255.255.254" || fail "error answer not logged"
logged "parked.test: the list answers 203.0.113.9" || fail "answer of no list not logged"

# a table whose pages are garbage, one that is not there, lists without end
answer table '^554 5.7.1'
head -c 8192 /dev/urandom >"$scratch/garbage"
cp "$scratch/garbage" "$scratch/table.lmdb.new" && mv "$scratch/table.lmdb.new" "$scratch/table.lmdb"
reload || fail "reload: $(cat "$scratch/reload.out")"
answer table '^4[05][01] 4.3\|^554 5.7.1'
answer absent '^451 4.3.5 <r@example.org>: Recipient address rejected: Server configuration error'
answer loop '^451 4.3.5'

# the filter's transport takes the message, the redirected one goes to the new address only
message() { # message NAME: through to the end
	python3 - "$(eval "echo \$at_$1")" "$port" <<'END'
import smtplib, sys
c = smtplib.SMTP(sys.argv[1], int(sys.argv[2]), "client.example", timeout=20, source_address=("127.0.0.1", 0))
c.sendmail("s@sender.test", ["r@example.org"], "Subject: x\r\n\r\ntext\r\n")
END
}
message filtered && message redirected || fail "not taken"
await_log 'postfix/error.*to=<r@example.org>.*status=bounced.*filtered'
await_log 'to=<new@example.org>, relay=none.*status=sent'

# verify dies again and again while it is asked; afterwards it answers
for i in 1 2 3 4 5 6; do
	replies verify "load$i@sender.test" >"$scratch/load.$i" 2>&1 &
	clients="$clients $!"
done
for _ in 1 2 3 4; do
	for p in $(children); do
		[ "$(cat "/proc/$p/comm" 2>/dev/null)" = verify ] && kill -9 "$p"
	done
	sleep 0.3
done
wait $clients
clients=
for i in 1 2 3 4 5 6; do
	sed -n 4p "$scratch/load.$i" | grep -q '^250\|^450 4.1.7' || fail "load $i: $(cat "$scratch/load.$i")"
done
verified() { replies verify last@sender.test 2>&1 | sed -n 4p | grep -q '^250'; }
await 15 verified || fail "verify does not answer again"
grep -q 'to=<last@sender.test>.*status=deliverable' "$log" || fail "no probe"
# one that verify had no time left to tell qmgr of
"$bin/postkick" public qmgr I
[ -z "$(queue_ids)" ] || await 5 count_is 0 || fail "probes stay in the queue: $(queue_ids)"
! logged 'panic:\|fatal:' || fail "panic or fatal"
stop
