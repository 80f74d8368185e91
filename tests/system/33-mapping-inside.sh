#!/bin/bash
# Mail that does not come by SMTP has its addresses mapped too: sendmail's, what local(8) forwards,
# notices, probes. A table that fails keeps its mail waiting and no other. receive_override_options
# and settings of another cleanup entry change what an smtpd does.
. "$(dirname "$0")/submit.bash"

other_port=$(free_port)
make_instance discard
port=$PORT1
cat >>"$etc/main.cf" <<END
local_transport = local
local_recipient_maps =
alias_maps = inline:{ { list = alias@v.test } }
virtual_alias_domains = v.test
virtual_alias_maps = inline:{ { alias@v.test = end@r.test, end2@r.test } { ping@v.test = pong@v.test }
	{ pong@v.test = ping@v.test } { postmaster = chief@r.test } { from@v.test = teller@r.test } }
canonical_maps = inline:{ { old@c.test = new@c.test } }
transport_maps = inline:{ { bad.test = error:5.1.1 no such user } }
always_bcc = always@w.test
notify_classes = resource, software, policy
smtpd_sender_restrictions = check_sender_access inline:{ { evil@x.test = REJECT } }
END
# before a content filter nothing is mapped: by an option of smtpd, or by a cleanup of its own
cat >>"$etc/master.cf" <<END
127.0.0.1:$other_port inet n - n - - smtpd -o receive_override_options=no_address_mappings -o syslog_name=postfix/plain
pre-cleanup unix n - n - 0 cleanup -o virtual_alias_maps= -o canonical_maps= -o always_bcc=
END
start
send() { # send SENDER RECIPIENT...
	local from=$1
	shift
	printf 'Subject: x\n\ntext\n' | "$bin/sendmail" -i -f "$from" "$@" || fail "sendmail: $?"
}
talk() { # talk PORT LINE...: the last reply
	local p=$1
	shift
	(printf '%s\r\n' "EHLO x" "$@" QUIT) | timeout 120 python3 -c '
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 120)
f = s.makefile("rwb")
def reply():
    while True:
        line = f.readline().decode()
        if line[3:4] != "-":
            return line.rstrip()
reply()
for line in sys.stdin.buffer:
    if line == b"QUIT\r\n":
        break
    f.write(line)
    f.flush()
    if line[:5] != b"Subje" and line not in (b"\r\n", b"text\r\n"):
        last = reply()
print(last)' "$p"
}
mail_by() { talk "$1" "MAIL FROM:<$2>" "RCPT TO:<$3>" DATA "Subject: x" "" text .; }

# sendmail
send old@c.test alias@v.test old@c.test
await_log 'from=<new@c.test>, size=[0-9]*, nrcpt=4 '
await_log 'to=<end@r.test>, orig_to=<alias@v.test>'
await_log 'to=<end2@r.test>, orig_to=<alias@v.test>'
await_log 'to=<new@c.test>, orig_to=<old@c.test>'
await_log 'to=<always@w.test>, relay'

# what local(8) forwards
send s@x.test list@localhost
await_log 'to=<list@localhost>, relay=local.*forwarded as'
await 10 eval '[ "$(count_logged "to=<end2@r.test>")" = 2 ]' || fail "not mapped when forwarded"

# a notice to a sender that has an alias; the postmaster's
send from@v.test u@bad.test
await_log 'to=<teller@r.test>, orig_to=<from@v.test>, relay'
[ "$(talk "$port" "MAIL FROM:<evil@x.test>" "RCPT TO:<a@r.test>" | cut -c1-3)" = 554 ] || fail "not rejected"
await_log 'to=<chief@r.test>, orig_to=<postmaster@'

# success of what an alias became is told once, of the alias
talk "$port" "MAIL FROM:<dsn@r.test>" "RCPT TO:<alias@v.test> NOTIFY=SUCCESS" DATA "Subject: x" "" text . >/dev/null
await_log 'to=<alias@v.test>, relay=none, .*dsn=2.0.0, status=sent (alias expanded)'
await_log 'to=<dsn@r.test>'
[ "$(count_logged 'to=<dsn@r.test>')" = 1 ] || fail "more than one report"

# one that cannot be expanded waits; the next one does not
send s@x.test ping@v.test
await_log 'warning: .*: unreasonable virtual_alias_maps map nesting for ping@v.test -- message not accepted, try again later'
send s@x.test after@r.test
await_log 'to=<after@r.test>'
[ "$(ls "$spool/maildrop" | wc -l)" = 1 ] || fail "the message is not in maildrop any more"
rm -f "$spool/maildrop"/*
[ "$(mail_by "$port" s@x.test ping@v.test)" = "451 4.6.0 Alias expansion error" ] || fail "$(mail_by "$port" s@x.test ping@v.test)"

# not mapped
mail_by "$other_port" old@c.test alias@v.test | grep -q '^250' || fail "not taken"
await_log 'from=<old@c.test>, size=[0-9]*, nrcpt=1 '
sed -i 's/^always_bcc.*/cleanup_service_name = pre-cleanup/' "$etc/main.cf"
"$postern" -c "$etc" reload >/dev/null || fail "reload"
await 10 eval 'mail_by "$port" old@c.test alias@v.test >/dev/null; [ "$(count_logged "from=<old@c.test>, size=[0-9]*, nrcpt=1 ")" -ge 2 ]' || fail "the cleanup entry has no effect"
