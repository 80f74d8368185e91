#!/bin/bash
# Programs that people send with log in: each mechanism they have, by a table of users and by Cyrus SASL, with
# TLS where they want it; and mail servers of ours and Debian's as clients.
. "$(dirname "$0")/service.bash"
. tests/system/certs.bash
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
PATH=$PATH:/usr/sbin
init_instance "$scratch/i"
PORT2=$(free_port)
echo secret | "$postern" user joe >"$etc/users"
echo 'token123 user=joe scope=smtp' >"$etc/tokens"
new_ca ca
new_cert srv ca localhost
chmod 644 "$certs"/* "$etc/users" "$etc/tokens"
cat >>"$etc/main.cf" <<END
myhostname = mail.example.org
default_transport = discard
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = table
smtpd_sasl_path = texthash:$etc/users
smtpd_sasl_token_maps = texthash:$etc/tokens
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_tls_security_level = may
smtpd_tls_chain_files = $certs/srv.chain
smtpd_client_event_limit_exceptions = 127.0.0.0/8
smtpd_authorized_xclient_hosts =
END
cyrus=
if command -v saslpasswd2 >/dev/null && ls /usr/lib/*/sasl2/libsasldb.so >/dev/null 2>&1 &&
	echo secret | saslpasswd2 -p -c -f "$scratch/sasldb" -u mail.example.org joe 2>/dev/null; then
	cyrus=1
	chmod 644 "$scratch/sasldb"
	mkdir "$etc/sasl"
	printf '%s\n' 'pwcheck_method: auxprop' 'auxprop_plugin: sasldb' "sasldb_path: $scratch/sasldb" \
		'mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256' >"$etc/sasl/smtpd.conf"
	echo "127.0.0.1:$PORT2 inet n - n - - smtpd -o smtpd_sasl_type=cyrus -o smtpd_sasl_path=smtpd" >>"$etc/master.cf"
fi
start
sent=0
accepted() { count_logged ": client=.*sasl_username=joe"; }
# good NAME METHOD COMMAND...: one more message has come, and the log has the mechanism
good() {
	local name=$1 method=$2
	shift 2
	"$@" </dev/null >"$scratch/out" 2>&1 || fail "$name $method: $(cat "$scratch/out")"
	sent=$((sent + 1))
	[ "$(accepted)" -ge $sent ] || await 5 arrived || fail "$name $method: no message came; $(cat "$scratch/out")"
	grep ': client=' "$log" | tail -1 | grep -qiE "sasl_method=($method)," || fail "$name $method: $(grep ': client=' "$log" | tail -1)"
}
arrived() { [ "$(accepted)" -ge $sent ]; }
bad() { # bad NAME COMMAND...
	local name=$1
	shift
	"$@" </dev/null >"$scratch/out" 2>&1 && fail "$name with a wrong password"
	return 0
}
ports="$PORT1:SCRAM-SHA-256"
[ -n "$cyrus" ] && ports="$ports $PORT2:CRAM-MD5 $PORT2:DIGEST-MD5 $PORT2:SCRAM-SHA-1 $PORT2:SCRAM-SHA-256 $PORT2:PLAIN $PORT2:LOGIN"

if command -v swaks >/dev/null; then
	swaks_to() { swaks --server 127.0.0.1:"$1" --from a@b.test --to c@d.test --auth "$2" -au joe -ap "$3" "${@:4}"; }
	for m in PLAIN LOGIN; do
		good swaks $m swaks_to "$PORT1" $m secret --tls
		bad "swaks $m" swaks_to "$PORT1" $m wrong
	done
	[ -z "$cyrus" ] || good swaks CRAM-MD5 swaks_to "$PORT2" CRAM-MD5 secret
fi

if command -v msmtp >/dev/null; then
	msmtp_to() {
		printf 'Subject: x\n\nhi\n' | msmtp --file=/dev/null --host=127.0.0.1 --port="$1" --auth="$2" --user=joe \
			--passwordeval="echo $3" --from=a@b.test --tls=on --tls-starttls=on --tls-certcheck=off c@d.test
	}
	known=$(msmtp --version | grep -i 'authentication')
	for row in "$PORT1:PLAIN" "$PORT1:LOGIN" $ports; do
		method=${row#*:}
		case $known in *"${method,,}"*) ;; *) continue ;; esac
		good msmtp "$method" msmtp_to "${row%%:*}" "${method,,}" secret
	done
	for method in oauthbearer xoauth2; do
		case $known in *$method*) good msmtp $method msmtp_to "$PORT1" $method token123 ;; esac
	done
	bad msmtp msmtp_to "$PORT1" plain wrong
fi

if command -v curl >/dev/null; then
	curl_to() { # curl_to PORT METHOD [OPTION...]
		printf 'Subject: x\n\nhi\n' | curl -sS --url "smtp://localhost:$1/c" --mail-from a@b.test --mail-rcpt c@d.test \
			--login-options "AUTH=$2" --cacert "$certs/ca.pem" --ssl-reqd -T - "${@:3}"
	}
	for row in "$PORT1:PLAIN" "$PORT1:LOGIN" $ports; do
		case $row in *SCRAM*) continue ;; esac
		good curl "${row#*:}" curl_to "${row%%:*}" "${row#*:}" --user joe:secret
	done
	for method in XOAUTH2 OAUTHBEARER; do # it takes the first to mean either
		good curl "$method|OAUTHBEARER" curl_to "$PORT1" $method --user joe: --oauth2-bearer token123
		bad "curl $method" curl_to "$PORT1" $method --user joe: --oauth2-bearer wrong
	done
fi

python_to() { # what smtplib chooses by itself
	python3 -c 'import smtplib, sys, ssl
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]))
c = ssl._create_unverified_context()
s.starttls(context=c)
s.login("joe", sys.argv[2])
s.sendmail("a@b.test", ["c@d.test"], "Subject: x\r\n\r\nhi\r\n")
s.quit()' "$1" "$2"
}
good smtplib PLAIN python_to "$PORT1" secret
bad smtplib python_to "$PORT1" wrong
[ -z "$cyrus" ] || good smtplib CRAM-MD5 python_to "$PORT2" secret

if command -v s-nail >/dev/null; then
	snail_to() {
		echo hi | s-nail -:/ -Sv15-compat -Smta="smtp://joe:secret@127.0.0.1:$1" -Ssmtp-auth="$2" -Ssmtp-use-starttls \
			-Stls-verify=ignore -Ssendwait -r a@b.test -s x c@d.test
	}
	good s-nail PLAIN snail_to "$PORT1" plain
	good s-nail LOGIN snail_to "$PORT1" login
	[ -z "$cyrus" ] || good s-nail CRAM-MD5 snail_to "$PORT2" cram-md5
fi

if command -v mutt >/dev/null; then
	mutt_to() {
		echo hi | HOME=$scratch mutt -n -F /dev/null -e "set smtp_url=smtp://joe@127.0.0.1:$1" -e 'set smtp_pass=secret' \
			-e "set smtp_authenticators=$2" -e 'set ssl_starttls=no ssl_force_tls=no copy=no from=a@b.test use_from=yes' -s x c@d.test
	}
	good mutt PLAIN mutt_to "$PORT1" plain
	[ -z "$cyrus" ] || good mutt CRAM-MD5 mutt_to "$PORT2" cram-md5
fi

modules=${POSTERN_TEST_NODE_MODULES:-}
if [ -d "$modules/nodemailer" ] && command -v node >/dev/null; then
	node_to() { # node_to PORT METHOD
		NODE_PATH=$modules node -e 'const [port, method] = process.argv.slice(1);
const auth = method == "XOAUTH2" ? {type: "OAuth2", user: "joe", accessToken: "token123"} : {user: "joe", pass: "secret"};
require("nodemailer").createTransport({host: "127.0.0.1", port, auth, authMethod: method, tls: {rejectUnauthorized: false}})
	.sendMail({from: "a@b.test", to: "c@d.test", subject: "x", text: "hi"}).then(() => process.exit(0), e => { console.log(e); process.exit(1) })' "$1" "$2"
	}
	for method in PLAIN LOGIN XOAUTH2; do good nodemailer $method node_to "$PORT1" $method; done
	[ -z "$cyrus" ] || good nodemailer CRAM-MD5 node_to "$PORT2" CRAM-MD5
fi

# a mail server as the client, with nothing but what every guide says: smtp_sasl_type is cyrus by default
smtp_port=$PORT1
init_instance "$scratch/c"
PORT1=$smtp_port
client=$scratch/c/etc
trap '"$postern" -c "$client" abort >/dev/null 2>&1; cleanup' EXIT
echo "[127.0.0.1]:$PORT1 joe:secret" >"$client/sasl_passwd"
chmod 600 "$client/sasl_passwd"
"$build/bin/postconf" -c "$client" -e "relayhost = [127.0.0.1]:$PORT1" 'smtp_sasl_auth_enable = yes' 'smtp_tls_security_level = may' \
	"smtp_sasl_password_maps = hash:$client/sasl_passwd" 'smtp_sasl_security_options = noanonymous'
"$build/bin/postmap" -c "$client" "hash:$client/sasl_passwd" || fail postmap
"$postern" -c "$client" start >"$scratch/out" 2>&1 || fail "start: $(cat "$scratch/out")"
grep -i warning "$scratch/out" && fail "a warning about a default"
our_smtp() { printf 'Subject: x\n\nhi\n' | "$build/bin/sendmail" -C "$client" -f a@b.test c@d.test; }
good smtp SCRAM-SHA-256 our_smtp
grep -q 'status=sent' "$scratch/c/log/mail.log" || await 5 grep -q 'status=sent' "$scratch/c/log/mail.log" || fail "not sent: $(tail -5 "$scratch/c/log/mail.log")"
grep -e 'secret' -e token123 -e panic -e fatal "$log" "$scratch/c/log/mail.log" && fail "in the log"
exit 0
