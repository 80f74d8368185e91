# Sourced by the tests in which things go wrong: a whole system that relays to a smtp-sink which
# writes down what it gets. Each message carries a token (X-Token:), so that what was accepted can be
# compared with what arrived, one by one and whole.
. "$(dirname "${BASH_SOURCE[0]}")/service.bash"
bin=$build/bin spool=$scratch/i/spool accepted=$scratch/accepted dump=$scratch/dump
export MAIL_CONFIG=$etc
sink= sink_port= jobs_started=
: >"$accepted"
: >"$dump"

end_chaos() {
	local pid
	for pid in $sink $jobs_started; do end_process "$pid"; done
	"$postern" -c "$etc" abort >/dev/null 2>&1
	[ -n "${mounted:-}" ] && umount -l "$mounted" 2>/dev/null
	cleanup
}
trap end_chaos EXIT

# make_relay [postern init arguments]: not started yet. What would wait for minutes waits a second.
make_relay() {
	init_instance "$scratch/i" "$@"
	sink_port=$(free_port)
	cat >>"$etc/main.cf" <<END
relayhost = [127.0.0.1]:$sink_port
smtp_host_lookup = native
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
transport_retry_time = 1s
service_throttle_time = 1s
smtpd_peername_lookup = no
END
}
start_sink() { # start_sink [smtp-sink options]
	rm -f "$scratch/sink.port"
	"$bin/smtp-sink" -O "$scratch/sink.port" -D "$dump" "$@" "127.0.0.1:$sink_port" 200 >"$scratch/sink.out" 2>&1 &
	sink=$!
	await 10 test -s "$scratch/sink.port" || fail "smtp-sink: $(cat "$scratch/sink.out")"
}
stop_sink() {
	end_process "$sink"
	wait "$sink" 2>/dev/null
	sink=
}
source_mail() { # source_mail [smtp-source options]: tokens of what was accepted are kept
	"$bin/smtp-source" -A -C 50 -J "$accepted" "$@" "127.0.0.1:$PORT1" >>"$scratch/source.out" 2>&1
}
# one daemon of that name at random; nothing when there is none now
pick() {
	local pid found=()
	for pid in $(children); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ] && found+=("$pid")
	done
	[ ${#found[@]} -gt 0 ] && echo "${found[RANDOM % ${#found[@]}]}"
}
tokens_accepted() { cut -d' ' -f1 "$accepted" | sort; }
tokens_arrived() { sed -n 's/^X-Token: //p' "$dump" "$@" | sort; }
all_arrived() { [ -z "$(comm -23 <(tokens_accepted | uniq) <(tokens_arrived "$@" | uniq))" ]; }
duplicates() { echo $(($(tokens_arrived "$@" | wc -l) - $(tokens_arrived "$@" | sort -u | wc -l))); }
await_all() { # await_all SECONDS [more files with what arrived]
	local seconds=$1
	shift
	await "$seconds" all_arrived "$@" ||
		fail "lost: $(comm -23 <(tokens_accepted | uniq) <(tokens_arrived "$@" | uniq) | head -n 5)
$("$bin/mailq" 2>&1 | tail -n 5)"
}
# within KB LIMIT; the sanitizers' own memory is nobody's fault
within() { case $build in *asan) return 0 ;; esac; [ "$1" -lt "$2" ]; }
queue_empty() { "$bin/mailq" 2>/dev/null | grep -q '^Mail queue is empty'; }
await_empty() { await "$1" queue_empty || fail "the queue is not empty: $("$bin/mailq" | tail -n 8)"; }
# whole BYTES RECIPIENT: each message to it in the dump has that size (that of smtp-source -l)
whole() {
	awk -v want="$1" -v rcpt="X-Rcpt-Args: <$2>" '
		function check() { if (ours && n - 2 != want) { bad++; print "a message of " n - 2 " bytes" } }
		/^X-Client-Addr: / { check(); ours = counting = n = 0; next }
		$0 == rcpt { ours = 1 }
		/^From: / && !counting { counting = 1 }
		counting { n += length($0) + 2 }
		END { check(); exit bad > 0 }' "$dump" >"$scratch/damaged" ||
		fail "damaged: $(sort "$scratch/damaged" | uniq -c | head -n 5)"
}
# Nothing half-queued anywhere. Who is killed with a large message half written leaves incoming/tmp.*
# behind, which no one takes for a message (postsuper -p): after such a test say so.
no_leftovers() { # no_leftovers [killed]
	local found but=()
	[ $# = 0 ] || but=(! -name 'tmp.*')
	found=$(find "$spool"/{incoming,active,deferred,hold,corrupt,bounce,defer} -type f "${but[@]}" 2>/dev/null | head -n 5)
	[ -z "$found" ] || fail "left behind: $found"
}
# smtp FD LINE: says it, sets answer to the (last line of the) reply without its CR
smtp() {
	printf '%s\r\n' "$2" >&"$1" 2>/dev/null
	smtp_reply "$1"
}
smtp_reply() {
	answer=
	while read -r -t $((60 * patience)) -u "$1" answer; do
		answer=${answer%$'\r'}
		case $answer in ???-*) ;; *) return 0 ;; esac
	done
	return 1
}
smtp_open() { # smtp_open FD: connected and greeted
	eval "exec $1<>/dev/tcp/127.0.0.1/$PORT1" 2>/dev/null && smtp_reply "$1" && smtp "$1" "HELO chaos.test"
}
