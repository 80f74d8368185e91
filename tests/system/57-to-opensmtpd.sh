#!/bin/bash
# Mail to OpenSMTPD: with and without TLS, of all kinds, byte for byte.
. "$(dirname "$0")/peers.bash"
can_own_root || { echo "OpenSMTPD needs users of its own: this is not root, or there are no mount namespaces"; exit 77; }
# Postfix has an smtpd, too, but not among the commands
smtpd=${POSTERN_TEST_SMTPD:-$(find_program smtpd)} ||
	{ unpack opensmtpd && smtpd=$scratch/package/usr/sbin/smtpd; } ||
	{ echo "OpenSMTPD is not installed, and its package does not come"; exit 77; }

cat >"$scratch/smtpd.conf" <<END
pki localhost cert "$certs/mx.pem"
pki localhost key "$certs/mx.key"
listen on 127.0.0.1 port $peer_port tls pki localhost hostname localhost
action "on" relay host smtp://127.0.0.1:$dump_port
match from any for any action "on"
END
chmod 600 "$certs/mx.key"
start_dump
own_root "$smtpd" -d -f "$scratch/smtpd.conf" >"$scratch/smtpd.out" 2>&1 &
pids+=($!)
await_peer "$scratch/smtpd.out"
run_client
# Debian's 6.8 has a process with the keys that cannot sign with OpenSSL 3: nobody's TLS works then
timeout 10 openssl s_client -starttls smtp -connect "127.0.0.1:$peer_port" </dev/null 2>&1 | grep -q "alert internal error" &&
	domains=plain
send_all
check_all
[ "$domains" = plain ] || exit 0
echo "this OpenSMTPD has no TLS that works: only plain text was proved"
exit 77
