#!/bin/bash
# smtpd's TLS: levels, kinds of certificates, names, client certificates, resumption across processes,
# renewal without a reload, plain text behind STARTTLS, handshakes that fail and that hang.
. "$(dirname "$0")/service.bash"
. "$(dirname "$0")/certs.bash"
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }

new_ca ca
new_cert client ca client.example
new_cert rsa "" rsa.test rsa
new_cert ec "" ec.test
new_cert ed "" ed.test ed25519
new_cert named "" named.test
new_cert next "" next.test
mkdir "$scratch/keys"
chmod 755 "$scratch/keys" "$certs"
cp "$certs/ec.pem" "$scratch/keys/live.pem"
cp "$certs/ec.key" "$scratch/keys/live.key"
chmod 600 "$scratch/keys/live.key" "$certs"/*.key "$certs"/*.chain

init_instance "$scratch/i"
wrap=$(free_port) must=$(free_port) live=$(free_port) cert=$(free_port) gone=$(free_port)
printf 'named.test %s\n.sub.test %s\n' "$certs/named.chain" "$certs/named.chain" >"$scratch/sni"
"$build/bin/postmap" -c "$etc" -F "lmdb:$scratch/sni" || fail "postmap -F"
cat >>"$etc/main.cf" <<END2
default_transport = discard
smtpd_peername_lookup = no
smtpd_tls_security_level = may
smtpd_tls_chain_files = $certs/rsa.chain $certs/ec.chain $certs/ed.chain
tls_server_sni_maps = lmdb:$scratch/sni
smtpd_tls_loglevel = 1
smtpd_tls_received_header = yes
smtpd_tls_CAfile = $certs/ca.pem
smtpd_tls_fingerprint_digest = sha256
smtpd_starttls_timeout = 2s
relay_clientcerts = inline:{ { $(fingerprint client) = yes } }
ipc_timeout = 3s
END2
cat >>"$etc/master.cf" <<END2
127.0.0.1:$wrap inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:$must inet n - n - - smtpd -o smtpd_tls_security_level=encrypt
127.0.0.1:$live inet n - n - 1 smtpd -o smtpd_tls_chain_files= -o smtpd_tls_cert_file=$scratch/keys/live.pem -o smtpd_tls_key_file=$scratch/keys/live.key
127.0.0.1:$cert inet n - n - - smtpd -o smtpd_tls_ask_ccert=yes -o mynetworks= -o smtpd_relay_restrictions=permit_tls_clientcerts,reject
127.0.0.1:$gone inet n - n - - smtpd -o smtpd_tls_chain_files=$scratch/missing
END2
start

s_client() { # s_client PORT OPTIONS...: what openssl says of a STARTTLS session
	local port=$1
	shift
	printf 'QUIT\r\n' | timeout 120 openssl s_client -connect "127.0.0.1:$port" -starttls smtp -ign_eof "$@" 2>&1
}
subject() { # subject PORT OPTIONS...: the common name of the certificate that it shows
	s_client "$@" | sed -n 's/^subject=.*CN *= *//p'
}
cat >"$scratch/talk.py" <<'END2'
# usage: talk.py PORT WORD...: what is said, line by line; TLS begins TLS; the last reply line is printed
import os, socket, ssl, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.settimeout(120)
def reply():
    text = b""
    while not (text.endswith(b"\r\n") and text.split(b"\r\n")[-2][3:4] == b" "):
        more = s.recv(4096)
        if not more:
            return "closed"
        text += more
    return text.decode().split("\r\n")[-2]
def tls():
    global s
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    if "CERT" in os.environ:
        c.load_cert_chain(os.environ["CERT"] + ".pem", os.environ["CERT"] + ".key")
    s = c.wrap_socket(s)
last = ""
words = sys.argv[2:]
if words and words[0] == "WRAP":
    tls()
    words = words[1:]
try:
    last = reply()
    for word in words:
        if word == "TLS":
            s.sendall(b"STARTTLS\r\n")
            last = reply()
            tls()
        else:
            s.sendall(word.encode().decode("unicode_escape").encode() + b"\r\n")
            last = reply()
except (OSError, ssl.SSLError) as e:
    last = "closed"
print(last)
END2
talk() { timeout 120 python3 "$scratch/talk.py" "$@"; }
says() { # says WANTED PORT WORD...
	local wanted=$1 got
	shift
	got=$(talk "$@")
	case $got in "$wanted"*) ;; *) fail "${*:2}: expected $wanted, got $got" ;; esac
}
mail='MAIL FROM:<a@example.com>' rcpt='RCPT TO:<b@remote.example>'

# kinds of certificates, by what the client can
[ "$(subject "$PORT1" -sigalgs RSA-PSS+SHA256)" = rsa.test ] || fail "no RSA certificate"
[ "$(subject "$PORT1" -sigalgs ECDSA+SHA256)" = ec.test ] || fail "no ECDSA certificate"
[ "$(subject "$PORT1" -sigalgs ed25519)" = ed.test ] || fail "no Ed25519 certificate"
[ "$(subject "$PORT1" -servername NAMED.test)" = named.test ] || fail "no certificate by name"
[ "$(subject "$PORT1" -servername host.sub.test)" = named.test ] || fail "no certificate by parent domain"
[ "$(subject "$PORT1" -servername other.test -sigalgs ECDSA+SHA256)" = ec.test ] || fail "other name"
await_log 'Anonymous TLS connection established from unknown\[127.0.0.1\] to named.test: TLSv1.3 with cipher '

# levels
says 250 "$PORT1" 'EHLO x' TLS 'EHLO y' "$mail" "$rcpt"
says 503 "$PORT1" 'EHLO x' "$mail" "$rcpt" TLS "$rcpt"
says '554 5.5.1 Error: TLS already active' "$PORT1" 'EHLO x' TLS STARTTLS
says '501 5.5.4 Syntax: STARTTLS' "$PORT1" 'EHLO x' 'STARTTLS now'
says '530 5.7.0 Must issue a STARTTLS command first' "$must" 'EHLO x' "$mail"
says '500' "$must" 'EHLO x' NONSENSE
says 250 "$must" 'EHLO x' TLS 'EHLO y' "$mail"
says 250 "$wrap" WRAP 'EHLO x' "$mail"
says '454 4.7.0 TLS not available due to local problem' "$gone" 'EHLO x' STARTTLS
says 250 "$gone" 'EHLO x' "$mail"
await_log "missing: .*disabling TLS support"
says '250 2.0.0 Ok: queued' "$PORT1" 'EHLO x' TLS 'EHLO y' "$mail REQUIRETLS" "$rcpt" DATA 'Subject: x\r\n\r\nx\r\n.'
says '555 5.5.4' "$PORT1" 'EHLO x' "$mail REQUIRETLS"
await_log 'disconnect from unknown\[127.0.0.1\] ehlo=2 starttls=1 mail=1 rcpt=1 data=1 commands=6'
command -v swaks >/dev/null && { swaks -s "127.0.0.1:$PORT1" --tls -f a@example.com -t b@remote.example \
	>"$scratch/swaks" 2>&1 || fail "swaks: $(cat "$scratch/swaks")"; }

# client certificates
says 554 "$cert" 'EHLO x' TLS 'EHLO y' "$mail" "$rcpt"
CERT=$certs/client says 250 "$cert" 'EHLO x' TLS 'EHLO y' "$mail" "$rcpt"
await_log 'Trusted TLS connection established from'

# plain text behind STARTTLS is never taken for what comes encrypted
says 554 "$PORT1" 'EHLO x' "STARTTLS\\r\\n$mail"
await_log 'improper command pipelining after STARTTLS from unknown\[127.0.0.1\]: MAIL FROM:<a@example.com>'

# handshakes that fail, end, hang
says closed "$PORT1" 'EHLO x' STARTTLS 'MAIL FROM:<a@example.com>'
await_log 'SSL_accept error from unknown\[127.0.0.1\]: -1'
await_log 'warning: TLS library problem: error:.*wrong version number'
await_log 'lost connection after STARTTLS from unknown\[127.0.0.1\]'
exec 9<>"/dev/tcp/127.0.0.1/$wrap"
await_log 'SSL_accept error from unknown\[127.0.0.1\]: Connection timed out'
exec 9>&-
exec 9<>"/dev/tcp/127.0.0.1/$wrap"
printf '\026\003\001\002\000\001' >&9
exec 9>&-
await_log 'SSL_accept error from unknown\[127.0.0.1\]: lost connection'

# resumption: in another process, also after a reload, but not where clients' certificates are judged in
# another way; after tlsmgr has died there is a full handshake, no failure
for version in tls1_2 tls1_3; do
	s_client "$PORT1" -$version -sess_out "$scratch/$version" >/dev/null
	s_client "$must" -$version -sess_in "$scratch/$version" | grep -q '^Reused, ' ||
		fail "$version: no resumption in another process"
	s_client "$cert" -$version -sess_in "$scratch/$version" | grep -q '^Reused, ' &&
		fail "$version: resumed where certificates are asked for"
done
old=$(pgrep -P "$(master_pid)" -x tlsmgr)
reload || fail reload
await 10 gone "$old" || fail "tlsmgr does not end by a reload"
s_client "$must" -tls1_2 -sess_in "$scratch/tls1_2" | grep -q '^Reused, ' || fail "no resumption after a reload"
kill -9 "$(pgrep -P "$(master_pid)" -x tlsmgr)" || fail "no tlsmgr"
reload || fail reload
# processes of before, with the old keys, serve until they have heard of the reload
broken=
full() {
	s_client "$must" -tls1_2 -sess_in "$scratch/tls1_2" >"$scratch/full"
	grep -q '^\(New\|Reused\), TLSv1.2' "$scratch/full" || broken=yes
	[ -n "$broken" ] || grep -q '^New' "$scratch/full"
}
await 5 full || fail "resumed with keys that are lost"
[ -z "$broken" ] || fail "a dead tlsmgr is in the way: $(cat "$scratch/full")"

# renewal: half of it is refused, the whole is taken, and nobody reloads; keys are the user's own only
[ "$(subject "$live")" = ec.test ] || fail "not the first certificate"
sleep 1.1
cp "$certs/next.pem" "$scratch/keys/live.pem"
[ "$(subject "$live")" = ec.test ] || fail "a pair that does not fit together is in use"
refused() { # by this process, or by the next one, which may read the key
	[ "$(subject "$live")" = ec.test ] && logged 'live.pem: the certificate does not belong to the key'
}
await 8 refused || fail "a pair that does not fit together is not refused"
[ "$(subject "$live")" = ec.test ] || fail "a pair that does not fit together is in use"
cp "$certs/next.key" "$scratch/keys/live.key"
renewed() { [ "$(subject "$live")" = next.test ]; }
await 8 renewed || fail "the renewed pair is not in use"
rm "$scratch/keys/live.key"
sleep 1.1
[ "$(subject "$live")" = next.test ] || fail "a missing key stops the old one"
logged 'panic\|fatal' && fail "something fatal"
exit 0
