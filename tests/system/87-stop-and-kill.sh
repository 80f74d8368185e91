#!/bin/bash
# Under load, processes of every kind are stopped (SIGSTOP) for a moment; some are killed while they
# stand. Nothing is lost; a second copy comes only of an agent that died between a delivery and its
# record, so there are no more of them than agents killed, times what one session had in hand.
. "$(dirname "$0")/chaos.bash"
seed=${CHAOS_SEED:-$$}
RANDOM=$seed
echo "CHAOS_SEED=$seed"
make_relay
cat >>"$etc/main.cf" <<END
transport_maps = inline:{ {bad.test=error:5.1.1 not here} }
relay_domains = relay.test
smtp_destination_concurrency_failed_cohort_limit = 0
END
start_sink -x 'refused=550 5.1.1 nobody here'
start
load_more() {
	source_mail -s 6 -R 0.2 -m 600 -l 4000 -t away@relay.test &
	jobs_started="$jobs_started $!"
}
load_more
source_mail -s 1 -R 0.5 -m 20 -l 4000 -f back@relay.test -t refused@relay.test &
jobs_started="$jobs_started $!"
loading() {
	local pid
	for pid in $jobs_started; do kill -0 "$pid" 2>/dev/null && return; done
	return 1
}
kinds=(qmgr smtp bounce qmgr smtp smtpd showq)
stops=0 agents=0 n=0
while loading || [ "$stops" -lt 10 ]; do
	loading || load_more
	kind=${kinds[RANDOM % ${#kinds[@]}]}
	pid=$(pick "$kind")
	[ "$kind" != showq ] || "$bin/postqueue" -p >/dev/null 2>&1 &
	if [ -n "$pid" ] && kill -STOP "$pid" 2>/dev/null; then
		stops=$((stops + 1))
		sleep "0.$((RANDOM % 4 + 1))"
		if [ $((RANDOM % 3)) = 0 ] && [ "$kind" != smtpd ]; then
			kill -9 "$pid" 2>/dev/null
			[ "$kind" != smtp ] || agents=$((agents + 1))
		else
			kill -CONT "$pid" 2>/dev/null
		fi
	fi
	sleep 0.05
	n=$((n + 1))
	[ "$n" -lt 150 ] || fail "the load does not end: $(tail -n 3 "$scratch/source.out")"
done
wait $jobs_started
jobs_started=
# of refused mail the notice counts, which has no token at the head of it
tokens_refused() { sed -n 's/^X-Token: //p' "$dump"; }
await_empty 30
lost=$(comm -23 <(tokens_accepted | uniq) <(tokens_refused | sort -u))
[ -z "$lost" ] || fail "lost: $(echo "$lost" | head -n 5)"
[ "$(duplicates)" -le $((agents * 2)) ] || fail "$(duplicates) duplicates of $agents agents killed"
echo "$stops stops, $agents agents killed, $(duplicates) duplicates of $(tokens_accepted | wc -l)"
stop
no_leftovers
grep -E 'panic|fatal' "$log" && fail "panics"
exit 0
