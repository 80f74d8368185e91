#!/bin/bash
# TLS sessions live on: the connection is used again, a new process resumes what another one had
# (tlsmgr), and mail goes on when tlsmgr dies, stops, or has a damaged file.
. "$(dirname "$0")/service.bash"
. "$(dirname "$0")/certs.bash"
sink=

end() {
	[ -n "$sink" ] && kill "$sink" 2>/dev/null
	cleanup
}
trap end EXIT

new_cert mx "" localhost
port=$(free_port)
"$build/bin/smtp-sink" -K "$certs/mx.chain" "127.0.0.1:$port" 50 >/dev/null 2>&1 &
sink=$!
await_port "$port"
init_instance "$scratch/i"
cat >>"$etc/main.cf" <<END
transport_maps = inline:{ { keep.test = keep:[127.0.0.1]:$port } { print.test = print:[127.0.0.1]:$port } }
relayhost = [127.0.0.1]:$port
inet_protocols = ipv4
disable_dns_lookups = yes
smtp_tls_security_level = encrypt
smtp_tls_loglevel = 2
smtp_tls_session_cache_database = btree:\${data_directory}/smtp_scache
ipc_timeout = 2s
END
sed -i '/^smtp  *unix/s/ - *smtp$/ 1 smtp/' "$etc/master.cf"
cat >>"$etc/master.cf" <<END
keep unix - - n - 1 smtp -o smtp_connection_cache_destinations=[127.0.0.1]:$port -o smtp_connection_cache_time_limit=20s
print unix - - n - 1 smtp -o smtp_connection_cache_destinations=[127.0.0.1]:$port -o smtp_tls_security_level=fingerprint -o smtp_tls_fingerprint_cert_match=$(fingerprint mx) -o smtp_tls_fingerprint_digest=sha256
END
start

send() { # send RECIPIENT; waits until it has arrived
	local sent
	sent=$(count_logged "to=<$1>.*status=sent")
	"$build/bin/smtp-source" -m 1 -l 200 -f '' -t "$1" "127.0.0.1:$PORT1" >"$scratch/source.out" 2>&1 ||
		fail "smtp-source: $(cat "$scratch/source.out")"
	await 20 eval "[ \$(count_logged 'to=<$1>.*status=sent') -gt $sent ]" || fail "$1 did not arrive"
}
agent_of() { grep "to=<$1>.*status=sent" "$log" | tail -n 1 | sed 's/.*smtp\[\([0-9]*\)\].*/\1/'; }
resumed() { grep -q "smtp\[$1\]: 127.0.0.1\[127.0.0.1\]:$port: Reusing old session" "$log"; }
mgr_pid() { pgrep -P "$(master_pid)" -x tlsmgr; }
new_agent() { # the next mail is a new process's
	local old
	old=$(agent_of "$1")
	reload || fail "reload"
	await 10 gone "$old" || fail "the old agent stays"
}

# one connection for more than one message, by TLS
send u@keep.test
send u@keep.test
grep "to=<u@keep.test>.*status=sent" "$log" | tail -n 1 | grep -q 'conn_use=2' || fail "the connection was not used again"
[ "$(grep -c 'TLS connection established' "$log")" = 1 ] || fail "more than one handshake"
# who asks for more than encryption gets neither that connection nor its session
send u@print.test
grep "to=<u@print.test>.*status=sent" "$log" | grep -q conn_use && fail "a connection of another level"
resumed "$(agent_of u@print.test)" && fail "a session of another level was resumed"
grep -q "Verified TLS connection" "$log" || fail "the fingerprint was not looked at"

# a process resumes its own, a new one another's
send a@one.test
resumed "$(agent_of a@one.test)" || send a@one.test
resumed "$(agent_of a@one.test)" || fail "an agent does not resume its own session"
new_agent a@one.test
send b@one.test
resumed "$(agent_of b@one.test)" || fail "a new agent does not resume the session of another"
for line in "looking for session %s in" "save session %s to" "reloaded session %s from"; do
	# shellcheck disable=SC2059
	line=$(printf "$line" "smtp&127.0.0.1\[127.0.0.1\]:$port&[0-9a-f]*")
	logged "smtp\[[0-9]*\]: $line smtp cache" || fail "not logged: $line"
done
[ -f "$scratch/i/data/smtp_scache.lmdb" ] || fail "no session file"
[ "$(stat -c %a "$scratch/i/data/smtp_scache.lmdb")" = 600 ] || fail "others can read the sessions"

# its file is damaged: a full handshake
new_agent b@one.test
await 10 eval '[ -z "$(mgr_pid)" ]' || fail "the old tlsmgr stays"
echo nonsense >"$scratch/i/data/smtp_scache.lmdb"
send c@one.test
resumed "$(agent_of c@one.test)" && fail "nonsense was resumed"
await_log 'smtp_scache.lmdb is damaged'

# it dies: the next one has the file
kill -9 "$(mgr_pid)" || fail "no tlsmgr"
send c@one.test
resumed "$(agent_of c@one.test)" || fail "nothing is resumed without tlsmgr"

# it stops: mail waits for it no longer than ipc_timeout
new_agent c@one.test
send u@print.test # starts tlsmgr
kill -STOP "$(mgr_pid)" || fail "no tlsmgr"
before=$(date +%s)
send d@one.test
[ $(($(date +%s) - before)) -lt 8 ] || fail "a stopped tlsmgr held the mail up"
kill -CONT "$(mgr_pid)"
await_log 'TLS sessions are not shared for 30 seconds'
exit 0
