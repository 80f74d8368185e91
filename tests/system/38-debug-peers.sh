#!/bin/bash
# debug_peer_list: what is said to and by the peers in it, and to no other, is in the log, in smtpd and
# in smtp; passwords are not. Where Debian's Postfix is installed the lines of a session are its lines.
. "$(dirname "$0")/submit.bash"
. tests/system/postfix.bash
command -v swaks >/dev/null || { echo "swaks is not installed"; exit 77; }

make_instance smtp
PORT1=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\);.*/\1/p' "$scratch/init.out") PORT2=$(free_port)
echo 'joe {PLAIN}BigSecret' >"$etc/users"
chmod 644 "$etc/users"
cat >>"$etc/main.cf" <<END
local_recipient_maps =
debug_peer_list = 127.0.0.2, relay.test
transport_maps = inline:{relay.test=smtp:[127.0.0.1]:$PORT2, two.test=smtp:[127.0.0.2]:$PORT2, one.test=smtp:[127.0.0.1]:$PORT2}
smtpd_sasl_type = table
smtpd_sasl_path = texthash:$etc/users
smtp_sasl_password_maps = static:joe:BigSecret
smtp_sasl_security_options =
smtp_sasl_auth_enable = yes
smtpd_peername_lookup = no
END
cat >>"$etc/master.cf" <<END
0.0.0.0:$PORT2 inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes -o content_filter=discarding: -o debug_peer_list=
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject -o syslog_name=far
discarding unix - - n - - discard
END
sed -i "s/^default_transport.*/default_transport = discarding/; s/^local_transport.*/local_transport = discarding/" "$etc/main.cf"
start

from() { # from ADDRESS RCPT: one message, or no more than the dialogue up to RCPT
	local address=$1
	shift
	timeout 120 swaks --server 127.0.0.1 --port "$PORT1" --local-interface "$address" --helo me \
		--from a@x.test "$@" >"$scratch/swaks.out" 2>&1 </dev/null
}
from 127.0.0.2 --to "<>" --quit-after RCPT
await_log 'postfix/smtpd.*disconnect from unknown\[127.0.0.2\]'
for line in '< unknown\[127.0.0.2\]: EHLO me' '> unknown\[127.0.0.2\]: 250-PIPELINING' \
	'< unknown\[127.0.0.2\]: MAIL FROM:<a@x.test>' '> unknown\[127.0.0.2\]: 221 2.0.0 Bye'; do
	logged "postfix/smtpd.*: $line" || fail "not logged: $line"
done
from 127.0.0.1 --to o@one.test || fail "swaks: $(cat "$scratch/swaks.out")"
await_log 'postfix/smtp\[.*to=<o@one.test>.*status=sent'
grep -E 'postfix/smtpd?\[[0-9]*\]: [<>] ' "$log" | grep -v '127.0.0.2\]' >"$scratch/others"
[ -s "$scratch/others" ] && fail "others are logged in detail, too: $(cat "$scratch/others")"

# the server by its address; the answer to a policy question, and the restrictions, in smtpd's log
from 127.0.0.2 --to o@two.test || fail "swaks: $(cat "$scratch/swaks.out")"
await_log 'postfix/smtp\[.*to=<o@two.test>.*status=sent'
relay="127.0.0.2\[127.0.0.2\]:$PORT2"
for line in "> $relay: EHLO " "< $relay: 250-PIPELINING" "> $relay: AUTH " "< $relay: 235 2.7.0" \
	"> $relay: MAIL FROM:<a@x.test>" "< $relay: 250 2.1.5 Ok" "> $relay: (the message) QUIT"; do
	logged "postfix/smtp\[.*: $line" || fail "not logged: $line"
done
await_log 'postfix/smtpd.*smtpd_relay_restrictions: o@two.test: permit_mynetworks : permit'

# the next hop by its name, though the server's address is not in the list
postconf_transport() { sed -i "s/^transport_maps.*/transport_maps = inline:{relay.test=smtp:$1}/" "$etc/main.cf"; }
postconf_transport "relay.test:$PORT2"
echo "smtp_host_lookup = native" >>"$etc/main.cf"
reload || fail "reload: $(cat "$scratch/reload.out")"
from 127.0.0.1 --to o@relay.test || fail "swaks: $(cat "$scratch/swaks.out")"
await_log 'postfix/smtp\[.*: [0-9A-F]*: from <a@x.test> to relay.test:'
secret=$(printf '\0joe\0BigSecret' | base64)
grep -e BigSecret -e "$secret" "$log" && fail "a password is in the log"
stop

have_postfix || exit 0
make_postfix discard:
echo 'debug_peer_list = 127.0.0.2' >>"$pf_etc/main.cf"
start_postfix
PORT1=$PF_PORT from 127.0.0.2 --to o@two.test --quit-after RCPT
await 10 grep -q 'disconnect from' "$pf_log" || fail "postfix: $(cat "$pf_log")"
lines() { sed -nE 's/.*smtpd\[[0-9]*\]: ([<>] [^ ]*: (EHLO|MAIL|RCPT|QUIT|220|250 2|221).*)/\1/p' "$1" | grep '127.0.0.2\]' | sed 's/ESMTP.*//; s/: 220 [^ ]*/: 220/; s/to:<>/TO/I'; }
lines "$pf_log" >"$scratch/pf.lines"
grep -q '< unknown\[127.0.0.2\]: EHLO me' "$scratch/pf.lines" || fail "postfix: $(cat "$pf_log")"
lines "$log" >"$scratch/our.lines"
while read -r line; do
	grep -qF -- "$line" "$scratch/our.lines" || fail "Postfix logs: $line"
done <"$scratch/pf.lines"
