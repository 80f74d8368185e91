#!/bin/bash
# What DSN parameters mail takes with it to the next server, who the postmaster's copies come from and
# go to, one report for sendmail -v however often the mail is tried: on Debian's Postfix, too, where
# that is installed.
. "$(dirname "$0")/service.bash"
. tests/system/postfix.bash
bin=$build/bin
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
cat >"$scratch/server.py" <<'END'
import socketserver, sys
log = open(sys.argv[1], "a", buffering=1)
class Session(socketserver.StreamRequestHandler):
    def handle(self):
        def say(text): self.wfile.write(text.encode() + b"\r\n")
        say("220 far ESMTP")
        for line in self.rfile:
            line = line.decode("utf-8", "replace").rstrip("\r\n")
            word = line.upper()
            if word.startswith(("MAIL", "RCPT")): log.write(line + "\n")
            if word.startswith("EHLO"): say("250-far\r\n250 DSN")
            elif word.startswith("RCPT TO:<BAD"): say("550 5.1.1 no such user")
            elif word.startswith("RCPT TO:<LATER"): say("450 4.2.0 come back")
            elif word == "DATA":
                say("354 go")
                for line in self.rfile:
                    if line == b".\r\n": break
                    if line.startswith((b"Final-Recipient", b"Diagnostic-Code: X-", b"Subject")):
                        log.write("data " + line.decode("utf-8", "replace").rstrip() + "\n")
                say("250 2.0.0 taken")
            elif word == "QUIT": say("221 bye"); return
            else: say("250 2.1.0 ok")
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
server = Server(("127.0.0.1", 0), Session)
print(server.server_address[1], flush=True)
server.serve_forever()
END
servers=
pf_before='kill $servers; '$pf_before
settings() { # settings PORT
	cat <<END
myhostname = mail.example.org
myorigin = localhost
append_dot_mydomain = no
mydestination = localhost
alias_maps = inline:{ {one = x@dsn.example}, {two = y@dsn.example, z@dsn.example},
	{list = l@dsn.example}, {owner-list = root@dsn.example} }
alias_database =
local_recipient_maps = \$alias_maps
local_transport = local
default_transport = smtp
transport_maps = inline:{ {dsn.example = smtp:[127.0.0.1]:$1}, {err.example = error:5.1.2 no mail here} }
smtp_tls_security_level = none
notify_classes = bounce
bounce_notice_recipient = bounces@dsn.example
error_notice_recipient = errors@dsn.example
default_destination_concurrency_failed_cohort_limit = 0
END
}
scenario() { # scenario SENDMAIL POSTQUEUE PORT FILE
	local line
	while read -r line; do
		# shellcheck disable=SC2086 # words
		printf 'Subject: test\n\nbody\n' | $1 -f s@dsn.example $line >/dev/null || fail "$1 $line: $?"
	done <<END
u1@dsn.example
-N success u2@dsn.example
-N success one@localhost
-N success two@localhost
list@localhost
-N never n@dsn.example
-N never bad1@dsn.example
-N delay d@dsn.example
one
-v later@dsn.example
-bv two@localhost e@err.example
bad2@dsn.example
END
	python3 -c 'import smtplib, sys
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]))
s.ehlo("x"), s.mail("s@dsn.example"), s.rcpt("nosuch@localhost"), s.quit()' "$3" || fail "no session"
	come() { grep -q 'Final-Recipient: rfc822; later@' "$4" && grep -q 'Diagnostic-Code.*forwards to z@' "$4" &&
		grep -q 'Subject: Postfix SMTP server: errors' "$4" && [ "$(grep -c 'TO:<bounces@' "$4")" = 3 ]; }
	await 15 come "$@" || fail "not all: $(cat "$4")"
	# tried again, a second report of it would come
	retried() { [ "$(grep -c 'TO:<later@' "$2")" -gt "$1" ]; }
	$2 -f
	await 15 retried 1 "$4" || fail "not tried again"
	sleep 0.3
	# the first recipient of each kind is enough; what differs by design is left out
	sed -e 's/ SIZE=[0-9]*//; s/ BODY=8BITMIME//; s/ \(RET\|ENVID\)=.*//; s/X-.*; delivery via \(local\|none\|127[^ ]*\): /X-: /; s/Code: X-[A-Za-z]*;/Code: X-:/' \
		-e 's/forwarded as [0-9A-Za-z]*/alias expanded/; s/127.0.0.1:[0-9]*/far/; s/errors from [a-z]*/errors from x/' "$4" | sort >"$4.sorted"
}
start_server() { # start_server FILE
	python3 "$scratch/server.py" "$1" >"$1.port" &
	servers="$servers $!"
	await 10 test -s "$1.port" || fail "no server"
}
init_instance "$scratch/i"
port=$PORT1
start_server "$scratch/heard"
settings "$(cat "$scratch/heard.port")" >>"$etc/main.cf"
start
MAIL_CONFIG=$etc scenario "$bin/sendmail" "$bin/postqueue" "$port" "$scratch/heard"
stop
has() { # has COUNT PATTERN
	[ "$(grep -c -- "$2" "$scratch/heard.sorted")" = "$1" ] || fail "not $1 times '$2': $(cat "$scratch/heard.sorted")"
}
has 1 '^RCPT TO:<u1@dsn.example> ORCPT=rfc822;u1@dsn.example$'
has 1 '^RCPT TO:<x@dsn.example> ORCPT=rfc822;one@localhost$'
has 1 '^RCPT TO:<x@dsn.example> ORCPT=rfc822;one@localhost NOTIFY=NEVER$'
has 1 '^RCPT TO:<l@dsn.example> ORCPT=rfc822;l@dsn.example$'
has 3 '^MAIL FROM:<double-bounce@mail.example.org>$'
has 3 '^RCPT TO:<bounces@dsn.example>'
has 0 '^RCPT TO:<errors@'
has 1 'Final-Recipient: rfc822; later@dsn.example'
has 1 'Final-Recipient: rfc822; z@dsn.example'
has 1 'Diagnostic-Code: X-: no mail here'
if have_postfix; then
	make_postfix smtp
	start_server "$scratch/pheard"
	settings "$(cat "$scratch/pheard.port")" >>"$pf_etc/main.cf"
	sed -i '/^alias_maps =$/d; /^local_transport = smtp/d; /^local_recipient_maps =$/d' "$pf_etc/main.cf"
	start_postfix
	MAIL_CONFIG=$pf_etc scenario /usr/sbin/sendmail /usr/sbin/postqueue "$PF_PORT" "$scratch/pheard"
	diff "$scratch/heard.sorted" "$scratch/pheard.sorted" || fail "Postfix's are others"
fi
exit 0
