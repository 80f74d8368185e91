#!/bin/bash
# Servers that break the protocol at each stage, some 140 of them, all at once. The right thing
# becomes of each message, in bounded time and memory; nothing is lost, and nothing is sent twice.
. "$(dirname "$0")/service.bash"
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
peers=
end() {
	[ -n "$peers" ] && kill "$peers" 2>/dev/null
	cleanup
}
trap end EXIT
init_instance "$scratch/i"
: >"$scratch/taken"
python3 tests/system/helpers/hostile_smtp.py "$scratch/table" "$scratch/taken" >"$scratch/peers.out" 2>&1 &
peers=$!
cat >>"$etc/main.cf" <<END
transport_maps = texthash:$scratch/transport
smtp_helo_timeout = 2s
smtp_mail_timeout = 2s
smtp_rcpt_timeout = 2s
smtp_data_init_timeout = 2s
smtp_data_done_timeout = 2s
smtp_rset_timeout = 2s
smtp_quit_timeout = 2s
smtp_connection_cache_on_demand = no
minimal_backoff_time = 1h
queue_run_delay = 1h
END
await 10 test -s "$scratch/table" || fail "no servers: $(cat "$scratch/peers.out")"
awk '{ print "p" $1 ".test smtp:[127.0.0.1]:" $1 }' "$scratch/table" >"$scratch/transport"
start
while IFS=$'\t' read -r port name expected; do
	echo "$name@p$port.test"
done <"$scratch/table" >"$scratch/recipients"
sed 's/.*/-t &/' "$scratch/recipients" | xargs -n 2 sh -c \
	'exec "$0" -m 1 -l 3000 -f sender@example.org "$@" "127.0.0.1:'"$PORT1"'"' "$build/bin/smtp-source" >"$scratch/source.out" 2>&1 ||
	fail "smtp-source: $(cat "$scratch/source.out")"

count=$(wc -l <"$scratch/recipients")
settled() { [ "$(count_logged 'smtp\[.*to=<[^>]*@p[0-9]*\.test>.*status=')" -ge "$count" ]; }
most=0
for _ in $(seq 1500); do
	for pid in $(children); do
		kb=$(sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$pid/status" 2>/dev/null)
		[ "${kb:-0}" -gt "$most" ] && most=$kb
	done
	settled && break
	sleep 0.1
done
settled || fail "only $(count_logged 'smtp\[.*to=<[^>]*@p[0-9]*\.test>.*status=') of $count settled"
[ "$most" -lt 40000 ] || fail "a process grew to $most kB"

bad=0
while IFS=$'\t' read -r port name expected; do
	lines=$(grep "smtp\[.*to=<$name@p$port\.test>.*status=" "$log" | sed 's/.*delays=[0-9./]*, //')
	sent=$(grep -c 'status=sent' <<<"$lines") taken=$(grep -cx "$port" "$scratch/taken")
	if [ "$(wc -l <<<"$lines")" != 1 ] || ! grep -Eq "$expected" <<<"$lines"; then
		echo "$name: expected $expected; logged: ${lines:-nothing}"
		bad=$((bad + 1))
	elif [ "$sent" != "$taken" ]; then
		echo "$name: sent $sent times, taken $taken times"
		bad=$((bad + 1))
	fi
done <"$scratch/table"
[ "$bad" = 0 ] || fail "$bad of $count servers were not dealt with rightly"
grep -P '[\x00-\x08\x0e-\x1f\x7f]' "$log" && fail "control characters in the log"
grep -E 'panic|fatal|killed by' "$log" && fail "panics"
exit 0
