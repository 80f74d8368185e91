#!/bin/bash
# Clients log in by Cyrus SASL, Postfix's default: mechanisms of a sasldb, a real saslauthd, one that hangs,
# one that is not there; security options, realms; who does not use it does not pay for it.
. "$(dirname "$0")/service.bash"
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
for program in saslpasswd2 saslauthd; do
	PATH=$PATH:/usr/sbin command -v $program >/dev/null || { echo "sasl2-bin is not installed"; exit 77; }
done
PATH=$PATH:/usr/sbin
ls /usr/lib/*/sasl2/libscram.so /usr/lib/*/sasl2/libsasldb.so >/dev/null 2>&1 ||
	{ echo "libsasl2-modules is not installed"; exit 77; }
saslauthd_pid='' helper_pid=''
end() {
	[ -n "$saslauthd_pid" ] && kill -- -"$saslauthd_pid" 2>/dev/null
	[ -n "$helper_pid" ] && kill "$helper_pid" 2>/dev/null
	cleanup
}
trap end EXIT

init_instance "$scratch/i"
talk() { timeout 120 python3 tests/system/helpers/auth_client.py "$PORT1" "$@"; }
offered() { # offered LINE
	talk lines 'EHLO c' >"$scratch/out"
	grep -qx "250-$1" "$scratch/out" || fail "not $1: $(cat "$scratch/out")"
}
cyrus() { # cyrus LINE...: the configuration of libsasl2
	mkdir -p "$etc/sasl"
	printf '%s\n' "$@" >"$etc/sasl/smtpd.conf"
}
for login in joe@mail.example.org ann@other.test; do
	echo secret | saslpasswd2 -p -c -f "$scratch/sasldb" -u "${login#*@}" "${login%@*}" ||
		{ echo "saslpasswd2 does not work here"; exit 77; }
done
# the file is opened by mail_owner when somebody logs in; the configuration is read before that
chmod 644 "$scratch/sasldb"
all="PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256"
cyrus "pwcheck_method: auxprop" "auxprop_plugin: sasldb" "sasldb_path: $scratch/sasldb" "mech_list: $all ANONYMOUS"
chmod 600 "$etc/sasl/smtpd.conf"

# nothing but the switch: the rest is Postfix's default
cat >>"$etc/main.cf" <<END
myhostname = mail.example.org
default_transport = discard
smtpd_sasl_auth_enable = yes
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_client_event_limit_exceptions =
smtpd_hard_error_limit = 100
smtpd_soft_error_limit = 100
END
# in a chroot, as Debian's master.cf has it, and with files of other names
PORT2=$(free_port)
cp "$scratch/sasldb" "$scratch/i/spool/sasldb"
mkdir "$scratch/conf"
printf '%s\n' "pwcheck_method: auxprop" "auxprop_plugin: sasldb" "sasldb_path: /sasldb" "mech_list: $all" >"$scratch/conf/other.conf"
[ "$(id -u)" = 0 ] || sed -i "s|/sasldb|$scratch/sasldb|" "$scratch/conf/other.conf" # no chroot, then
echo "127.0.0.1:$PORT2 inet n - y - - smtpd -o smtpd_sasl_path=other -o cyrus_sasl_config_path=$scratch/conf" >>"$etc/master.cf"
start
offered "AUTH $all"
yes="235 2.7.0 Authentication successful"
no="535 5.7.8 Error: authentication failed: authentication failure"
wanted() { # lines "LOGIN: ANSWER"
	cat >"$scratch/wanted"
	cut -d: -f1 "$scratch/wanted" | talk logins >"$scratch/got" 2>&1
	cmp -s "$scratch/wanted" "$scratch/got" || fail "$(diff "$scratch/wanted" "$scratch/got")"
}
for m in PLAIN PLAIN-LATE LOGIN LOGIN-FIRST CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256; do
	echo "$m joe secret: $yes"
	echo "$m joe wrong: $no"
	echo "$m nobody secret: $no"
done >"$scratch/rows"
wanted <"$scratch/rows"
cut -d: -f1 "$scratch/rows" | timeout 120 python3 tests/system/helpers/auth_client.py "$PORT2" logins >"$scratch/got" 2>&1
cmp -s "$scratch/rows" "$scratch/got" || fail "in a chroot: $(diff "$scratch/rows" "$scratch/got")"
await_log 'SASL LOGIN authentication failed: authentication failure, sasl_username=joe$'
await_log 'SASL LOGIN authentication failed: authentication failure, sasl_username=nobody$'
await_log 'warning: SASL authentication failure: Password verification failed'

# what is no good, in Postfix's words
plain=$(printf '\0joe\0secret' | base64)
cat >"$scratch/table" <<END
AUTH NOPE#535 5.7.8 Error: authentication failed: no mechanism available
AUTH ANONYMOUS am9l#535 5.7.8 Error: authentication failed: no mechanism available
AUTH PLAIN !!!!#535 5.7.8 Error: authentication failed: bad protocol / cancel
AUTH PLAIN AGpvZQ==#535 5.7.8 Error: authentication failed: bad protocol / cancel
AUTH PLAIN|#535 5.7.8 Error: authentication failed: bad protocol / cancel
AUTH CRAM-MD5 am9l#535 5.7.8 Error: authentication failed: bad protocol / cancel
AUTH SCRAM-SHA-256 biws#535 5.7.8 Error: authentication failed: bad protocol / cancel
AUTH LOGIN|am9l|*#501 5.7.0 Authentication aborted
AUTH plain $plain|AUTH PLAIN $plain#503 5.5.1 Error: already authenticated
AUTH PLAIN|*|AUTH LOGIN|*|AUTH plain $plain#235 2.7.0 Authentication successful
END
cut -d'#' -f1 "$scratch/table" | talk sessions >"$scratch/got" 2>&1
cut -d'#' -f2 "$scratch/table" | cmp -s - "$scratch/got" ||
	fail "$(cut -d'#' -f2 "$scratch/table" | diff - "$scratch/got")"

# realms; mechanisms that are worth enough
settings() {
	"$build/bin/postconf" -c "$etc" -e "$@" && reload || fail "reload: $(cat "$scratch/reload.out")"
}
settings 'smtpd_sasl_local_domain = other.test'
wanted <<END
PLAIN ann secret: $yes
PLAIN joe secret: $no
END
settings 'smtpd_sasl_local_domain =' 'smtpd_sasl_security_options = noanonymous, noplaintext'
offered 'AUTH CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256'
settings 'smtpd_sasl_security_options = mutual_auth'
offered 'AUTH DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256'
settings 'smtpd_sasl_security_options =' 'smtpd_sasl_mechanism_filter = !login, static:all'
offered 'AUTH PLAIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256 ANONYMOUS'
settings 'smtpd_sasl_security_options = noanonymous' 'smtpd_sasl_mechanism_filter = static:all'

# saslauthd, which asks an IMAP server
python3 tests/system/helpers/fake_imap.py "$scratch/imap" joe secret &
helper_pid=$!
await 5 test -s "$scratch/imap" || fail "the IMAP server"
mkdir "$scratch/sasl"
setsid saslauthd -a rimap -O "127.0.0.1/$(cat "$scratch/imap")" -m "$scratch/sasl" -n 2 -d >"$scratch/saslauthd.out" 2>&1 &
saslauthd_pid=$!
await 5 test -S "$scratch/sasl/mux" || { echo "saslauthd does not start here: $(tail -1 "$scratch/saslauthd.out")"; exit 77; }
chmod 755 "$scratch/sasl"
cyrus "pwcheck_method: saslauthd" "saslauthd_path: $scratch/sasl/mux" "mech_list: PLAIN LOGIN"
settings 'smtpd_sasl_time_limit = 1s'
wanted <<END
PLAIN joe secret: $yes
PLAIN joe wrong: $no
LOGIN joe secret: $yes
LOGIN joe wrong: $no
END
talk lines 'EHLO c' "AUTH LOGIN" "$(printf joe | base64)" "$(printf secret | base64)" 'MAIL FROM:<>' 'RCPT TO:<a@b.test>' QUIT >"$scratch/out"
await_log 'client=.*, sasl_method=LOGIN, sasl_username=joe$'

# it goes away, and hangs: the client may come again, and fail2ban finds nothing
later="454 4.7.0 Temporary authentication failure: Connection lost to authentication server"
kill -- -"$saslauthd_pid" "$helper_pid"
wait "$saslauthd_pid" "$helper_pid" 2>/dev/null
rm -f "$scratch/sasl/mux"
wanted <<<"PLAIN joe secret: $later"
await_log 'SASL authentication failure: cannot connect to saslauthd server: No such file or directory'
python3 tests/system/helpers/fake_imap.py "$scratch/sasl/mux.sock" joe secret &
helper_pid=$! saslauthd_pid=
await 5 test -S "$scratch/sasl/mux.sock" || fail "the server that hangs"
chmod 666 "$scratch/sasl/mux.sock"
mv "$scratch/sasl/mux.sock" "$scratch/sasl/mux"
talk lines 'EHLO c' 'AUTH LOGIN' am9l c2VjcmV0 NOOP >"$scratch/out"
[ "$(tail -2 "$scratch/out")" = "$later
250 2.0.0 Ok" ] || fail "with an saslauthd that hangs: $(cat "$scratch/out")"
await_log 'warning: SASL: no answer within 1 seconds'

# a mistake in the settings is told at the reload; the old ones stay
for setting in 'smtpd_sasl_path = /etc/x' 'smtpd_sasl_path ='; do
	cp "$etc/main.cf" "$scratch/main.cf"
	"$build/bin/postconf" -c "$etc" -e "$setting"
	reload && fail "$setting: reloaded"
	grep -q 'smtpd_sasl_path = .*: expected the name of a file, such as smtpd' "$scratch/reload.out" || fail "$(cat "$scratch/reload.out")"
	cp "$scratch/main.cf" "$etc/main.cf"
done

# it is mapped by those who use it
maps_of_smtpd() {
	talk lines 'EHLO c' >/dev/null
	for pid in $(children); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = smtpd ] && grep -l libsasl2 "/proc/$pid/maps" 2>/dev/null
	done
}
[ -n "$(maps_of_smtpd)" ] || fail "libsasl2 is not mapped"
settings 'smtpd_sasl_auth_enable = no'
await 5 test -z "$(maps_of_smtpd)" || fail "libsasl2 is mapped, and nobody may log in"
grep -e "$plain" -e "secret" "$log" && fail "a password in the log"
grep -e panic -e fatal "$log" && fail "a process died"
exit 0
