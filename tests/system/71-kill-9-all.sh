#!/bin/bash
# Everything dies at once by kill -9, master and all, in the middle of the load; after a restart all
# that was accepted arrives, whole. Several times, with the journal small so that its lanes are
# recycled and messages become files as well.
. "$(dirname "$0")/chaos.bash"
seed=${CHAOS_SEED:-$$}
RANDOM=$seed
echo "CHAOS_SEED=$seed"
make_relay --set journal_lane_size=1048576 --set journal_lane_count=3 --set journal_message_limit=65536
start_sink -W "data:0.02"

kill_all() { # master first: nobody is there to start them again
	local all
	all="$(master_pid) $(children)"
	kill -STOP $all 2>/dev/null
	all="$(master_pid) $(children)"
	kill -9 $all 2>/dev/null
	for pid in $all; do await 10 gone "$pid" || fail "process $pid does not end"; done
}

for round in 1 2 3; do
	start
	source_mail -s 8 -m 700 -l 6000 -t away@example.net &
	jobs_started=$!
	source_mail -s 1 -m 10 -l 300000 -t large@example.net &
	jobs_started="$jobs_started $!"
	enough() { [ "$(wc -l <"$accepted")" -gt $((before + 100 + RANDOM % 200)) ]; }
	before=$(wc -l <"$accepted")
	await 15 enough || fail "no load: $(tail -n 3 "$scratch/source.out")"
	kill_all
	for pid in $jobs_started; do kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; done
	jobs_started=
	echo "round $round: $(wc -l <"$accepted") accepted so far, $(tokens_arrived | sort -u | wc -l) arrived"
done
[ -n "$(comm -23 <(tokens_accepted) <(tokens_arrived))" ] || echo "note: nothing was under way when all died"
start
await_all 20
await_empty 20
echo "$(duplicates) duplicates of $(tokens_accepted | wc -l)"
whole 6000 away@example.net
whole 300000 large@example.net
stop
no_leftovers killed
grep -E 'panic|fatal' "$log" && fail "panics"
exit 0
