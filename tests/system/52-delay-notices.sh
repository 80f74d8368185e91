#!/bin/bash
# The warning of a delay: when it is due, once per message whatever happens to the queue manager, who
# gets it, and the notice of its end. Days pass in milliseconds.
. "$(dirname "$0")/submit.bash"
. tests/system/clock.bash
make_instance smtp
port=$(free_port)
sed -i -E '/^(alias_maps|local_transport|mail_spool_directory)/d' "$etc/main.cf"
mkdir -m 1777 "$scratch/mail"
cat >>"$etc/main.cf" <<END
local_transport = local
alias_maps =
minimal_backoff_time = 300s
maximal_backoff_time = 600s
local_recipient_maps =
mail_spool_directory = $scratch/mail/
transport_maps = inline:{ {away.example = smtp:[127.0.0.1]:$port} }
delay_warning_time = 4h
confirm_delay_cleared = yes
maximal_queue_lifetime = 2d
bounce_queue_lifetime = 2d
notify_classes = delay
delay_notice_recipient = news
END
clock_setup "$etc"
clocked "$postern" -c "$etc" start >"$scratch/start.out" 2>&1 || fail "start: $(cat "$scratch/start.out")"

message() { printf 'Subject: %s\n\nthe body\n' "$1"; }
post() { clocked "$bin/sendmail" -f "$@" || fail "sendmail: $?"; }
notices() { grep -ls "^Action: $2" "$scratch/mail/$1"/new/* 2>/dev/null | wc -l; }
deferred() { [ "$(find "$spool/deferred" -type f | wc -l)" = "$1" ]; }
warned() { [ "$(count_logged 'sender delay notification')" -ge "$1" ]; }

message waits | post daemon@localhost one@away.example
message quiet | post daemon@localhost -N failure two@away.example
message wanted | post bin@localhost -N delay three@away.example
message null | post '<>' four@away.example
await 15 deferred 4 || fail "not deferred"

clock_run 10800 600
[ "$(notices daemon delayed)" = 0 ] || fail "warned after three hours"
clock_run 3000 600
clock_run 1500 20 warned 2 || fail "no warning"
await 10 eval '[ "$(notices daemon delayed)" = 1 ] && [ "$(notices bin delayed)" = 1 ]' || fail "no notice"
await 10 eval '[ "$(notices news delayed)" = 3 ]' || fail "postmaster: $(notices news delayed)"
notice=$(grep -ls '^Action: delayed' "$scratch"/mail/daemon/new/*)
for part in '^Subject: Delayed Mail (still being retried)' '^Status: 4.4.1' '^Will-Retry-Until: ' '^Final-Recipient: rfc822; one@away.example' \
	'waiting for 4 hour(s) or' 'is 2 day(s) old' '^Content-Type: text/rfc822-headers'; do
	grep -q "$part" "$notice" || fail "the warning lacks $part: $(cat "$notice")"
done
"$bin/postcat" -eq "$("$bin/postqueue" -j | sed -n '/one@away/s/.*"queue_id": "\([^"]*\)".*/\1/p')" |
	grep -q 'named_attribute: delay_warning=sent' || fail "postcat does not show it"

# once: not again after more attempts, a killed queue manager and a restart
for pid in $(children); do
	[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = qmgr ] && kill -9 "$pid"
done
clock_run 7200 600
"$postern" -c "$etc" stop >"$scratch/out" 2>&1
clocked "$postern" -c "$etc" start >"$scratch/start.out" 2>&1 || fail "start: $(cat "$scratch/start.out")"
clock_run 7200 600
[ "$(notices daemon delayed)" = 1 ] || fail "warned more than once"
[ "$(count_logged 'sender delay notification')" = 2 ] || fail "told more than once: $(grep 'delay notification' "$log")"

# it comes through after all
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
python3 - "$port" <<'END' &
import socket, sys
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(20)
while True:
    s, _ = listener.accept()
    f = s.makefile("rwb", buffering=0)
    f.write(b"220 here ESMTP\r\n")
    for line in f:
        word = line[:4].upper()
        if word == b"DATA":
            f.write(b"354 go\r\n")
            while f.readline() not in (b".\r\n", b""): pass
        f.write(b"221 bye\r\n" if word == b"QUIT" else b"250 2.0.0 fine\r\n")
        if word == b"QUIT": break
    s.close()
END
far=$!
trap 'kill $far; cleanup' EXIT
await 10 eval "exec 5<>/dev/tcp/127.0.0.1/$port" || fail "no server"
exec 5>&-
"$bin/postqueue" -f
clock_run 1200 20 count_is 0
await 15 count_is 0 || fail "still there: $("$bin/mailq")"
# who did not want to hear of delays does not hear of their end either
await 15 eval '[ "$(notices bin relayed)" = 1 ]' || fail "no notice of the end: $(notices bin relayed)"
await 15 eval '[ "$(notices daemon relayed)" = 1 ]' || fail "no notice of the end: $(notices daemon relayed)"
grep -lsq '^Final-Recipient: rfc822; one@away.example' $(grep -ls '^Action: relayed' "$scratch"/mail/daemon/new/*) || fail "not about one@"
await 15 count_is 0 || fail "left: $("$bin/mailq")"
for folder in bounce defer trace; do
	[ -z "$(find "$spool/$folder" -type f)" ] || fail "left in $folder"
done

stop
grep -E 'fatal|panic' "$log" && fail "unexpected lines"
exit 0
