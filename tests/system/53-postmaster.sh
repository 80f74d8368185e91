#!/bin/bash
# What the postmaster is told of SMTP sessions with errors (notify_classes), on both ends of the wire,
# and what never loops; XVERP for trusted clients.
. "$(dirname "$0")/submit.bash"
make_instance smtp
port=$PORT1
far=$(free_port)
sed -i -E '/^(alias_maps|local_transport|mail_spool_directory)/d' "$etc/main.cf"
mkdir -m 1777 "$scratch/mail"
cat >>"$etc/main.cf" <<END
local_transport = local
alias_maps =
local_recipient_maps =
mail_spool_directory = $scratch/mail/
transport_maps = inline:{ {odd.example = smtp:[127.0.0.1]:$far} }
notify_classes = protocol, policy
error_notice_recipient = news
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_helo_restrictions = reject_non_fqdn_helo_hostname
smtpd_relay_restrictions = permit
smtpd_authorized_verp_clients = 127.0.0.1
smtpd_error_sleep_time = 0
END
start

dialogue() { # dialogue LINE...: says the lines, one after each answer; what came back is in $heard
	local line
	heard=
	exec 5<>"/dev/tcp/127.0.0.1/$port" || fail "no smtpd"
	answer
	for line; do
		printf '%s\r\n' "$line" >&5
		answer
	done
	exec 5>&-
}
answer() {
	while IFS= read -r -t 60 -u 5 reply; do
		heard+=$reply$'\n'
		[[ $reply == ???-* ]] || return 0
	done
}
letters() { grep -lsi "^Subject: .*$1" "$scratch"/mail/news/new/* | wc -l; }

# a session in good order is nobody's business; VERP is offered to who may ask for it
dialogue "EHLO me.example" "MAIL FROM:<list@localhost> XVERP=-=" "RCPT TO:<bin@localhost>" "RCPT TO:<daemon@localhost>" "DATA" $'Subject: to all\r\n\r\nhello\r\n.' "QUIT"
[[ $heard == *XVERP* ]] || fail "XVERP is not offered: $heard"
[[ $heard == *"queued as"* ]] || fail "not taken: $heard"
await 15 eval 'grep -qs "^Return-Path: <list-bin=localhost@localhost>" "$scratch"/mail/bin/new/*' || fail "no VERP sender"
await 15 eval 'grep -qs "^Return-Path: <list-daemon=localhost@localhost>" "$scratch"/mail/daemon/new/*' || fail "no VERP sender"
dialogue "EHLO me.example" "MAIL FROM:<list@localhost> XVERP=@@" "QUIT"
[[ $heard == *"501 5.5.4"* ]] || fail "bad delimiters: $heard"
await 15 eval '[ "$(letters "SMTP server: errors from .*127.0.0.1")" = 1 ]' || fail "no letter of the bad delimiters"

# policy and protocol
dialogue "EHLO short" "MAIL FROM:<no@example.org>" "RCPT TO:<bin@localhost>" "QUIT"
await 15 eval '[ "$(letters "SMTP server: errors from")" = 2 ]' || fail "no letter of the refusal"
dialogue "EHLO me.example" "AUTH PLAIN c2VjcmV0" "NONSENSE" "QUIT"
await 15 eval '[ "$(letters "SMTP server: errors from")" = 3 ]' || fail "no letter of the nonsense"
letter=$(grep -ls 'NONSENSE' "$scratch"/mail/news/new/*)
for part in '^ In:  NONSENSE' '^ Out: 500 5.5.2' '^ In:  AUTH PLAIN$' '^Auto-Submitted: auto-generated' '^Return-Path: <double-bounce@'; do
	grep -q "$part" "$letter" || fail "the letter lacks $part: $(cat "$letter")"
done
grep -q c2VjcmV0 "$letter" && fail "a password is in the letter"

# a server that answers oddly: the client tells, but not of what the system itself sends there
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
python3 - "$far" <<'END' &
import socketserver, sys
class Odd(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 odd ESMTP\r\n")
        for line in self.rfile:
            self.wfile.write(b"500 5.5.1 what?\r\n" if line.upper().startswith(b"RCPT") else b"250 ok\r\n")
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Odd).serve_forever()
END
server=$!
trap 'kill $server; cleanup' EXIT
await 10 eval "exec 6<>/dev/tcp/127.0.0.1/$far" || fail "no server"
exec 6>&-
printf 'Subject: x\n\nx\n' | "$bin/sendmail" -f daemon@localhost a@odd.example
await 15 eval '[ "$(letters "SMTP client: errors from")" = 1 ]' || fail "no letter of the odd server"
grep -lsq '^ Out: RCPT TO:<a@odd.example>' "$scratch"/mail/news/new/* || fail "the client's lines"
sed -i "s/^error_notice_recipient.*/error_notice_recipient = postmaster@odd.example/" "$etc/main.cf"
reload || fail "reload"
before=$(count_logged 'from=<double-bounce@')
printf 'Subject: y\n\nx\n' | "$bin/sendmail" -f bin@localhost b@odd.example
await_log 'to=<postmaster@odd.example>.*status=bounced'
await_log 'undeliverable postmaster notification discarded'
await 15 count_is 0 || fail "left: $("$bin/mailq")"
[ "$(count_logged 'from=<double-bounce@')" = $((before + 1)) ] || fail "letters about letters"
stop
grep -E 'fatal|panic' "$log" && fail "unexpected lines"
exit 0
