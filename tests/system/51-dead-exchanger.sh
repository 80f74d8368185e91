#!/bin/bash
# One of two mail exchangers of equal preference is a black hole: mail flows by the other one at once,
# and the dead one is tried rarely. Every process knows, not only the one that waited.
. "$(dirname "$0")/service.bash"
command -v dnsmasq >/dev/null || { echo "dnsmasq is not installed"; exit 77; }
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
sink= dns= hole=
end() {
	for p in $sink $dns $hole; do kill "$p" 2>/dev/null; done
	cleanup
}
trap end EXIT

init_instance "$scratch/i"
sink_port=$(free_port) dns_port=$(free_port)

# 127.0.0.2 has a listener that nobody accepts from, and its queue is full: connections hang
python3 - "$sink_port" "$scratch/hole" <<'END' &
import socket, sys, time
s = socket.socket()
s.bind(("127.0.0.2", int(sys.argv[1])))
s.listen(0)
full = []
for _ in range(4):
    c = socket.socket()
    c.setblocking(False)
    c.connect_ex(("127.0.0.2", int(sys.argv[1])))
    full.append(c)
open(sys.argv[2], "w").write("x")
time.sleep(120)
END
hole=$!
await 5 test -s "$scratch/hole" || fail "no black hole"
"$build/bin/smtp-sink" "127.0.0.1:$sink_port" 100 >/dev/null 2>&1 &
sink=$!
await_port "$sink_port"
dnsmasq --keep-in-foreground --port="$dns_port" --listen-address=127.0.0.1 --bind-interfaces \
	--no-resolv --no-hosts --pid-file= --conf-file=/dev/null --user="$(id -un)" --local=/test/ \
	--mx-host=two.test,dead.test,10 --mx-host=two.test,alive.test,10 \
	--host-record=dead.test,127.0.0.2 --host-record=alive.test,127.0.0.1 >"$scratch/dns.out" 2>&1 &
dns=$!
cat >>"$etc/main.cf" <<END
dns_resolver_address = 127.0.0.1:$dns_port
smtp_tcp_port = $sink_port
smtp_connect_timeout = 4s
smtp_connection_cache_on_demand = no
inet_protocols = ipv4
END
start
began=$(date +%s)
timeout 120 "$build/bin/smtp-source" -m 400 -s 10 -l 200 -f '' -t user@two.test "127.0.0.1:$PORT1" >"$scratch/source.out" 2>&1 ||
	fail "smtp-source: $(cat "$scratch/source.out")"
all_sent() { [ "$(count_logged 'status=sent')" = 400 ]; }
# without memory every second delivery would wait 4 s: 400 / 2 * 4 / 20 processes = 40 s
await 20 all_sent || fail "only $(count_logged 'status=sent') of 400 sent in 20 s"
took=$(($(date +%s) - began))
tried=$(count_logged 'connect to dead.test\[127.0.0.2\].*: Connection timed out')
[ "$tried" -ge 1 ] || fail "the dead host was never tried"
[ "$tried" -le 30 ] || fail "the dead host was tried $tried times"
echo "400 messages in $took s, dead host tried $tried times"
grep -q 'status=\(deferred\|bounced\)' "$log" && fail "not all mail was sent at the first attempt"
exit 0
