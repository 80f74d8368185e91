#!/bin/bash
# With smtpd_tls_loglevel 2 the log says when a TLS session is kept for resumption, looked up and found, as
# Postfix's log does.
. "$(dirname "$0")/submit.bash"
. tests/system/certs.bash

make_instance discard
PORT1=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\);.*/\1/p' "$scratch/init.out")
new_cert server "" localhost
cat >>"$etc/main.cf" <<END
smtpd_tls_chain_files = $certs/server.chain
smtpd_tls_security_level = may
smtpd_tls_loglevel = 2
smtpd_tls_session_cache_database = lmdb:\$data_directory/smtpd_cache
END
start
client() {
	printf 'QUIT\r\n' | timeout 15 openssl s_client -connect "127.0.0.1:$PORT1" -starttls smtp -ign_eof -tls1_2 \
		-no_ticket "$@" >"$scratch/client.out" 2>&1
}
client -sess_out "$scratch/session"
id=$(sed -n 's/^ *Session-ID: //p' "$scratch/client.out" | head -n 1)
[ -n "$id" ] || fail "no session: $(cat "$scratch/client.out")"
await_log "smtpd\[.*: [a-z]*\[127.0.0.1\]: save session $id to smtpd cache"
client -sess_in "$scratch/session"
await_log "smtpd\[.*: [a-z]*\[127.0.0.1\]: looking up session $id in smtpd cache"
await_log "smtpd\[.*: [a-z]*\[127.0.0.1\]: reloaded session $id from smtpd cache"
exit 0
