#!/bin/bash
# Key files of the TLS client that cannot be used are warned of where TLS is mandatory, by name; an
# agent in a chroot knows what the others know of servers; a server that answers before it was asked.
. "$(dirname "$0")/service.bash"
. "$(dirname "$0")/certs.bash"
servers=

end() {
	# shellcheck disable=SC2086
	[ -n "$servers" ] && kill $servers 2>/dev/null
	cleanup
}
trap end EXIT

new_cert mx "" localhost
new_cert other "" other.test
init_instance "$scratch/i"
cp "$etc/main.cf" "$scratch/main.cf"

warned() { # warned TEXT LINES-OF-MAIN.CF...
	local text=$1
	shift
	cp "$scratch/main.cf" "$etc/main.cf"
	printf '%s\n' "$@" >>"$etc/main.cf"
	"$postern" -c "$etc" check >"$scratch/check.out" 2>&1 || fail "check refuses $*"
	grep -q "warning: $text" "$scratch/check.out" || fail "$text: $(cat "$scratch/check.out")"
}
level=smtp_tls_security_level=encrypt
warned "smtp_tls_cert_file: open $certs/none.pem: No such file" $level "smtp_tls_cert_file=$certs/none.pem" "smtp_tls_key_file=$certs/mx.key"
warned "smtp_tls_key_file: open $certs/none.key: No such file" $level "smtp_tls_cert_file=$certs/mx.pem" "smtp_tls_key_file=$certs/none.key"
warned "smtp_tls_chain_files: $certs/mx.pem: " $level "smtp_tls_chain_files=$certs/mx.pem"
warned "smtp_tls_CAfile: $certs/none.pem" $level "smtp_tls_CAfile=$certs/none.pem"
warned "smtp_tls_cert_file: $certs/mx.pem: " $level "smtp_tls_cert_file=$certs/mx.pem" "smtp_tls_key_file=$certs/other.key"
# where TLS is a wish, it is none that stops mail
cp "$scratch/main.cf" "$etc/main.cf"
printf '%s\n' smtp_tls_security_level=may "smtp_tls_cert_file=$certs/none.pem" >>"$etc/main.cf"
"$postern" -c "$etc" check >"$scratch/check.out" 2>&1 || fail "level may: $(cat "$scratch/check.out")"

port=$(free_port)
"$build/bin/smtp-sink" -K "$certs/mx.chain" "127.0.0.1:$port" 50 >/dev/null 2>&1 &
servers=$!
await_port "$port"
cp "$scratch/main.cf" "$etc/main.cf"
cat >>"$etc/main.cf" <<END
relayhost = [127.0.0.1]:$port
inet_protocols = ipv4
disable_dns_lookups = yes
smtp_tls_security_level = encrypt
smtp_tls_block_early_mail_reply = yes
END
# a server that answers to what somebody else has said
early=$(free_port)
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
python3 - "$early" "$certs/mx.chain" <<'END' &
import socket, ssl, sys
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2])
while True:
    c, _ = listening.accept()
    try:
        for answer in (b"220 x ESMTP\r\n", b"250-x\r\n250 STARTTLS\r\n", b"220 go\r\n"):
            c.sendall(answer)
            c.recv(1000) if not answer.startswith(b"220 go") else None
        c = context.wrap_socket(c, server_side=True)
        c.recv(1000)
        c.sendall(b"250-x\r\n250 PIPELINING\r\n250 2.1.0 ok\r\n")
        while c.recv(1000):
            pass
    except OSError:
        pass
END
servers="$servers $!"
echo "transport_maps = inline:{ { early.test = smtp:[127.0.0.1]:$early } }" >>"$etc/main.cf"
[ "$(id -u)" != 0 ] || sed -i -E 's/^(smtp +unix +- +- +)n/\1y/' "$etc/master.cf"
start
"$build/bin/smtp-source" -m 1 -f '' -t u@a.test "127.0.0.1:$PORT1" >/dev/null 2>&1 || fail smtp-source
await_log 'to=<u@a.test>.*status=sent'
logged 'unreachable' && fail "$(grep unreachable "$log")"
await_connect() { (exec 3<>"/dev/tcp/127.0.0.1/$early") 2>/dev/null; }
await 10 await_connect || fail "no server"
"$build/bin/smtp-source" -m 1 -f '' -t u@early.test "127.0.0.1:$PORT1" >/dev/null 2>&1 || fail smtp-source
await_log 'to=<u@early.test>.*dsn=4.7.0, status=deferred (unexpected server message)'
logged 'server .* violates smtp_tls_block_early_mail_reply policy' || fail "no warning"
exit 0
