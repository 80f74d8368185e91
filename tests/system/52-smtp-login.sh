#!/bin/bash
# smtp logs in to Debian's Postfix, whose users Dovecot knows, by each mechanism; and says what
# Postfix's own client says when it is refused.
. "$(dirname "$0")/submit.bash"
. tests/system/postfix.bash
dovecot=

end() {
	local status=$?
	[ -n "$dovecot" ] && kill "$dovecot" 2>/dev/null && wait "$dovecot" 2>/dev/null
	end_postfix
	return $status
}
trap end EXIT

have_postfix || { echo "Debian's Postfix is not installed, or this is not root"; exit 77; }
[ -x /usr/sbin/dovecot ] && getent passwd dovecot >/dev/null || { echo "Dovecot is not installed"; exit 77; }

make_postfix discard:
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=mail.example.org \
	-addext subjectAltName=DNS:mail.example.org -keyout "$scratch/key.pem" -out "$scratch/cert.pem" >"$scratch/openssl.out" 2>&1 ||
	fail "openssl: $(cat "$scratch/openssl.out")"
PF=[127.0.0.1]:$PF_PORT
sed -i '/^smtpd_relay_restrictions/d; /^mynetworks/d' "$pf_etc/main.cf"
cat >>"$pf_etc/main.cf" <<END
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_relay_restrictions = permit_sasl_authenticated, reject
mynetworks =
transport_maps = inline:{bad.test=smtp:$PF, weak.test=weak:$PF, none.test=none:$PF}
smtpd_tls_security_level = may
smtpd_tls_key_file = $scratch/key.pem
smtpd_tls_cert_file = $scratch/cert.pem
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = static:user:wrong
smtp_sasl_security_options =
smtp_sasl_mechanism_filter = plain
END
cat >>"$pf_etc/master.cf" <<END
weak unix - - n - - smtp -o smtp_sasl_security_options=noplaintext
none unix - - n - - smtp -o smtp_sasl_mechanism_filter=gssapi
END
mkdir -p "$scratch/d"
cat >"$scratch/d/dovecot.conf" <<END
base_dir = $scratch/d/run
state_dir = $scratch/d/run
log_path = $scratch/d/log
protocols =
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = $scratch/d/users
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=/tmp
}
service auth {
  unix_listener $pf_spool/private/auth {
    mode = 0666
  }
}
END
echo "user:{PLAIN}pen=c,il" >"$scratch/d/users"
chmod 644 "$scratch/d/users"
/usr/sbin/dovecot -F -c "$scratch/d/dovecot.conf" >"$scratch/d/out" 2>&1 &
dovecot=$!
await 10 test -S "$pf_spool/private/auth" || fail "dovecot does not start: $(cat "$scratch/d/out" "$scratch/d/log")"
start_postfix

make_instance smtp
cat >>"$etc/main.cf" <<END
relayhost = $PF
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = lmdb:$scratch/passwords
smtp_sasl_security_options =
transport_maps = inline:{plain.test=smtp-plain:$PF, login.test=smtp-login:$PF,
	cram.test=smtp-cram:$PF, scram1.test=smtp-scram1:$PF, scram256.test=smtp-scram256:$PF,
	bad.test=smtp-bad:$PF, weak.test=smtp-weak:$PF, none.test=smtp-none:$PF,
	tls.test=smtp-tls:$PF, verified.test=smtp-verified:$PF, unverified.test=smtp-unverified:$PF}
END
{
	while read -r name options; do
		echo "smtp-$name unix - - n - - smtp"
		for option in $options; do echo "  -o $option"; done
	done <<-END
		plain smtp_sasl_mechanism_filter=plain
		login smtp_sasl_mechanism_filter=login
		cram smtp_sasl_mechanism_filter=cram-md5
		scram1 smtp_sasl_mechanism_filter=scram-sha-1
		scram256 smtp_sasl_mechanism_filter=scram-sha-256
		bad smtp_sasl_mechanism_filter=plain smtp_sasl_password_maps=static:user:wrong
		weak smtp_sasl_mechanism_filter=plain smtp_sasl_security_options=noplaintext
		none smtp_sasl_mechanism_filter=gssapi
		tls smtp_tls_security_level=encrypt smtp_sasl_mechanism_filter=plain smtp_sasl_security_options=noplaintext smtp_sasl_tls_security_options=
		verified smtp_tls_security_level=secure smtp_tls_secure_cert_match=mail.example.org smtp_tls_CAfile=$scratch/cert.pem smtp_sasl_mechanism_filter=login smtp_sasl_tls_security_options=noplaintext smtp_sasl_tls_verified_security_options=
		unverified smtp_tls_security_level=encrypt smtp_sasl_mechanism_filter=login smtp_sasl_tls_security_options=noplaintext smtp_sasl_tls_verified_security_options=
	END
} >>"$etc/master.cf"
# the file is root's, as it should be
echo "$PF user:pen=c,il" >"$scratch/passwords"
(umask 077 && "$bin/postmap" "lmdb:$scratch/passwords") || fail postmap
start

for name in plain login cram scram1 scram256 best bad weak none; do
	"$bin/sendmail" -i -f me@here.test "you@$name.test" <<<"Subject: x" || fail "sendmail: $?"
done
for pair in plain:PLAIN login:LOGIN cram:CRAM-MD5 scram1:SCRAM-SHA-1 scram256:SCRAM-SHA-256 best:SCRAM-SHA-256; do
	await_log "to=<you@${pair%%:*}.test>, relay=127.0.0.1\[127.0.0.1\]:$PF_PORT, .* dsn=2.0.0, status=sent (250 "
	await 10 grep -q "sasl_method=${pair#*:}, sasl_username=user" "$pf_log" || fail "no login by ${pair#*:}: $(tail "$pf_log")"
done

# with TLS: what plain text must not carry, and what only a server with a proven name may hear
for name in tls verified unverified; do
	"$bin/sendmail" -i -f me@here.test "you@$name.test" <<<"Subject: x" || fail "sendmail: $?"
done
for name in tls verified; do
	await_log "to=<you@$name.test>, relay=127.0.0.1\[127.0.0.1\]:$PF_PORT, .* dsn=2.0.0, status=sent (250 "
done
await_log "to=<you@unverified.test>, .* dsn=4.7.0, status=deferred (SASL authentication failed; cannot authenticate to server 127.0.0.1\[127.0.0.1\]: no mechanism available)"
[ "$(grep -c "sasl_method=PLAIN, sasl_username=user" "$pf_log")" -ge 2 ] || fail "no login by PLAIN over TLS: $(tail "$pf_log")"

# a new password, in a file that only root can read: another process takes over
sed -i 's/pen=c,il/new/' "$scratch/d/users" "$scratch/passwords"
(umask 077 && "$bin/postmap" "lmdb:$scratch/passwords") || fail postmap
sleep 1.1
"$bin/sendmail" -i -f me@here.test you@new.test <<<"Subject: x" || fail "sendmail: $?"
await_log "to=<you@new.test>, .* status="
logged 'to=<you@new.test>,.* status=sent' || "$bin/postqueue" -f
await_log "to=<you@new.test>, .* status=sent (250 "

# refused: the same words in both logs
said() { sed -n "s/.*to=<you@$2>, relay=127.*\(dsn=.*\)/\1/p" "$1" | sed -n 1p; }
same() { # same DOMAIN: what both clients say of it
	await_log "to=<you@$1>, .*status="
	/usr/sbin/sendmail -C "$pf_etc" -i -f me@here.test "you@$1" <<<"Subject: x" || fail "Postfix's sendmail: $?"
	await 15 grep -q "to=<you@$1>.*status=" "$pf_log" || fail "Postfix has not tried: $(tail "$pf_log")"
	[ -n "$(said "$log" "$1")" ] && [ "$(said "$log" "$1")" = "$(said "$pf_log" "$1")" ] ||
		fail "$1: we say: $(said "$log" "$1"); Postfix: $(said "$pf_log" "$1")"
}
same bad.test
same weak.test
same none.test
exit 0
