#!/bin/bash
# Clients log in by a real Dovecot: each mechanism, wrong passwords, what the log and the queue say of
# a login; Dovecot is restarted and killed under load; a server that talks nonsense.
. "$(dirname "$0")/service.bash"
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
command -v dovecot >/dev/null || { echo "dovecot is not installed"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "dovecot needs root"; exit 77; }

dovecot_pid='' fake_pid=''
end() {
	stop_dovecot
	[ -n "$fake_pid" ] && kill "$fake_pid" 2>/dev/null
	cleanup
}
trap end EXIT

init_instance "$scratch/i"
socket=$scratch/i/spool/private/auth

mkdir -p "$scratch/d"
printf '%s\n' 'joe:{PLAIN}secret' 'ann@x.test:{PLAIN}tiger' >"$scratch/d/users"
cat >"$scratch/d/dovecot.conf" <<END
base_dir = $scratch/d/run
state_dir = $scratch/d/state
log_path = $scratch/d/log
protocols =
ssl = no
auth_failure_delay = 0
auth_mechanisms = plain login cram-md5 scram-sha-256
auth_debug = yes
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
}
END
start_dovecot() {
	setsid dovecot -F -c "$scratch/d/dovecot.conf" >"$scratch/d/out" 2>&1 &
	dovecot_pid=$!
	await 10 answers || fail "dovecot does not start: $(cat "$scratch/d/out" "$scratch/d/log")"
}
answers() {
	python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(10)
s.connect(sys.argv[1])
sys.exit(not s.recv(100).startswith(b"VERSION"))' "$socket"
}
stop_dovecot() {
	[ -n "$dovecot_pid" ] || return 0
	kill -- -"$dovecot_pid" 2>/dev/null
	wait "$dovecot_pid" 2>/dev/null
	dovecot_pid=
}

cat >>"$etc/main.cf" <<END
default_transport = discard
mynetworks = 192.0.2.0/24
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_sasl_time_limit = 10s
smtpd_sasl_authenticated_header = yes
broken_sasl_auth_clients = yes
smtpd_client_event_limit_exceptions = 127.0.0.0/8
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_sender_restrictions = check_sender_access static:HOLD
smtpd_hard_error_limit = 100
smtpd_soft_error_limit = 100
END
talk() { timeout 120 python3 tests/system/helpers/auth_client.py "$PORT1" "$@"; }
try() { # try WANTED MECHANISM USER PASSWORD
	local got
	got=$(talk login "$2" "$3" "$4") || fail "$2 $3: $got"
	case $got in
	*"$1"*) ;;
	*) fail "$2 $3 $4: $got, not $1" ;;
	esac
}

# before there is a server nobody is told of AUTH, and who tries is to come again
start
case $(talk lines 'EHLO c') in
*AUTH*) fail "AUTH without a server" ;;
esac
await_log "warning: SASL: Connect to Dovecot auth socket 'private/auth' failed: No such file or directory"
try "454 4.7.0 Temporary authentication failure: Connection lost to authentication server" PLAIN joe secret

start_dovecot
talk lines 'EHLO c' >"$scratch/ehlo"
grep -q '^250-AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256$' "$scratch/ehlo" &&
	grep -q '^250-AUTH=PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256$' "$scratch/ehlo" ||
	fail "EHLO: $(cat "$scratch/ehlo")"
for m in PLAIN PLAIN-LATE LOGIN LOGIN-FIRST CRAM-MD5 SCRAM-SHA-256; do
	echo "$m joe secret: 235 2.7.0 Authentication successful"
	echo "$m joe wrong: 535 5.7.8 Error: authentication failed: (reason unavailable)"
done >"$scratch/wanted"
cut -d: -f1 "$scratch/wanted" | talk logins >"$scratch/got" 2>&1
cmp -s "$scratch/wanted" "$scratch/got" || fail "$(diff "$scratch/wanted" "$scratch/got")"
await_log 'SASL PLAIN authentication failed: (reason unavailable), sasl_username=joe'
grep -q 'client in: AUTH.*PLAIN.*service=smtp.*nologin.*no-penalty.*lip=127.0.0.1.*lport='"$PORT1"'.*rip=127.0.0.1.*rport=' "$scratch/d/log" ||
	fail "what dovecot was told: $(grep 'client in' "$scratch/d/log" | tail -1)"

# what is no good, in the words of Postfix
plain=$(printf '\0joe\0secret' | base64)
a() { head -c "$1" /dev/zero | tr '\0' A; }
cat >"$scratch/table" <<END
AUTH#501 5.5.4 Syntax: AUTH mechanism
AUTH PLAIN a b#501 5.5.4 Syntax: AUTH mechanism
AUTH NOPE#535 5.7.8 Error: authentication failed: Invalid authentication mechanism
AUTH PLAIN !!!!#535 5.7.8 Error: authentication failed: Invalid base64 data in initial response
AUTH PLAIN =#535 5.7.8 Error: authentication failed: (reason unavailable)
AUTH PLAIN AGpvZQ==#535 5.7.8 Error: authentication failed: (reason unavailable)
AUTH LOGIN|*#501 5.7.0 Authentication aborted
AUTH PLAIN|!!!#535 5.7.8 Error: authentication failed: Invalid base64 data in continued response
AUTH PLAIN|$(a 13000)#500 5.5.6 SASL response limit exceeded
AUTH PLAIN|$(a 12284)#535 5.7.8 Error: authentication failed: (reason unavailable)
AUTH PLAIN|$(a 12288)#500 5.5.6 SASL response limit exceeded
MAIL FROM:<a@b.test>|AUTH PLAIN $plain#503 5.5.1 Error: MAIL transaction in progress
AUTH PLAIN $plain|AUTH PLAIN $plain#503 5.5.1 Error: already authenticated
END
cut -d'#' -f1 "$scratch/table" | talk sessions >"$scratch/got" 2>&1
cut -d'#' -f2 "$scratch/table" | cmp -s - "$scratch/got" ||
	fail "$(cut -d'#' -f2 "$scratch/table" | diff - "$scratch/got")"
await_log 'SASL LOGIN authentication aborted'
await_log 'disconnect from .* ehlo=1 auth=1/2 '

# a message: the log, the queue, the header, and no password anywhere
talk lines 'EHLO c' "auth plain $plain" 'MAIL FROM:<a@b.test> AUTH=x+2By@z' 'RCPT TO:<q@r.test>' DATA \
	$'Subject: x\r\n\r\nhi\r\n.' QUIT >"$scratch/out"
grep -q '^250 2.0.0 Ok: queued' "$scratch/out" || fail "a message: $(cat "$scratch/out")"
await_log 'client=[a-z]*\[127.0.0.1\], sasl_method=plain, sasl_username=joe, sasl_sender=x+2By@z$'
"$build/bin/postcat" -c "$etc" -q "$(sed -n 's/.*queued as //p' "$scratch/out")" >"$scratch/cat"
grep -q 'Authenticated sender: joe' "$scratch/cat" && grep -q 'with ESMTPA id' "$scratch/cat" &&
	grep -q 'sasl_username.*joe' "$scratch/cat" || fail "the message: $(cat "$scratch/cat")"
grep -e "$plain" -e secret "$log" && fail 'a password in the log'

# a Dovecot that comes anew, that is killed, that hangs
sessions=()
for i in 1 2 3 4; do
	talk load 12 joe secret >"$scratch/load$i" 2>&1 &
	sessions+=($!)
done
for i in 1 2; do
	sleep 0.2
	kill -9 -- -"$dovecot_pid"
	{ wait "$dovecot_pid"; } 2>/dev/null
	start_dovecot
done
wait "${sessions[@]}" || fail "under load: $(cat "$scratch"/load*)"
try "235 " PLAIN joe secret
stop_dovecot
try "454 4.7.0 Temporary authentication failure: Connection lost to authentication server" PLAIN joe secret

# servers that are none
limit() { "$build/bin/postconf" -c "$etc" -e "smtpd_sasl_time_limit = $1" && reload || fail "reload: $(cat "$scratch/reload.out")"; }
limit 1s
for how in hang close garbage badid baduser longline version midline; do
	rm -f "$socket"
	python3 tests/system/helpers/fake_auth.py "$socket" "$how" &
	fake_pid=$!
	await 5 test -S "$socket" || fail "fake server"
	chmod 666 "$socket"
	try "454 4.7.0 Temporary authentication failure: Connection lost to authentication server" PLAIN joe secret
	kill "$fake_pid"
	wait "$fake_pid" 2>/dev/null
	fake_pid=
done
rm -f "$socket"
limit 20s
start_dovecot
try "235 " PLAIN joe secret
grep -e 'panic' -e 'fatal' "$log" && fail 'a process died'
exit 0
