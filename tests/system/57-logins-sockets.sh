#!/bin/bash
# Where Dovecot's server can be: paths below the queue directory and absolute ones, host and port; a server
# that dies, hangs or talks nonsense in the middle of a dialogue; and a real one by each way, if it is here.
. "$(dirname "$0")/service.bash"
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
fake_pid='' dovecot_pid=''
end() {
	[ -n "$fake_pid" ] && kill "$fake_pid" 2>/dev/null
	[ -n "$dovecot_pid" ] && kill -- -"$dovecot_pid" 2>/dev/null
	wait "$dovecot_pid" 2>/dev/null
	cleanup
}
trap end EXIT
init_instance "$scratch/i"
socket=$scratch/i/spool/private/auth
inet=$(free_port)
ports=()
rows=("private/auth" "unix:private/auth" "$socket" "unix:$socket" "inet:127.0.0.1:$inet" "inet:localhost:$inet")
for row in "${rows[@]}"; do
	ports+=("$(free_port)")
	echo "127.0.0.1:${ports[-1]} inet n - n - - smtpd -o smtpd_sasl_path=$row" >>"$etc/master.cf"
done
cat >>"$etc/main.cf" <<END
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_sasl_time_limit = 5s
smtpd_client_event_limit_exceptions =
END
start
talk() { timeout 120 python3 tests/system/helpers/auth_client.py "$@"; }
later="454 4.7.0 Temporary authentication failure: Connection lost to authentication server"

fake() { # fake HOW
	rm -f "$socket"
	python3 tests/system/helpers/fake_auth.py "$socket" "$1" &
	fake_pid=$!
	await 5 test -S "$socket" || fail "the fake server"
	chmod 666 "$socket"
}
for how in contdie conthang contbad; do
	fake $how
	talk "$PORT1" lines 'EHLO c' 'AUTH PLAIN' am9l NOOP >"$scratch/out"
	[ "$(tail -3 "$scratch/out")" = "334 VXNlcm5hbWU6
$later
250 2.0.0 Ok" ] || fail "$how: $(cat "$scratch/out")"
	kill "$fake_pid"
	wait "$fake_pid" 2>/dev/null
	fake_pid=
done
rm -f "$socket"

# paths that are none
for path in 'inet:' 'inet:localhost' 'inet:localhost:none' 'unix:' ''; do
	cp "$etc/main.cf" "$scratch/main.cf"
	"$build/bin/postconf" -c "$etc" -e "smtpd_sasl_path = $path"
	reload && fail "smtpd_sasl_path = $path: reloaded"
	grep -q "smtpd_sasl_path" "$scratch/reload.out" || fail "smtpd_sasl_path = $path: $(cat "$scratch/reload.out")"
	cp "$scratch/main.cf" "$etc/main.cf"
done

command -v dovecot >/dev/null && [ "$(id -u)" = 0 ] || exit 0
mkdir "$scratch/d"
echo 'joe:{PLAIN}secret' >"$scratch/d/users"
cat >"$scratch/d/dovecot.conf" <<END
base_dir = $scratch/d/run
state_dir = $scratch/d/state
log_path = $scratch/d/log
protocols =
ssl = no
auth_mechanisms = plain login
disable_plaintext_auth = no
passdb {
  driver = passwd-file
  args = scheme=plain username_format=%u $scratch/d/users
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
service auth {
  chroot =
  unix_listener $socket {
    mode = 0666
  }
  inet_listener {
    address = 127.0.0.1
    port = $inet
  }
}
END
setsid dovecot -F -c "$scratch/d/dovecot.conf" >"$scratch/d/out" 2>&1 &
dovecot_pid=$!
await 10 test -S "$socket" || fail "dovecot does not start: $(cat "$scratch/d/out" "$scratch/d/log")"
await 5 eval '[ "$(talk ${ports[0]} login PLAIN joe secret)" = "235 2.7.0 Authentication successful" ]' || fail "dovecot: $(cat "$scratch/d/log")"
for i in "${!rows[@]}"; do
	got=$(talk "${ports[$i]}" login LOGIN joe secret)
	[ "$got" = "235 2.7.0 Authentication successful" ] || fail "${rows[$i]}: $got"
done
grep -e panic -e fatal "$log" && fail "a process died"
exit 0
