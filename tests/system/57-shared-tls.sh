#!/bin/bash
# TLS connections that processes share, by way of tlsproxy(8): smtp_tls_connection_reuse. A delivery
# agent leaves one with scache(8), and the next takes it up, at each level of safety only what it
# would have been content with itself. Then tlsproxy is killed, stopped, absent: mail goes on.
. "$(dirname "$0")/service.bash"
. "$(dirname "$0")/certs.bash"
sinks=

end() {
	# shellcheck disable=SC2086
	[ -n "$sinks" ] && kill $sinks 2>/dev/null
	cleanup
}
trap end EXIT

send() { # send RECIPIENT; waits until it has arrived
	local sent
	sent=$(count_logged "to=<$1>.*status=sent")
	"$build/bin/smtp-source" -m 1 -l 40000 -f '' -t "$1" "127.0.0.1:$PORT1" >"$scratch/source.out" 2>&1 ||
		fail "smtp-source: $(cat "$scratch/source.out")"
	await 20 eval "[ \$(count_logged 'to=<$1>.*status=sent') -gt $sent ]" || fail "$1 did not arrive"
}
last_line() { grep "to=<$1>.*status=sent" "$log" | tail -n 1; }
used() { # used RECIPIENT N: the last delivery was the Nth on its connection
	case $2 in
	1) ! last_line "$1" | grep -q 'conn_use=' ;;
	*) last_line "$1" | grep -q "conn_use=$2," ;;
	esac || fail "expected use $2 of a connection: $(last_line "$1")"
}
proxies() { pgrep -P "$(master_pid)" -x tlsproxy; }
handshakes() { count_logged "TLS connection established to .*:$1: "; }

new_ca ca
new_cert mx ca localhost
for name in a b w; do
	port=$(free_port)
	eval "port_$name=$port"
	"$build/bin/smtp-sink" "-$([ $name = w ] && echo k || echo K)" "$certs/mx.chain" "127.0.0.1:$port" 50 >/dev/null 2>&1 &
	sinks="$sinks $!"
	await_port "$port"
done
init_instance "$scratch/i"
cat >>"$etc/main.cf" <<END
transport_maps = inline:{ { a.test = smtp:[127.0.0.1]:$port_a } { b.test = smtp:[127.0.0.1]:$port_b }
	{ print.test = print:[127.0.0.1]:$port_a } { secure.test = secure:[localhost]:$port_a }
	{ wrong.test = wrong:[localhost]:$port_b } { other.test = other:[127.0.0.1]:$port_a } { own.test = own:[127.0.0.1]:$port_a } { wrap.test = wrap:[127.0.0.1]:$port_w } }
smtp_connection_cache_destinations = [127.0.0.1]:$port_a, [127.0.0.1]:$port_b, [localhost]:$port_a, [127.0.0.1]:$port_w
inet_protocols = ipv4
disable_dns_lookups = yes
connection_cache_ttl_limit = 60s
smtp_connection_cache_time_limit = 60s
smtp_tls_security_level = encrypt
smtp_tls_connection_reuse = yes
smtp_tls_loglevel = 1
smtp_tls_CAfile = $certs/ca.pem
ipc_timeout = 2s
END
sed -i '/^smtp  *unix/s/ - *smtp$/ 1 smtp/' "$etc/master.cf"
cat >>"$etc/master.cf" <<END
other unix - - n - 1 smtp
print unix - - n - 1 smtp -o smtp_tls_security_level=fingerprint -o smtp_tls_fingerprint_cert_match=$(fingerprint mx) -o smtp_tls_fingerprint_digest=sha256
secure unix - - n - 1 smtp -o smtp_tls_security_level=secure -o smtp_tls_secure_cert_match=localhost
wrong unix - - n - 1 smtp -o smtp_tls_security_level=secure -o smtp_tls_secure_cert_match=other.test
own unix - - n - 1 smtp -o smtp_tls_CAfile=
wrap unix - - n - 1 smtp -o smtp_tls_wrappermode=yes
END
start

send u@a.test; used u@a.test 1
send u@b.test; used u@b.test 1 # the connection to a goes to scache
send u@a.test; used u@a.test 2
send u@b.test; used u@b.test 2
send u@a.test; used u@a.test 3
[ "$(handshakes "$port_a")" = 1 ] || fail "$(handshakes "$port_a") handshakes for one connection"
await_log "Trusted TLS connection reused to 127.0.0.1.*:$port_a: TLSv1.3"
# another process, with the same demands
send u@b.test
send u@other.test; used u@other.test 4
send u@b.test

# who asks for more gets a connection of its own, and it is verified
send u@print.test; used u@print.test 1
send u@secure.test; used u@secure.test 1
await_log "Verified TLS connection established to localhost.*:$port_a: "
# TLS from the first byte: the greeting comes right behind the handshake
send u@wrap.test; used u@wrap.test 1
send u@wrap.test
# a name that the certificate has not
"$build/bin/smtp-source" -m 1 -f '' -t u@wrong.test "127.0.0.1:$PORT1" >/dev/null 2>&1
await_log 'to=<u@wrong.test>.*status=deferred.*Server certificate not verified'
# an agent that trusts others makes its own handshake
send u@own.test
await_log 'private/tlsproxy: its certificates .* are not those of the delivery agent; TLS connections are not shared for'

# killed with what it had: fresh connections
[ "$(proxies | wc -l)" -ge 2 ] || fail "no tlsproxy for each connection"
# shellcheck disable=SC2046
kill -9 $(proxies)
send u@a.test; used u@a.test 1
send u@b.test; used u@b.test 1
send u@a.test; used u@a.test 2

# stopped: what it has is given up by whoever needs it, and what it would take is done without it
# shellcheck disable=SC2046
kill -STOP $(proxies)
before=$(date +%s)
send u@print.test
[ $(($(date +%s) - before)) -lt 10 ] || fail "a stopped tlsproxy held the mail up"
# shellcheck disable=SC2046
kill -KILL $(proxies)

# absent
sed -i '/^tlsproxy/d' "$etc/master.cf"
reload || fail reload
send u@b.test
await_log 'private/tlsproxy: .*; TLS connections are not shared for 30 seconds'
# one that ends when it has the connection: nobody knows its state, so it is a new one
if command -v python3 >/dev/null; then
	rm -f "$scratch/i/spool/private/tlsproxy"
	python3 - "$scratch/i/spool/private/tlsproxy" <<'END' &
import os, socket, struct, sys
listening = socket.socket(socket.AF_UNIX)
listening.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
listening.listen()
while True:
    c, _ = listening.accept()
    hello = c.recv(1000)
    if hello:
        body = struct.pack("<HH", 100, 0) + hello[8:12] + struct.pack("<HII", 1, 4, 1)
        c.sendall(struct.pack("<I", len(body)) + body)
        c.recv(1000)
    c.close()
END
	sinks="$sinks $!"
	await 10 test -S "$scratch/i/spool/private/tlsproxy" || fail "no false tlsproxy"
	reload || fail reload
	send u@a.test
	await_log 'private/tlsproxy: the connection ended instead of an answer; TLS connections are not shared'
fi
[ "$(count_logged 'status=deferred\|status=bounced')" = "$(count_logged 'u@wrong.test.*status=deferred')" ] ||
	fail "something was deferred"
exit 0
