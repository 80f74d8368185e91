#!/bin/bash
# REQUIRETLS of a sender (RFC 8689) on its way out, by smtp_requiretls_policy; and the level of TLS that
# the compatibility level makes the default.
. "$(dirname "$0")/submit.bash"
. tests/system/certs.bash
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }

make_instance discard
PORT1=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\);.*/\1/p' "$scratch/init.out") PORT2=$(free_port) PORT3=$(free_port)
new_cert server "" localhost
cat >>"$etc/main.cf" <<END
local_recipient_maps =
mydomain = home.test
transport_maps = inline:{plain.test=smtp:[127.0.0.1]:$PORT2, tls.test=smtp:[127.0.0.1]:$PORT3,
	tls-only.test=tls:[127.0.0.1]:$PORT2, half.test=tls:[127.0.0.1]:$PORT3,
	strict.test=strict:[127.0.0.1]:$PORT3, odd.test=odd:[127.0.0.1]:$PORT3, off.test=off:[127.0.0.1]:$PORT3,
	bad.test=lmtp:[127.0.0.1]:$PORT2, x.test=smtp:[127.0.0.1]:1}
smtpd_tls_chain_files = $certs/server.chain
smtpd_tls_security_level = may
smtp_tls_loglevel = 1
debug_peer_list = 127.0.0.1
smtpd_peername_lookup = no
END
cat >>"$etc/master.cf" <<END
127.0.0.1:$PORT2 inet n - n - - smtpd
  -o smtpd_tls_security_level=none -o content_filter=away: -o syslog_name=far
127.0.0.1:$PORT3 inet n - n - - smtpd
  -o content_filter=away: -o syslog_name=far
away unix - - n - - discard
tls unix - - n - - smtp -o smtp_requiretls_policy=opportunistic+starttls
strict unix - - n - - smtp -o smtp_requiretls_policy=enforce
odd unix - - n - - smtp -o smtp_requiretls_policy=sometimes
off unix - - n - - smtp -o smtp_requiretls_policy=disable
END
start
mail() { # mail RCPT: with REQUIRETLS
	python3 - "$PORT1" "$1" <<'END' || fail "no mail for $1"
import smtplib, ssl, sys
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]), timeout=120)
s.starttls(context=ssl._create_unverified_context())
s.sendmail("a@x.test", [sys.argv[2]], "Subject: x\r\n\r\nsecret\r\n", ["REQUIRETLS"])
s.quit()
END
}
for to in plain tls tls-only half strict odd off bad; do mail "o@$to.test"; done
await_log 'smtp\[.*to=<o@plain.test>.*status=sent'
await_log 'smtp\[.*to=<o@tls.test>.*status=sent'
await_log 'smtp\[.*to=<o@tls-only.test>.*dsn=4.7.4, status=deferred (TLS is required'
await_log 'smtp\[.*to=<o@half.test>.*status=sent'
await_log 'smtp\[.*to=<o@strict.test>.*dsn=4.7.5, status=deferred (Server certificate not '
await_log 'smtp\[.*to=<o@odd.test>.*dsn=4.3.0, status=deferred'
await_log 'smtp\[.*to=<o@off.test>.*status=sent'
logged 'smtp_requiretls_policy: "sometimes": expected a table, enforce' || fail "a bad word is not named"
said() { # said PORT: how often REQUIRETLS was
	grep -c "postfix/smtp\[[0-9]*\]: > 127.0.0.1\[127.0.0.1\]:$1: MAIL FROM:.*REQUIRETLS" "$log"
}
[ "$(said "$PORT2")" = 0 ] || fail "REQUIRETLS was said in plain text"
# tls.test and off.test are not asked for it: the level is none, and it is off
[ "$(said "$PORT3")" = 1 ] || fail "REQUIRETLS was said $(said "$PORT3") times under TLS"
logged '< 127.0.0.1\[127.0.0.1\]:.*: 250[- ]REQUIRETLS' || fail "it was not offered"

# who says 3.11 has TLS where it is offered
sed -i 's/^compatibility_level.*/compatibility_level = 3.11/' "$etc/main.cf"
reload || fail "reload: $(cat "$scratch/reload.out")"
mail o@tls.test
twice() { [ "$(said "$PORT3")" = 2 ]; }
await 10 twice || fail "no TLS by default at 3.11"
[ "$("$bin/postconf" -c "$etc" -hx smtp_tls_security_level)" = may ] || fail "postconf at 3.11"
[ -z "$("$bin/postconf" -c "$etc" -o compatibility_level=3.10 -hx smtp_tls_security_level)" ] || fail "postconf at 3.10"
"$bin/postconf" -c "$etc" -hx smtp_requiretls_policy | grep -q '{home.test = opportunistic}' || fail "the default policy"

# a notice has no more than the header of what was to be kept safe
await_log 'to=<a@x.test>.*status=deferred'
id=$(sed -n 's/.*sender non-delivery notification: //p' "$log" | head -n 1)
"$bin/postcat" -q "$id" >"$scratch/notice" || fail "postcat: $id"
grep -q 'Subject: x' "$scratch/notice" || fail "the notice: $(cat "$scratch/notice")"
grep -q secret "$scratch/notice" && fail "the notice has the body"
exit 0
