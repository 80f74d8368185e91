#!/bin/bash
# A proxy before a service of TLS from the first byte: the client's first bytes of TLS, which come in
# one piece with the proxy's header, reach the handshake.
. "$(dirname "$0")/service.bash"
trap cleanup EXIT
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
command -v openssl >/dev/null || { echo "openssl is not installed"; exit 77; }

"$postern" init "$scratch/i" >"$scratch/init.out" 2>&1 || fail "init: $(cat "$scratch/init.out")"
PORT2=$(free_port)
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$scratch/key.pem" \
	-out "$scratch/cert.pem" -days 30 -subj /CN=mail.test 2>/dev/null || fail "certificate"
chmod 644 "$scratch/key.pem"
cat >>"$etc/master.cf" <<END
127.0.0.1:$PORT2 inet n - n - - smtpd
    -o smtpd_tls_wrappermode=yes -o smtpd_upstream_proxy_protocol=haproxy
    -o smtpd_tls_chain_files=$scratch/key.pem,$scratch/cert.pem
END
start

cat >"$scratch/client.py" <<'END'
import socket, ssl, struct, sys
port = int(sys.argv[1])
v1 = b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 465\r\n"
v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack("!H", 12) + bytes([192, 0, 2, 3, 192, 0, 2, 4]) + struct.pack("!HH", 1, 465)
def session(pieces, shake=True):
    s = socket.create_connection(("127.0.0.1", port), 20)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not shake:
        s.sendall(pieces[0])
        try:
            while s.recv(1000):
                pass
        except OSError:
            pass
        return
    context = ssl._create_unverified_context()
    come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(come, go)
    def run(what):
        while True:
            try:
                result = what()
                s.sendall(go.read())
                return result
            except ssl.SSLWantReadError:
                data = go.read()
                if pieces:
                    for piece in pieces[:-1]:
                        s.sendall(piece)
                    data = pieces[-1] + data # the header's end and the first of TLS at once
                    pieces.clear()
                s.sendall(data)
                got = s.recv(65536)
                assert got, "closed"
                come.write(got)
    run(tls.do_handshake)
    greeting = run(lambda: tls.read(1000))
    assert greeting.startswith(b"220 "), greeting
    run(lambda: tls.write(b"QUIT\r\n"))
    assert run(lambda: tls.read(1000)).startswith(b"221 ")
session([v1])
session([v2])
session([bytes([b]) for b in v1])
session([v1[:20], v1[20:]])
session([b"\x16\x03\x01\x02\x00\x01 no header"], False)
session([v1.replace(b"TCP4", b"TCP9")], False)
END
timeout 60 python3 "$scratch/client.py" "$PORT2" || fail "$(tail -n 20 "$log")"
[ "$(count_logged 'disconnect from unknown\[192\.0\.2\.1\] quit=1')" = 3 ] || fail "version 1: $(cat "$log")"
[ "$(count_logged 'disconnect from unknown\[192\.0\.2\.3\] quit=1')" = 1 ] || fail "version 2: $(cat "$log")"
await 10 eval '[ "$(count_logged "warning: haproxy read: ")" = 2 ]' || fail "bad headers: $(cat "$log")"
exit 0
