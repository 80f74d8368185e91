#!/bin/bash
# Mail to Debian's Postfix: with and without TLS, of all kinds, byte for byte.
. "$(dirname "$0")/peers.bash"
. tests/system/postfix.bash
have_postfix || { echo "Debian's Postfix is not installed, or this is not root"; exit 77; }

make_postfix "smtp:[127.0.0.1]:$dump_port"
cat >>"$pf_etc/main.cf" <<END
mydestination =
smtpd_tls_security_level = may
smtpd_tls_chain_files = $certs/mx.chain
smtpd_tls_loglevel = 1
END
peer_port=$PF_PORT
start_dump
start_postfix
await_peer "$pf_log"
run_client
send_all
check_all
grep -q 'disconnect from .*starttls=1.* bdat=' "$pf_log" || fail "Postfix offers CHUNKING, and got no BDAT"
exit 0
