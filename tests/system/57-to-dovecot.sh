#!/bin/bash
# Mail to Dovecot by LMTP over TCP: with and without TLS, of all kinds, byte for byte.
. "$(dirname "$0")/peers.bash"
{ dovecot=$(find_program dovecot) && [ -x /usr/lib/dovecot/lmtp ]; } ||
	{ echo "Dovecot's LMTP is not installed"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "Dovecot is started by root only"; exit 77; }
chown nobody "$arrived"
mkdir -p "$scratch/d/run"
cat >"$scratch/d/dovecot.conf" <<END
base_dir = $scratch/d/run
state_dir = $scratch/d/run
instance_name = postern-peer-$$
log_path = $scratch/d/log
protocols = lmtp
ssl = yes
ssl_cert = <$certs/mx.pem
ssl_key = <$certs/mx.key
mail_location = maildir:~/Maildir
first_valid_uid = 100
auth_username_format = %Ln
default_internal_user = nobody
default_login_user = nobody
default_internal_group = nogroup
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = $peer_port
  }
}
service stats {
  chroot =
}
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=$arrived/%n allow_all_users=yes
}
END
"$dovecot" -F -c "$scratch/d/dovecot.conf" >"$scratch/d/out" 2>&1 &
pids+=($!)
await_peer "$scratch/d/out" "$scratch/d/log"
run_client lmtp
send_all
check_all
exit 0
