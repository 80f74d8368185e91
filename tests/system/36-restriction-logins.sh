#!/bin/bash
# Restrictions about logins and client certificates, over real TLS with a real Dovecot, and what policy
# services are told in each state. Replies and log lines are those that are wanted; Debian's Postfix
# gives the same where it is installed. "--write" writes what is wanted anew.
. "$(dirname "$0")/submit.bash"
. tests/system/postfix.bash
. tests/system/certs.bash
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
command -v dovecot >/dev/null || { echo "dovecot is not installed"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "dovecot needs root"; exit 77; }
cases=tests/system/restriction_logins.py wanted=tests/system/36-restriction-logins.wanted
export CERTS=$certs
server='' dovecot_pid=''

end() {
	for p in $server $dovecot_pid; do kill "$p" && wait "$p"; done 2>/dev/null
	stop_postfix
	cleanup
}
trap end EXIT

settings() { # settings AUTH-SOCKET: for both
	cat <<END
mydestination = example.org
mynetworks = 192.0.2.0/24
local_transport = discard
local_recipient_maps =
default_transport = discard
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 0
inet_protocols = ipv4
fast_flush_domains =
recipient_delimiter = +
smtpd_tls_security_level = may
smtpd_tls_ask_ccert = yes
smtpd_tls_cert_file = $certs/server.pem
smtpd_tls_key_file = $certs/server.key
smtpd_tls_CAfile = $certs/ca.pem
smtpd_tls_fingerprint_digest = sha256
relay_clientcerts = inline:{ { $(cat "$certs/good.fp") = listed } }
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = $1
smtpd_sender_login_maps = inline:{ { joe@own.test = joe }, { two@own.test = ann JOE } }
END
}

new_ca ca
for name in server good; do new_cert $name ca $name.example.org; done
new_cert other "" other.example.org
for name in good other; do
	openssl x509 -in "$certs/$name.pem" -noout -fingerprint -sha256 | sed 's/.*=//' >"$certs/$name.fp"
done
mkdir -p "$scratch/d"
printf '%s\n' 'joe:{PLAIN}secret' 'ann:{PLAIN}secret' >"$scratch/d/users"
cat >"$scratch/d/dovecot.conf" <<END
base_dir = $scratch/d/run
state_dir = $scratch/d/state
log_path = $scratch/d/log
protocols =
ssl = no
auth_mechanisms = plain
passdb {
  driver = passwd-file
  args = scheme=plain $scratch/d/users
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
service auth {
  chroot =
  unix_listener $scratch/d/auth {
    mode = 0666
  }
}
END
chmod 755 "$scratch/d"
setsid dovecot -F -c "$scratch/d/dovecot.conf" >"$scratch/d/out" 2>&1 &
dovecot_pid=$!
await 10 test -S "$scratch/d/auth" || fail "dovecot: $(cat "$scratch/d/out" "$scratch/d/log")"

make_instance discard
port=$(free_port) policy_port=$(free_port) dns_port=$(free_port)
python3 $cases serve "$dns_port" "$policy_port" >"$scratch/served" 2>&1 &
server=$!
await 10 grep -q ready "$scratch/served" || fail "servers: $(cat "$scratch/served")"
settings "$scratch/d/auth" >>"$etc/main.cf"
python3 $cases master 1 "$port" "$policy_port" >>"$etc/master.cf"
start
python3 $cases run 1 "$port" >"$scratch/got" 2>&1 || fail "$(cat "$scratch/got")"
stop
python3 $cases log "$log" | sed 's/ID: .*queue_id=.*/ID: told/; s/client_port=.*//; s/\(proto=[A-Z]*\).*/\1/' >>"$scratch/got"
if [ "${1:-}" = --write ]; then cp "$scratch/got" "$wanted"; fi
diff "$wanted" "$scratch/got" || fail "Postern does not answer as is wanted"

have_postfix && [ -z "${1:-}" ] || exit 0
make_postfix discard
settings "$scratch/d/auth" >>"$pf_etc/main.cf"
python3 $cases master 2 "$port" "$policy_port" >>"$pf_etc/master.cf"
start_postfix
python3 $cases run 2 "$port" >"$scratch/postfix" 2>&1 || fail "$(cat "$scratch/postfix")"
stop_postfix
python3 $cases log "$pf_log" | sed 's/ID: .*queue_id=.*/ID: told/; s/client_port=.*//; s/\(proto=[A-Z]*\).*/\1/' >>"$scratch/postfix"
diff "$wanted" "$scratch/postfix" || fail "Postfix answers otherwise"
