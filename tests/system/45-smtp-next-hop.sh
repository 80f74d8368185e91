#!/bin/bash
# A whole system sends: to a relay that is down and comes up, by MX with the first server dead, to
# domains that do not exist, do not answer, or take no mail. The name server is a local dnsmasq.
. "$(dirname "$0")/service.bash"
sink= dns=

end() {
	[ -n "$sink" ] && kill "$sink" 2>/dev/null
	[ -n "$dns" ] && kill "$dns" 2>/dev/null
	cleanup
}
trap end EXIT

send() { # send RECIPIENT
	"$build/bin/smtp-source" -m 1 -l 200 -f '' -t "$1" "127.0.0.1:$PORT1" >"$scratch/source.out" 2>&1 ||
		fail "smtp-source: $(cat "$scratch/source.out")"
}
start_sink() {
	"$build/bin/smtp-sink" "127.0.0.1:$sink_port" 50 >/dev/null 2>&1 &
	sink=$!
	await_port "$sink_port"
	kill -0 "$sink" 2>/dev/null || fail "smtp-sink did not start"
}

init_instance "$scratch/i"
sink_port=$(free_port) dns_port=$(free_port)
[ -n "$PORT1" ] && [ -n "$sink_port" ] && [ -n "$dns_port" ] || fail "no ports"
cp "$etc/main.cf" "$scratch/main.cf"
{
	cat "$scratch/main.cf"
	echo "relayhost = [127.0.0.1]:$sink_port"
} >"$etc/main.cf"
start

# a relay that is down, then up
send user@down.test
await_log "to=<user@down.test>, relay=none, .*dsn=4.4.1, status=deferred (connect to 127.0.0.1\[127.0.0.1\]:$sink_port: Connection refused)"
start_sink
tried_again() {
	logged 'to=<user@down.test>.*status=sent' || { "$postern" -c "$etc" flush && sleep 0.3 && false; }
}
await 15 tried_again
await_log "to=<user@down.test>, relay=127.0.0.1\[127.0.0.1\]:$sink_port, .*dsn=2.0.0, status=sent (250 "

command -v dnsmasq >/dev/null || { echo "dnsmasq is not installed: the rest was left out"; exit 77; }
dnsmasq --keep-in-foreground --port="$dns_port" --listen-address=127.0.0.1 --bind-interfaces \
	--no-resolv --no-hosts --pid-file= --conf-file=/dev/null --user="$(id -un)" --local=/test/ \
	--mx-host=two.test,dead.test,10 --mx-host=two.test,alive.test,20 \
	--host-record=dead.test,127.0.0.2 --host-record=alive.test,127.0.0.1 \
	--cname=alias.test,two.test >"$scratch/dns.out" 2>&1 &
dns=$!
{
	cat "$scratch/main.cf"
	echo "dns_resolver_address = 127.0.0.1:$dns_port"
	echo "smtp_tcp_port = $sink_port"
	echo "inet_protocols = ipv4"
} >"$etc/main.cf"
reload || fail "reload"

send user@two.test
await_log "connect to dead.test\[127.0.0.2\]:$sink_port: Connection refused"
await_log "to=<user@two.test>, relay=alive.test\[127.0.0.1\]:$sink_port, .*status=sent (250 "
send user@alias.test
await_log "to=<user@alias.test>, relay=alive.test\[127.0.0.1\]:$sink_port, .*status=sent (250 "
send user@nowhere.test
await_log 'to=<user@nowhere.test>, relay=none, .*dsn=5.4.4, status=bounced (Host or domain name not found. Name service error for name=nowhere.test type=A: Host not found)'
kill "$dns"
wait "$dns" 2>/dev/null
dns=
send user@silent.test
await_log 'to=<user@silent.test>, relay=none, .*dsn=4.4.3, status=deferred (Host or domain name not found. Name service error for name=silent.test type=MX: Host not found, try again)'
exit 0
