#!/bin/bash
# An operator's mv, rm, cp and touch in the queue while everything runs: a file's folder is its state
# from then on, what is taken out of a delivery's hands is not lost and does not come twice.
. "$(dirname "$0")/chaos.bash"
seed=${CHAOS_SEED:-$$}
RANDOM=$seed
echo "CHAOS_SEED=$seed"
make_relay
sed -i 's/\(_backoff_time\) = .*/\1 = 1000s/; s/^queue_run_delay.*/queue_run_delay = 1000s/' "$etc/main.cf"
# rests would make flushes of the storm miss what is tried just then
echo 'smtp_destination_concurrency_failed_cohort_limit = 0' >>"$etc/main.cf"
start
mail() { printf 'X-Token: %s\nSubject: x\n\ntext\n' "$1" | "$bin/sendmail" -f s@example.net "$1@example.net" && echo "$1 0" >>"$accepted"; }
in_dir() { [ "$(find "$spool/$1" -type f | wc -l)" = "$2" ]; }
file_of() { grep -rl "X-Token: $1" "$spool"/{deferred,hold,active,incoming} 2>/dev/null | head -n 1; }
arrived() { tokens_arrived | grep -qx "$1"; }
forget() { sed -i "/^$1 /d" "$accepted"; }
for token in held new gone copy other touched flat back; do mail "$token" || fail sendmail; done
await 15 in_dir deferred 8 || fail "not deferred"

mv "$(file_of held)" "$spool/hold/"
mv "$(file_of new)" "$spool/incoming/"
rm "$(file_of gone)"
forget gone
file=$(file_of copy)
cp -p "$file" "$(dirname "$file")/$(basename "$file" | tr 0-9A-F 1-9A-F0)"
cp -p "$(file_of other)" "$spool/incoming/"
touch -d '2040-01-01' "$(file_of touched)"
mv "$(file_of flat)" "$spool/deferred/"
mv "$(file_of back)" "$spool/active/"
start_sink
"$postern" -c "$etc" flush
for token in new copy other touched flat back; do await 15 arrived "$token" || fail "$token: $(file_of "$token") $("$bin/mailq")"; done
await_log 'moved to the corrupt queue'
in_dir corrupt 1 || fail "the copy under another name: $(ls "$spool/corrupt")"
rm "$spool"/corrupt/*
arrived held && fail "held mail was delivered"
id=$(basename "$(file_of held)")
"$bin/postqueue" -j | grep "$id" | grep -q '"queue_name": "hold"' || fail "not shown as held"
"$bin/postsuper" -H "$id" 2>"$scratch/out" || fail "postsuper -H: $(cat "$scratch/out")"
await 15 arrived held || fail "not delivered after its release: $("$bin/mailq")"
"$postern" -c "$etc" flush
await_empty 10
# of the copy under the same name there may be two, which is what was asked for
[ "$(duplicates)" -le 1 ] || fail "$(duplicates) duplicates: $(tokens_arrived | uniq -d)"

# in the middle of deliveries: each takes a while
stop_sink
for n in $(seq 1 30); do mail "storm.$n" || fail sendmail; done
await 20 in_dir deferred 30 || fail "not deferred"
start_sink -W data:0.3
before=$(duplicates)
storm() {
	local file dirs=(hold incoming deferred active)
	for _ in $(seq 1 60); do
		file=$(find "$spool"/{active,deferred,hold,incoming} -type f ! -name 'tmp.*' 2>/dev/null | shuf -n 1 --random-source=<(yes $RANDOM))
		[ -z "$file" ] || mv "$file" "$spool/${dirs[RANDOM % 4]}/" 2>/dev/null
		[ $((RANDOM % 5)) != 0 ] || "$bin/postqueue" -f
		[ $((RANDOM % 5)) != 0 ] || "$bin/postkick" public qmgr I
		sleep 0.02
	done
}
"$postern" -c "$etc" flush
storm
"$bin/postsuper" -H ALL 2>/dev/null
for file in "$spool"/{incoming,active}/*; do [ ! -f "$file" ] || mv "$file" "$spool/deferred/" 2>/dev/null; done
settled() {
	"$bin/postqueue" -f
	queue_empty && all_arrived
}
await 25 settled || fail "lost or left: $("$bin/mailq"); $(comm -23 <(tokens_accepted | uniq) <(tokens_arrived | uniq))"
[ $(($(duplicates) - before)) = 0 ] || fail "$(($(duplicates) - before)) duplicates"
# removed while it is delivered: the delivery ends, and nothing is left
stop_sink
mail removed
await 10 in_dir deferred 1 || fail "not deferred"
start_sink -W data:1
"$postern" -c "$etc" flush
await 10 in_dir active 1 || fail "not active"
rm "$spool"/active/*
await 10 arrived removed || fail "the delivery under way did not end"
mail after
await 10 arrived after || fail "no mail after that"
await_empty 10
stop
# the logs of what was removed, or renamed, stay: nobody knows whether the file comes back
rm -rf "$spool"/defer/*
no_leftovers
grep -E 'panic|fatal|killed by' "$log" && fail "panics"
exit 0
