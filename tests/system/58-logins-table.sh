#!/bin/bash
# Clients log in by a table of users: each mechanism, by swaks, msmtp and curl too; tokens; passwords in
# all forms; tables that fail; TLS first; who is excepted; what fail2ban makes of the log.
. "$(dirname "$0")/service.bash"
. tests/system/certs.bash
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
init_instance "$scratch/i"

talk() { timeout 120 python3 tests/system/helpers/auth_client.py "$PORT1" "$@"; }
user() { # user NAME PASSWORD [OPTION...]
	local password=$2 name=$1
	shift 2
	echo "$password" | "$postern" user "$@" "$name"
}
digest() { printf %s "$1" | sha256sum | cut -d' ' -f1; }
users=$etc/users now=$(date +%s)
{
	user joe secret
	user bcrypt secret -m '$2b$'
	user sha512 secret -m '$6$'
	echo "plain {PLAIN}secret"
	echo "base64 {PLAIN.B64}$(printf 'a secret' | base64)"
	echo "alias user=Joe@X.test {PLAIN}secret"
	echo "gone $(user gone secret | cut -f2) disabled"
	echo "joe@x.test {PLAIN}secret"
	echo "broken nonsense"
} >"$users"
grep -q '^joe.\$y\$.* SCRAM-SHA-256\$4096:' "$users" || fail "postern user: $(cat "$users")"
cat >"$etc/tokens" <<END
opaque user=joe expires=$((now + 1000)) scope=imap,smtp
late user=joe expires=$((now - 1)) scope=smtp
other user=joe scope=imap
sha256:$(digest long) user=joe scope=smtp
inactive user=joe scope=smtp active=false
END
cat >>"$etc/main.cf" <<END
default_transport = discard
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = table
smtpd_sasl_path = texthash:$users
smtpd_sasl_token_maps = texthash:$etc/tokens
smtpd_sasl_token_scope = smtp
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_client_event_limit_exceptions =
smtpd_hard_error_limit = 100
smtpd_soft_error_limit = 100
END
chmod 644 "$users" "$etc/tokens"
start

yes="235 2.7.0 Authentication successful"
no="535 5.7.8 Error: authentication failed: authentication failure"
later="454 4.7.0 Temporary authentication failure: Connection lost to authentication server"
wanted() { # lines "ANSWER LOGIN"
	while read -r how login; do
		case $how in
		yes) echo "$login: $yes" ;;
		no) echo "$login: $no" ;;
		later) echo "$login: $later" ;;
		absent) echo "$login: 535 5.7.8 Error: authentication failed: Invalid authentication mechanism" ;;
		esac
	done >"$scratch/wanted"
	sed 's/: .*//' "$scratch/wanted" | talk logins >"$scratch/got" 2>&1
	cmp -s "$scratch/wanted" "$scratch/got" || fail "$(diff "$scratch/wanted" "$scratch/got")"
}
wanted <<'END'
yes PLAIN joe secret
no PLAIN joe Secret
yes PLAIN JOE secret
yes LOGIN joe secret
no LOGIN joe wrong
yes SCRAM-SHA-256 joe secret
no SCRAM-SHA-256 joe wrong
no SCRAM-SHA-256 nobody secret
no PLAIN nobody secret
yes PLAIN bcrypt secret
no PLAIN bcrypt wrong
yes PLAIN sha512 secret
yes PLAIN plain secret
yes SCRAM-SHA-256 plain secret
no PLAIN plain wrong
no PLAIN gone secret
no SCRAM-SHA-256 gone secret
later PLAIN broken secret
yes XOAUTH2 joe opaque
yes OAUTHBEARER joe opaque
yes OAUTHBEARER joe long
no XOAUTH2 ann opaque
no XOAUTH2 joe late
no XOAUTH2 joe other
no XOAUTH2 joe inactive
no XOAUTH2 joe unheard
absent CRAM-MD5 joe secret
absent SCRAM-SHA-1 joe secret
END
await_log 'SASL PLAIN authentication failed: authentication failure, sasl_username=nobody$'
await_log 'warning: smtpd_sasl_path: entry of user "broken": expected password hashes'
grep -e nonsense "$log" && fail "a secret in the log"

# the name that is told, and used for access
"$build/bin/postconf" -c "$etc" -e 'smtpd_sasl_local_domain = x.test' 'smtpd_sasl_token_scope =' \
	'smtpd_sasl_mechanism_filter = !login, static:all'
reload || fail "reload: $(cat "$scratch/reload.out")"
wanted <<'END'
yes PLAIN joe secret
absent LOGIN joe secret
no PLAIN plain secret
END
talk lines 'EHLO c' "AUTH PLAIN $(printf '\0joe\0secret' | base64)" 'MAIL FROM:<>' 'RCPT TO:<a@b.test>' QUIT >"$scratch/out"
await_log 'client=.*, sasl_method=PLAIN, sasl_username=joe@x.test$'
"$build/bin/postconf" -c "$etc" -e 'smtpd_sasl_local_domain =' 'smtpd_sasl_mechanism_filter = static:all'
reload || fail "reload: $(cat "$scratch/reload.out")"

# programs of others
message=$'Subject: x\n\nhi\n'
if command -v swaks >/dev/null; then
	for m in PLAIN LOGIN; do
		swaks --server 127.0.0.1:"$PORT1" --from a@b.test --to c@d.test --auth "$m" -au joe -ap secret \
			>"$scratch/swaks" 2>&1 || fail "swaks $m: $(cat "$scratch/swaks")"
		swaks --server 127.0.0.1:"$PORT1" --from a@b.test --to c@d.test --auth "$m" -au joe -ap wrong \
			>"$scratch/swaks" 2>&1 && fail "swaks $m, wrong password: $(cat "$scratch/swaks")"
	done
fi
if command -v msmtp >/dev/null; then
	for m in plain login scram-sha-256; do
		msmtp --version | grep -iq "methods.*$m" || continue
		msmtp --file=/dev/null --host=127.0.0.1 --port="$PORT1" --tls=off --auth=$m --user=joe \
			--passwordeval='echo secret' --from=a@b.test c@d.test <<<"$message" >"$scratch/msmtp" 2>&1 ||
			fail "msmtp $m: $(cat "$scratch/msmtp")"
	done
fi
if command -v curl >/dev/null; then
	for m in PLAIN LOGIN; do
		curl -sS --url "smtp://127.0.0.1:$PORT1/c" --mail-from a@b.test --mail-rcpt c@d.test --user joe:secret \
			--login-options AUTH=$m -T - <<<"$message" >"$scratch/curl" 2>&1 || fail "curl $m: $(cat "$scratch/curl")"
	done
	for m in XOAUTH2 OAUTHBEARER; do
		curl -sS --url "smtp://127.0.0.1:$PORT1/c" --mail-from a@b.test --mail-rcpt c@d.test --user joe: \
			--oauth2-bearer opaque --login-options AUTH=$m -T - <<<"$message" >"$scratch/curl" 2>&1 ||
			fail "curl $m: $(cat "$scratch/curl")"
	done
fi

# fail2ban's filters see who guesses, and nothing else
if command -v fail2ban-regex >/dev/null && [ -f /etc/fail2ban/filter.d/postfix.conf ]; then
	guesses=$(grep -cE 'SASL (PLAIN|LOGIN) authentication failed: auth' "$log")
	matched=$(fail2ban-regex "$log" 'postfix[mode=auth]' 2>/dev/null | sed -n 's/^Lines:.* \([0-9]*\) matched.*/\1/p')
	[ "$matched" = "$guesses" ] || fail "fail2ban: $matched of $guesses failed logins"
fi

# with conditions: who is excepted, what needs TLS, what must not be in plain text
"$build/bin/postconf" -c "$etc" -e 'smtpd_sasl_exceptions_networks = 127.0.0.0/8'
reload || fail "reload: $(cat "$scratch/reload.out")"
case $(talk lines 'EHLO c') in *AUTH*) fail "AUTH for who is excepted" ;; esac
"$build/bin/postconf" -c "$etc" -e 'smtpd_sasl_exceptions_networks =' 'smtpd_sasl_security_options = noplaintext' \
	'smtpd_sasl_tls_security_options = noanonymous'
reload || fail "reload: $(cat "$scratch/reload.out")"
wanted <<'END'
absent PLAIN joe secret
yes SCRAM-SHA-256 joe secret
END
new_ca ca
new_cert srv ca localhost
chmod 644 "$certs"/*
"$build/bin/postconf" -c "$etc" -e 'smtpd_tls_auth_only = yes' 'smtpd_tls_security_level = may' \
	"smtpd_tls_chain_files = $certs/srv.chain" 'smtpd_sasl_authenticated_header = yes' 'smtpd_tls_received_header = yes' \
	'smtpd_sender_restrictions = check_sender_access static:HOLD'
reload || fail "reload: $(cat "$scratch/reload.out")"
[ "$(talk lines 'EHLO c' 'AUTH PLAIN' | tail -1)" = '503 5.5.1 Error: authentication not enabled' ] || fail 'AUTH without TLS'
if command -v swaks >/dev/null; then
	swaks --server 127.0.0.1:"$PORT1" --from a@b.test --to c@d.test --tls --auth PLAIN -au joe -ap secret \
		>"$scratch/swaks" 2>&1 || fail "swaks, TLS: $(cat "$scratch/swaks")"
	id=$(sed -n 's/.*queued as //p' "$scratch/swaks" | tr -d '\r')
	"$build/bin/postcat" -c "$etc" -q "$id" >"$scratch/cat" || fail "postcat $id"
	grep -q 'with ESMTPSA id' "$scratch/cat" && grep -q '^	(Authenticated sender: joe)$' "$scratch/cat" ||
		fail "Received: $(cat "$scratch/cat")"
fi

# settings that cannot be
for setting in 'smtpd_sasl_type = cyrus' 'smtpd_sasl_path = smtpd' 'smtpd_sasl_type = wat' 'smtpd_sasl_response_limit = 0'; do
	cp "$etc/main.cf" "$scratch/main.cf"
	"$build/bin/postconf" -c "$etc" -e "$setting"
	reload && fail "$setting: reloaded"
	[ "$setting" = 'smtpd_sasl_type = cyrus' ] && setting="smtpd_sasl_path = texthash:$users" # no name of a file
	grep -q "$setting: " "$scratch/reload.out" || fail "$setting: $(cat "$scratch/reload.out")"
	cp "$scratch/main.cf" "$etc/main.cf"
done

# as Postfix has it: what counts against the rate, whose login XCLIENT ends, which name a bare sender has
# (owned by joe: a@own.test and, as it is myorigin's, j)
echo 'a@own.test joe' >"$etc/logins"
echo 'j joe' >>"$etc/logins"
chmod 644 "$etc/logins"
plain=$(printf '\0joe\0secret' | base64)
"$build/bin/postconf" -c "$etc" -e 'smtpd_tls_auth_only = no' 'smtpd_sasl_security_options = noanonymous' \
	'smtpd_client_auth_rate_limit = 3' 'smtpd_authorized_xclient_hosts = 127.0.0.1' 'smtpd_helo_required = yes' \
	"smtpd_sender_login_maps = texthash:$etc/logins" 'smtpd_sender_restrictions = reject_sender_login_mismatch' \
	'myorigin = mail.example.org' 'mydestination = localhost'
reload || fail "reload: $(cat "$scratch/reload.out")"
cat >"$scratch/table" <<END
XCLIENT ADDR=192.0.2.1|EHLO c|AUTH|AUTH|AUTH|AUTH PLAIN $plain#450 4.7.1 Error: too many AUTH commands from 192.0.2.1
XCLIENT ADDR=192.0.2.2|AUTH|AUTH|AUTH|AUTH#450 4.7.1 Error: too many AUTH commands from 192.0.2.2
AUTH PLAIN $plain|XCLIENT ADDR=192.0.2.3|EHLO c|MAIL FROM:<x@y.test>|RCPT TO:<x@y.test>#554 5.7.1 <x@y.test>: Recipient address rejected: Access denied
XCLIENT LOGIN=joe|XCLIENT HELO=x|EHLO c|MAIL FROM:<x@y.test>|RCPT TO:<x@y.test>#554 5.7.1 <x@y.test>: Recipient address rejected: Access denied
XCLIENT LOGIN=joe ADDR=192.0.2.3|EHLO c|MAIL FROM:<a@own.test>|RCPT TO:<x@y.test>#250 2.1.5 Ok
XCLIENT LOGIN=ann ADDR=192.0.2.3|EHLO c|MAIL FROM:<a@own.test>|RCPT TO:<x@y.test>#553 5.7.1 <a@own.test>: Sender address rejected: not owned by user ann
XCLIENT ADDR=192.0.2.4|EHLO c|MAIL FROM:<j@mail.example.org>|RCPT TO:<x@y.test>#553 5.7.1 <j@mail.example.org>: Sender address rejected: not logged in
XCLIENT ADDR=192.0.2.4|EHLO c|MAIL FROM:<j>|RCPT TO:<x@y.test>#553 5.7.1 <j>: Sender address rejected: not logged in
XCLIENT ADDR=192.0.2.5|EHLO c|AUTH PLAIN $(head -c 2100 /dev/zero | tr '\0' A)#535 5.7.8 Error: authentication failed: Invalid base64 data in initial response
END
cut -d'#' -f1 "$scratch/table" | talk sessions >"$scratch/got" 2>&1
cut -d'#' -f2 "$scratch/table" | cmp -s - "$scratch/got" ||
	fail "$(cut -d'#' -f2 "$scratch/table" | diff - "$scratch/got")"
await_log 'request longer than 2048: AUTH PLAIN\.\.\.$'

# nobody is left of the mechanisms: the log says so
"$build/bin/postconf" -c "$etc" -e 'smtpd_sasl_mechanism_filter = nothing'
reload || fail "reload: $(cat "$scratch/reload.out")"
case $(talk lines 'EHLO c') in *AUTH*) fail "AUTH without a mechanism" ;; esac
await_log 'warning: no SASL authentication mechanisms are left by'

# without AUTH a login of XCLIENT gives no rights
"$build/bin/postconf" -c "$etc" -e 'smtpd_sasl_auth_enable = no'
reload || fail "reload: $(cat "$scratch/reload.out")"
talk lines 'EHLO c' 'XCLIENT LOGIN=joe' 'EHLO c' 'MAIL FROM:<x@y.test>' 'RCPT TO:<x@y.test>' >"$scratch/out"
grep -q '^554 5.7.1 <x@y.test>: Recipient address rejected' "$scratch/out" || fail "XCLIENT without AUTH: $(cat "$scratch/out")"

# a table that is not there: nobody is told that the password is wrong
"$build/bin/postconf" -c "$etc" -e 'smtpd_sasl_path = fail:users' 'smtpd_sasl_security_options =' \
	'smtpd_sasl_auth_enable = yes' 'smtpd_sasl_mechanism_filter = static:all' 'smtpd_helo_required = no' 'smtpd_client_auth_rate_limit = 0'
reload || fail "reload: $(cat "$scratch/reload.out")"
wanted <<'END'
later PLAIN joe secret
END
exit 0
