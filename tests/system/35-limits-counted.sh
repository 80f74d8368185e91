#!/bin/bash
# What the limits of clients count: every MAIL and RCPT, also those that are then refused; each
# service by itself, however long the addresses of both are. The client's own port in the log line of
# a message that a filter hands back.
. "$(dirname "$0")/service.bash"
trap cleanup EXIT
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }

"$postern" init "$scratch/i" >"$scratch/init.out" 2>&1 || fail "init: $(cat "$scratch/init.out")"
PORT1=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\);.*/\1/p' "$scratch/init.out")
long=127.100.100.100 PORT2=$(free_port) PORT3=$(free_port)
cat >>"$etc/main.cf" <<END
default_transport = discard
smtpd_client_event_limit_exceptions =
smtpd_authorized_xforward_hosts = 127.0.0.1
smtpd_client_port_logging = yes
smtpd_client_message_rate_limit = 4
smtpd_client_recipient_rate_limit = 3
smtpd_recipient_restrictions = check_recipient_access inline:{no@y.test=REJECT}
END
for port in $PORT2 $PORT3; do
	cat >>"$etc/master.cf" <<END
$long:$port inet n - n - - smtpd
    -o smtpd_client_connection_rate_limit=2 -o smtpd_client_ipv4_prefix_length=24
END
done
start

# talk ADDRESS PORT LINE...: one session; the reply code of each line
cat >"$scratch/talk.py" <<'END'
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 20)
f = s.makefile("rwb")
def reply():
    while True:
        line = f.readline().decode()
        if len(line) < 4 or line[3] == " ":
            return line[:3]
print(reply())
for line in sys.argv[3:]:
    f.write(line.encode() + b"\r\n")
    f.flush()
    print(reply())
END
says() { # says "CODES" ADDRESS PORT LINE...
	local want=$1 got
	shift
	got=$(python3 "$scratch/talk.py" "$@" | tr '\n' ' ')
	[ "$got" = "$want " ] || fail "$*: got $got, not $want"
}

# refused recipients, those with a bad address and with an unknown option count as well
says "220 250 554 501 555 450 450 221" 127.0.0.1 "$PORT1" "MAIL FROM:<a@x.test>" \
	"RCPT TO:<no@y.test>" "RCPT TO:<a@b..c>" "RCPT TO:<b@y.test> FOO" "RCPT TO:<b@y.test>" \
	"RCPT TO:<a@b..c>" QUIT
logged 'Recipient address rate limit exceeded: 4 from ' || fail "recipients are not counted"
# so do messages; what is no MAIL command at all does not
says "220 501 501 555 552 450 221" 127.0.0.1 "$PORT1" "MAIL FROM" "MAIL FROM:<a@b..c>" \
	"MAIL FROM:<a@b> FOO" "MAIL FROM:<a@b> SIZE=999999999999" "MAIL FROM:<a@b>" QUIT
logged 'Message delivery request rate limit exceeded: 5 from ' || fail "messages are not counted"

# two services whose names differ in the last digits alone
says "220 221" $long "$PORT2" QUIT
says "220 221" $long "$PORT2" QUIT
says "220 221" $long "$PORT3" QUIT
says "220 221" $long "$PORT3" QUIT
says "421" $long "$PORT2"
logged "Connection rate limit exceeded: 3 from .* for service $long:$PORT2" || fail "no limit"

"$postern" -c "$etc" reload >/dev/null 2>&1 || fail "reload"
says "220 250 250 250 250 221" 127.0.0.1 "$PORT1" "EHLO f" \
	"XFORWARD NAME=o.test ADDR=192.0.2.7 PORT=99" "MAIL FROM:<a@x.test>" "RCPT TO:<b@y.test>" QUIT
logged ', orig_client=o\.test\[192\.0\.2\.7\]:99$' || fail "no port of the original client"

# an option that nobody knows is no key
"$postern" -c "$etc" limits -x >"$scratch/out" 2>&1
[ $? = 64 ] && grep -q '^usage: postern limits' "$scratch/out" || fail "limits -x: $(cat "$scratch/out")"
exit 0
