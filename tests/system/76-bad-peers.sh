#!/bin/bash
# The next hop stalls, resets, talks nonsense, says 421, or hangs up, at each stage: mail is deferred
# with a reason that says so, and delivered once the peer behaves.
. "$(dirname "$0")/chaos.bash"
make_relay
cat >>"$etc/main.cf" <<END
smtp_helo_timeout = 2s
smtp_mail_timeout = 2s
smtp_rcpt_timeout = 2s
smtp_data_init_timeout = 2s
smtp_data_done_timeout = 2s
smtp_rset_timeout = 2s
smtp_quit_timeout = 2s
smtp_connect_timeout = 3s
smtp_destination_concurrency_failed_cohort_limit = 0
END
start

n=0
bad() { # bad TEXT SINK-OPTIONS...: one message to a sink of that kind is deferred with the text
	local text=$1
	shift
	n=$((n + 1))
	start_sink "$@"
	source_mail -m 1 -l 3000 -t "bad$n@example.net"
	await 12 logged "to=<bad$n@example.net>.*status=deferred.*$text" ||
		fail "sink $*: expected \"$text\": $(grep "to=<bad$n@" "$log" | tail -n 2)"
	stop_sink
}
for stage in helo,ehlo mail rcpt data; do
	bad 'lost connection with 127.0.0.1' -q "$stage"
	bad ' 421 ' -Q "$stage"
	bad 'timed out' -W "${stage%%,*}:5" -W "${stage##*,}:5"
done
bad 'lost connection with 127.0.0.1.* while sending end of data' -q .
bad ' 421 ' -Q .
bad 'timed out while sending end of data' -W '.:5'
bad 'lost connection with 127.0.0.1' -q connect
bad ' 421 ' -Q connect
bad 'timed out' -W connect:5
bad ' 450 ' -r mail
bad ' 450 ' -r rcpt
bad ' 450 ' -r data
bad ' 450 ' -r .
bad ' 450 ' -r connect

# raw sockets: nonsense, endless lines, resets
if command -v python3 >/dev/null; then
	cat >"$scratch/peer.py" <<'END'
import socket, struct, sys
kind, port, ready = sys.argv[1], int(sys.argv[2]), sys.argv[3]
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", port))
s.listen(50)
open(ready, "w").write("x")
def reset(c):
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()
def serve(c):
    c.settimeout(4)
    if kind == "nonsense":
        c.sendall(b"hello there, \x00\xff\r\nwhat do you want?\r\n" * 20)
    elif kind == "number":
        c.sendall(b"999 what\r\n")
    elif kind == "endless":
        for _ in range(200):
            c.sendall(b"2" * 65536)
    elif kind == "lines":
        for _ in range(2000):
            c.sendall(b"220-more\r\n" * 1000)
    elif kind == "resets":
        reset(c)
        return
    else:
        f = c.makefile("rb")
        c.sendall(b"220 peer ESMTP\r\n")
        while True:
            line = f.readline().upper()
            if not line:
                break
            if kind == "reset-data" and line.startswith(b"DATA"):
                c.sendall(b"354 go\r\n")
                c.recv(10)
                reset(c)
                return
            if kind == "early-220" and line.startswith(b"MAIL"):
                c.sendall(b"250 a\r\n250 b\r\n250 c\r\n354 d\r\n250 e\r\n")
                c.close()
                return
            c.sendall(b"250 ok\r\n")
    c.recv(100)
    c.close()
while True:
    c, _ = s.accept()
    try:
        serve(c)
    except OSError:
        pass
END
	for kind in nonsense number endless lines resets reset-data; do
		n=$((n + 1))
		rm -f "$scratch/ready"
		python3 "$scratch/peer.py" "$kind" "$sink_port" "$scratch/ready" &
		sink=$!
		await 10 test -s "$scratch/ready" || fail "no peer"
		source_mail -m 1 -l 3000 -t "bad$n@example.net"
		await 12 logged "to=<bad$n@example.net>.*status=deferred" || fail "peer $kind: $(grep "bad$n@" "$log" | tail -n 2)"
		echo "$kind: $(sed -n "s/.*to=<bad$n@.*status=deferred //p" "$log" | head -n 1 | cut -c1-150)"
		kill -9 "$sink"
		wait "$sink" 2>/dev/null
		sink=
	done
fi
start_sink
"$postern" -c "$etc" flush
await_all 20
await_empty 20
[ "$(duplicates)" = 0 ] || echo "$(duplicates) duplicates (a reply to the end of data that was lost)"
grep -E 'panic|fatal|killed by' "$log" && fail "panics"
stop
no_leftovers
exit 0
