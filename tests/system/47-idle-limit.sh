#!/bin/bash
# The next hop's side of kept sessions: none is idle for longer than smtp_connection_cache_time_limit,
# used oftener than smtp_connection_reuse_count_limit, or left without QUIT.
. "$(dirname "$0")/service.bash"
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
server=
end() {
	[ -n "$server" ] && kill "$server" 2>/dev/null
	cleanup
}
trap end EXIT

init_instance "$scratch/i"
port=$(free_port)
cat >>"$etc/main.cf" <<END
relayhost = [127.0.0.1]:$port
smtp_connection_cache_destinations = [127.0.0.1]:$port
smtp_connection_cache_time_limit = 2s
smtp_connection_reuse_count_limit = 5
END
# a line for each connection that ended: messages, seconds idle before its end, how it ended
python3 - "$port" >"$scratch/seen" 2>"$scratch/ready" <<'END' &
import socket, sys, threading, time
lock = threading.Lock()
def serve(c):
    f = c.makefile("rwb")
    messages, last, how = 0, time.monotonic(), "lost"
    def say(text):
        f.write(text + b"\r\n")
        f.flush()
    say(b"220 sink ESMTP")
    for line in f:
        verb = line[:4].upper()
        if verb == b"QUIT":
            how = "quit"
            break
        if verb == b"DATA":
            say(b"354 go")
            while f.readline() not in (b".\r\n", b""):
                pass
            messages += 1
        say(b"250 2.0.0 ok")
        last = time.monotonic()
    with lock:
        print(messages, round(time.monotonic() - last, 2), how, flush=True)
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
print("ready", file=sys.stderr, flush=True)
while True:
    threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()
END
server=$!
await 10 grep -q ready "$scratch/ready" || fail "no server: $(cat "$scratch/ready")"
start
"$build/bin/smtp-source" -s 4 -m 60 -l 300 -f a@x.test -t b@y.test "127.0.0.1:$PORT1" >"$scratch/source.out" 2>&1 ||
	fail "smtp-source: $(cat "$scratch/source.out")"
all() { [ "$(awk '{ n += $1 } END { print n + 0 }' "$scratch/seen")" = 60 ]; }
await 30 all || fail "connections that do not end: $(cat "$scratch/seen")"
awk '$1 > 5 || $2 > 4 || $3 != "quit" { print "against the limits: " $0; bad = 1 } $2 > 1 { idle = 1 }
	END { if (!idle) print "none was kept"; exit bad || !idle }' "$scratch/seen" || fail "see above"
exit 0
