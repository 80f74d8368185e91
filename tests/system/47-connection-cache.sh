#!/bin/bash
# Open connections between requests: a delivery agent that turns to another destination leaves its
# connection with scache(8), and the next one takes it up, by destination or by address. Then
# scache dies, stops, and answers nothing: mail goes on.
. "$(dirname "$0")/service.bash"
a= b=

end() {
	[ -n "$a" ] && kill "$a" 2>/dev/null
	[ -n "$b" ] && kill "$b" 2>/dev/null
	cleanup
}
trap end EXIT

send() { # send RECIPIENT; waits until it has arrived
	local sent
	sent=$(count_logged "to=<$1>.*status=sent")
	"$build/bin/smtp-source" -m 1 -l 200 -f '' -t "$1" "127.0.0.1:$PORT1" >"$scratch/source.out" 2>&1 ||
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
scache_pid() { pgrep -P "$(master_pid)" -x scache; }

init_instance "$scratch/i"
port_a=$(free_port) port_b=$(free_port)
start_sink() { # start_sink PORT: its process is $sink
	rm -f "$scratch/sink.port"
	"$build/bin/smtp-sink" -O "$scratch/sink.port" "127.0.0.1:$1" 50 >/dev/null 2>&1 &
	sink=$!
	await 10 test -s "$scratch/sink.port" || fail "no sink"
}
start_sink "$port_a"
a=$sink
start_sink "$port_b"
b=$sink
cat >>"$etc/main.cf" <<END
transport_maps = inline:{ { a.test = smtp:[127.0.0.1]:$port_a } { b.test = smtp:[127.0.0.1]:$port_b } { c.test = smtp:[localhost]:$port_a } }
smtp_connection_cache_destinations = [127.0.0.1]:$port_a, [127.0.0.1]:$port_b, [localhost]:$port_a
inet_protocols = ipv4
disable_dns_lookups = yes
connection_cache_ttl_limit = 60s
smtp_connection_cache_time_limit = 60s
connection_cache_protocol_timeout = 5s
END
sed -i '/^smtp  *unix/s/ - *smtp$/ 1 smtp/' "$etc/master.cf"
start

send u@a.test; used u@a.test 1
send u@b.test; used u@b.test 1 # the connection to a goes to scache
send u@a.test; used u@a.test 2 # found by destination; that to b goes
send u@b.test; used u@b.test 2
send u@c.test; used u@c.test 3 # another destination, the same server: by address
send u@b.test; used u@b.test 3
send u@c.test; used u@c.test 4 # and by destination now

# scache dies with what it held: fresh connections
kill -9 "$(scache_pid)"
send u@b.test; used u@b.test 1

# scache does not answer: one request waits for connection_cache_protocol_timeout, none is lost
pid=$(scache_pid)
if [ -n "$pid" ]; then
	kill -STOP "$pid"
	send u@a.test
	send u@b.test
	await_log 'private/scache: .*; connections are not shared for'
	kill -CONT "$pid"
fi

# the server ends what scache holds: nobody trips over it
kill "$a"
wait "$a" 2>/dev/null
start_sink "$port_a"
a=$sink
send u@a.test; used u@a.test 1

stop
await_log 'statistics: domain lookup hits='
await_log 'statistics: max simultaneous domains=. addresses=. connection='
[ "$(count_logged 'status=deferred\|status=bounced')" = 0 ] || fail "something was deferred"
exit 0
