#!/bin/bash
# Delivery by LMTP: to smtp-sink over TCP and over a local socket, and to a real Dovecot.
. "$(dirname "$0")/service.bash"
sinks=() dovecot=
end() {
	for p in "${sinks[@]}"; do kill "$p" 2>/dev/null; done
	[ -n "$dovecot" ] && kill "$dovecot" 2>/dev/null && await 5 gone "$dovecot"
	cleanup
}
trap end EXIT

send() { # send RECIPIENTS...
	local rcpt args=()
	for rcpt; do args+=(-t "$rcpt"); done
	MAIL_CONFIG=$etc "$build/bin/sendmail" -f sender@example.org "$@" <<<$'Subject: test\n\nHello.\n' ||
		fail "sendmail failed"
}
init_instance "$scratch/i"
tcp_port=$(free_port)
"$build/bin/smtp-sink" -L "127.0.0.1:$tcp_port" 50 >/dev/null 2>&1 &
sinks+=($!)
await_port "$tcp_port"
"$build/bin/smtp-sink" -L "unix:$scratch/i/spool/public/sink" 50 >"$scratch/sink.out" 2>&1 &
sinks+=($!)
await 5 test -S "$scratch/i/spool/public/sink" || fail "no socket: $(cat "$scratch/sink.out")"
chmod 666 "$scratch/i/spool/public/sink"
cat >>"$etc/main.cf" <<END
transport_maps = inline:{ tcp.test=lmtp:inet:127.0.0.1:$tcp_port unix.test=lmtp:unix:public/sink plain.test=lmtp:127.0.0.1 dovecot.test=lmtp:unix:$scratch/d/lmtp }
lmtp_tcp_port = $tcp_port
lmtp_destination_recipient_limit = 2
END
grep -q '^lmtp ' "$etc/master.cf" || echo 'lmtp unix - - n - - lmtp' >>"$etc/master.cf"
start
send a@tcp.test b@tcp.test c@tcp.test d@unix.test e@plain.test
for u in a b c; do
	await_log "to=<$u@tcp.test>, relay=127.0.0.1\[127.0.0.1\]:$tcp_port,.* status=sent (250 "
done
await_log "to=<d@unix.test>, relay=[a-z0-9.-]*\[public/sink\],.* status=sent (250 "
await_log "to=<e@plain.test>, relay=127.0.0.1\[127.0.0.1\]:$tcp_port,.* status=sent (250 "
kill "${sinks[1]}"
rm -f "$scratch/i/spool/public/sink"
send f@unix.test
await_log "to=<f@unix.test>, relay=none,.* dsn=4.4.1, status=deferred (connect to [a-z0-9.-]*\[public/sink\]: No such file or directory)"

command -v dovecot >/dev/null || PATH=$PATH:/usr/sbin
{ command -v dovecot && [ -x /usr/lib/dovecot/lmtp ]; } >/dev/null ||
	{ echo "Dovecot's LMTP is not installed: the rest was left out"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "Dovecot is started by root only: the rest was left out"; exit 77; }
mkdir -p "$scratch/d/mail" "$scratch/d/run"
chown -R nobody "$scratch/d/mail"
printf 'ann:{PLAIN}x:65534:65534::%s/d/mail/ann::\nbob:{PLAIN}x:65534:65534::%s/d/mail/bob::\n' "$scratch" "$scratch" >"$scratch/d/users"
cat >"$scratch/d/dovecot.conf" <<END
base_dir = $scratch/d/run
state_dir = $scratch/d/run
instance_name = postern-test-$$
log_path = $scratch/d/log
protocols = lmtp
ssl = no
mail_location = maildir:~/Maildir
first_valid_uid = 100
auth_username_format = %Ln
default_internal_user = nobody
default_login_user = nobody
default_internal_group = nogroup
service lmtp {
  unix_listener $scratch/d/lmtp {
    mode = 0666
  }
}
service stats {
  chroot =
}
passdb {
  driver = passwd-file
  args = $scratch/d/users
}
userdb {
  driver = passwd-file
  args = $scratch/d/users
}
END
dovecot -F -c "$scratch/d/dovecot.conf" >"$scratch/d/out" 2>&1 &
dovecot=$!
await 10 test -S "$scratch/d/lmtp" || fail "dovecot: $(cat "$scratch/d/out" "$scratch/d/log" 2>/dev/null)"
send ann@dovecot.test bob@dovecot.test nobody-here@dovecot.test
for u in ann bob; do
	await_log "to=<$u@dovecot.test>, relay=[a-z0-9.-]*\[$scratch/d/lmtp\],.* dsn=2.0.0, status=sent (250 2.0.0 <$u@dovecot.test> .* Saved)"
done
await_log "to=<nobody-here@dovecot.test>, .*dsn=5.1.1, status=bounced (host [a-z0-9.-]*\[$scratch/d/lmtp\] said: 550 5.1.1 .*User doesn't exist.* (in reply to RCPT TO command))"
for u in ann bob; do
	files=("$scratch/d/mail/$u/Maildir/new/"*)
	[ "${#files[@]}" = 1 ] || fail "$u has ${#files[@]} messages"
	grep -q '^Hello' "${files[0]}" || fail "$u: $(cat "${files[0]}")"
done
exit 0
