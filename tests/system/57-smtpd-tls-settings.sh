#!/bin/bash
# What smtpd's TLS settings do, each on a port of its own: which work without a part of them, which take
# TLS away; certificates of clients; the log's levels; limits of new sessions; hostile handshakes in
# masses; REQUIRETLS, passed on or returned.
. "$(dirname "$0")/service.bash"
. "$(dirname "$0")/certs.bash"
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }

new_ca ca
new_cert rsa ca localhost rsa
new_cert ec ca localhost
new_cert rsa2 "" rsa2.test rsa
new_cert client ca client.example
new_cert stranger "" stranger.example
dates="-startdate 20200101000000Z -enddate 20210101000000Z"
new_cert old ca localhost
dates=
chmod 755 "$certs"
cat "$certs/ec.key" "$certs/rsa.pem" >"$certs/mixed"
: >"$certs/empty"
openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe3072 -out "$certs/dh" 2>/dev/null || fail "DH parameters"
print=$(fingerprint client)
key_print=$(openssl x509 -in "$certs/client.pem" -noout -pubkey | openssl pkey -pubin -outform DER |
	openssl dgst -sha256 -c | sed 's/.*= //' | tr a-f A-F)
printf '%s REJECT by certificate\n%s REJECT by key\n' "$print" "$key_print" >"$scratch/access"

init_instance "$scratch/i"
cat >>"$etc/main.cf" <<END
default_transport = discard
smtpd_peername_lookup = no
inet_protocols = ipv4
smtpd_tls_security_level = may
smtpd_tls_chain_files = $certs/rsa.chain
smtpd_tls_CAfile = $certs/ca.pem
smtpd_tls_loglevel = 1
smtpd_client_connection_count_limit = 0
smtp_tls_CAfile = $certs/ca.pem
smtp_tls_loglevel = 1
smtp_requiretls_policy = enforce
smtpd_tls_received_header = yes
smtp_host_lookup = native
END

# name | what STARTTLS comes to (the protocol, or a reply) | text in the log, behind "check" also in what
# postern check says | settings
cases="
ok       |TLSv1.3||smtpd_tls_ciphers=high
noec     |TLSv1.3||smtpd_tls_eecdh_grade=nonsense
nodh     |TLSv1.3|check error opening DH parameter file \"none\": No such file or directory -- using compiled-in defaults|smtpd_tls_dh1024_param_file=none
curve    |TLSv1.3|check ignoring unknown ECDHE curve \"foo\"|tls_eecdh_auto_curves=foo X25519
nocurves |TLSv1.3|starttls=1|tls_eecdh_auto_curves=
baddh    |TLSv1.3|check error decoding DH parameters from file \"$certs/empty\" -- using compiled-in defaults|smtpd_tls_dh1024_param_file=$certs/empty
dhfile   |TLSv1.3||smtpd_tls_dh1024_param_file=$certs/dh
option   |TLSv1.3|check tls_ssl_options: \"FOO\"|tls_ssl_options=FOO
bug      |TLSv1.3|check tls_disable_workarounds: \"FOO\"|tls_disable_workarounds=FOO
ticket   |TLSv1.3|check tls_session_ticket_cipher: invalid value: foo; session tickets disabled|tls_session_ticket_cipher=foo
anon     |TLSv1.2||smtpd_tls_chain_files=|smtpd_tls_cert_file=none
null     |TLSv1.3||smtpd_tls_ciphers=null
old12    |TLSv1.2||smtpd_tls_protocols=!SSLv2 !SSLv3 !TLSv1.3
two      |TLSv1.3||smtpd_tls_chain_files=$certs/rsa.chain $certs/ec.chain
expired  |TLSv1.3|check TLS certificate $certs/old.chain has expired|smtpd_tls_chain_files=$certs/old.chain
verify   |TLSv1.3|check smtpd_tls_security_level: unsupported TLS level \"verify\"|smtpd_tls_security_level=verify
digest   |454 4.7.0|Digest algorithm \"foo\" not found|smtpd_tls_fingerprint_digest=foo
missing  |454 4.7.0|check $certs/none: No such file or directory|smtpd_tls_chain_files=$certs/none
mixed    |454 4.7.0|check $certs/mixed: the certificate does not belong to the key|smtpd_tls_chain_files=$certs/mixed
empty    |454 4.7.0|check $certs/empty: no private key in it|smtpd_tls_chain_files=$certs/empty
twice    |454 4.7.0|check $certs/rsa2.chain: a second key of one kind|smtpd_tls_chain_files=$certs/rsa.chain $certs/rsa2.chain
noca     |454 4.7.0|check $certs/none: cannot read the CA certificates|smtpd_tls_CAfile=$certs/none
none     |502 5.5.1||smtpd_tls_security_level=none
nocerts  |454 4.7.0|check No server certs available|smtpd_tls_chain_files=
"
# and those that are looked at by themselves
services="
steps|smtpd_tls_loglevel=2|smtpd_tls_ask_ccert=yes
bytes|smtpd_tls_loglevel=3
all|smtpd_tls_loglevel=4
rate|smtpd_client_new_tls_session_rate_limit=2|smtpd_client_event_limit_exceptions=
short|smtpd_starttls_timeout=5
must|smtpd_tls_security_level=encrypt|smtpd_tls_req_ccert=yes
wrapmust|smtpd_tls_wrappermode=yes|smtpd_tls_req_ccert=yes
cert|smtpd_tls_ask_ccert=yes|smtpd_client_restrictions=check_ccert_access texthash:$scratch/access
key|smtpd_tls_ask_ccert=yes|smtpd_client_restrictions=check_ccert_access {texthash:$scratch/access, {search_order = pubkey_fingerprint}}
trusted|smtpd_tls_ask_ccert=yes|mynetworks=|smtpd_relay_restrictions=permit_tls_all_clientcerts,reject
hop|smtpd_tls_chain_files=$certs/ec.chain
oldhop|smtpd_tls_chain_files=$certs/ec.chain|requiretls_enable=no
"
port_of() { sed -n "s/^$1 //p" "$scratch/ports"; }
while IFS='|' read -r name rest; do # NAME|SETTING|...
	port=$(free_port) options=
	while [ -n "$rest" ]; do
		setting=${rest%%|*}
		if [ "$setting" = "$rest" ]; then rest=; else rest=${rest#*|}; fi
		[ -n "${setting#*=}" ] && setting="{${setting%%=*} = ${setting#*=}}"
		options="$options -o $setting"
	done
	echo "$name $port" >>"$scratch/ports"
	echo "127.0.0.1:$port inet n - n - - smtpd -o syslog_name=$name $options" >>"$etc/master.cf"
done < <(echo "$cases$services" | sed '/^$/d; s/^\([a-z0-9]*\)  *|[^|]*|[^|]*|/\1|/')
cat >>"$etc/main.cf" <<END
transport_maps = inline:{ { hop.test = secure:[localhost]:$(port_of hop) }
	{ oldhop.test = secure:[localhost]:$(port_of oldhop) } { noname.test = other:[localhost]:$(port_of hop) } }
END
cat >>"$etc/master.cf" <<END
secure unix - - n - - smtp -o smtp_tls_security_level=secure -o smtp_tls_secure_cert_match=localhost
other unix - - n - - smtp -o smtp_tls_security_level=secure -o smtp_tls_secure_cert_match=other.test
END
"$postern" -c "$etc" check >"$scratch/check.out" 2>&1 || fail "check: $(cat "$scratch/check.out")"
start

talk() { # talk NAME CERT LINE...
	timeout $((120 * patience)) python3 tests/system/helpers/tls_talk.py "$(port_of "$1")" "${2:+$certs/$2}" "${@:3}"
}
last_is() { # last_is WANTED NAME CERT LINE...
	local got
	got=$(talk "${@:2}" | tail -n 1)
	case $got in "$1"*) ;; *) fail "${*:2}: expected $1, got $got" ;; esac
}
said_by() { grep -F " $1/smtpd" "$log" | grep -qF -- "$2"; }
mail='MAIL FROM:<a@example.com>' rcpt='RCPT TO:<b@remote.example>'

while IFS='|' read -r name _; do # all at once
	[ -z "$name" ] || talk "${name%% *}" "" >"$scratch/talk.${name%% *}" &
done <<<"$cases"
wait
while IFS='|' read -r name wanted said _; do
	[ -n "$name" ] || continue
	name=${name%% *}
	got=$(head -n 1 "$scratch/talk.$name")
	case $got in "$wanted"*) ;; *) fail "$name: expected $wanted, got $got" ;; esac
	if [ "${said#check }" != "$said" ]; then
		said=${said#check }
		grep -qF -- "$said" "$scratch/check.out" || fail "$name: postern check is silent: $(cat "$scratch/check.out")"
	fi
	[ -z "$said" ] || await 5 said_by "$name" "$said" || fail "$name: not in the log: $said"
done <<<"$cases"

# certificates of clients
last_is '554 5.7.1 <client.example>: Client certificate rejected: by certificate' cert client 'EHLO y' "$mail" "$rcpt"
last_is '554 5.7.1 <client.example>: Client certificate rejected: by key' key client 'EHLO y' "$mail" "$rcpt"
last_is '250' key stranger 'EHLO y' "$mail" "$rcpt"
last_is '250' trusted client 'EHLO y' "$mail" "$rcpt"
last_is '554' trusted stranger 'EHLO y' "$mail" "$rcpt"
last_is '554' trusted '' 'EHLO y' "$mail" "$rcpt"
last_is '250' must client 'EHLO y' "$mail"
last_is '250' wrapmust client WRAP 'EHLO y' "$mail"
last_is '421 4.7.1 localhost.localdomain Error: No client certificate presented' must '' 'EHLO y'
last_is '421 4.7.1 localhost.localdomain Error: Client certificate not trusted' must stranger 'EHLO y'
last_is '421 4.7.1 localhost.localdomain Error: No client certificate presented' wrapmust '' WRAP
await_log 'must/smtpd.*: certificate verification failed for unknown\[127.0.0.1\]: self-signed certificate'
await_log 'must/smtpd.*: NOQUEUE: abort: TLS from unknown\[127.0.0.1\]: Client certificate not trusted'

# levels of the log
talk steps client 'EHLO y' QUIT >/dev/null
talk bytes '' 'EHLO y' QUIT >/dev/null
talk all '' 'EHLO y' QUIT >/dev/null
await_log 'all/smtpd.*: disconnect'
while read -r name text; do
	grep " $name/smtpd" "$log" | grep -q -- "$text" || fail "level: $name: $text"
done <<'END'
steps initializing the server-side TLS engine
steps setting up TLS connection from unknown\[127.0.0.1\]
steps unknown\[127.0.0.1\]: TLS cipher list "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH:!aNULL"$
steps SSL_accept:before SSL initialization
steps unknown\[127.0.0.1\]: depth=0 verify=1 subject=/CN=client.example
steps unknown\[127.0.0.1\]: Issuing session ticket, key expiration: [0-9]*$
steps subject=/CN=client.example
steps issuer=/O=Test/CN=ca
steps unknown\[127.0.0.1\]: subject_CN=client.example, issuer=ca, fingerprint=..:.*, pkey_fingerprint=..:
steps Trusted TLS connection established from unknown\[127.0.0.1\]: TLSv1.3 with cipher
bytes read from [0-9a-fx]* \[[0-9a-fx]*\] ([0-9]* bytes => [0-9]* (0x[0-9A-F]*))$
bytes 0000 16 03 .. .. .. .. .. ..|.. .. .. .. .. .. .. ..  ........ ........$
all Read 8 chars: EHLO y??$
all Write 15 chars: 221 2.0.0 Bye??$
END
grep ' steps/smtpd' "$log" | grep -q 'read from\|close notify' && fail "level 2 says too much"
grep ' bytes/smtpd' "$log" | grep -q 'chars: ' && fail "level 3 says too much"

# new sessions of one client: the third is refused, after it was made; then there are no more
last_is '221' rate '' 'EHLO y' QUIT
last_is '221' rate '' 'EHLO y' QUIT
talk rate '' 'EHLO y' >/dev/null
await_log 'rate/smtpd.*: warning: New TLS session rate limit exceeded: 3 from unknown\[127.0.0.1\] for service'
[ "$(talk rate '' | head -n 1)" = '454 4.7.0 Error: too many new TLS sessions from unknown[127.0.0.1]' ] ||
	fail "the limit of new sessions"
await_log 'rate/smtpd.*: warning: Refusing STARTTLS request from unknown\[127.0.0.1\] for service'

# renegotiation is refused
{ sleep 0.7; echo R; await 10 grep -q 'no renegotiation' "$scratch/renegotiate"; } | timeout 120 openssl s_client -starttls smtp -tls1_2 -connect "127.0.0.1:$(port_of ok)" \
	>"$scratch/renegotiate" 2>&1
grep -q 'no renegotiation' "$scratch/renegotiate" || fail "renegotiation: $(tail -n 3 "$scratch/renegotiate")"

# 200 handshakes at once
if python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
	got=$(timeout $((120 * patience)) python3 tests/system/helpers/tls_masses.py "$(port_of short)" 2>&1)
	[ "$got" = '100 100' ] || fail "200 handshakes: $got"
fi

# REQUIRETLS goes on to who has it and is who he should be; else the mail is returned
for domain in hop oldhop noname; do
	last_is '250 2.0.0 Ok: queued' ok '' 'EHLO y' 'MAIL FROM:<a@remote.example> REQUIRETLS' \
		"RCPT TO:<$domain@$domain.test>" DATA 'Subject: x\r\n\r\nx\r\n.'
done
await_log 'to=<hop@hop.test>.*status=sent'
await_log 'to=<oldhop@oldhop.test>.*dsn=5.7.30, status=bounced'
await_log 'to=<noname@noname.test>.*dsn=[45]\.7\.[0-9]*, status=\(bounced\|deferred\)'
logged 'panic\|fatal' && fail "something fatal"
exit 0
