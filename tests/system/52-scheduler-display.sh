#!/bin/bash
# postqueue --scheduler and --scheduler-json: what is under way, what waits and for what, as the queue
# manager sees it; who may ask.
. "$(dirname "$0")/chaos.bash"

make_relay
down=$(free_port)
sed -i '/^minimal_backoff_time/d; /^maximal_backoff_time/d; /^relayhost/d' "$etc/main.cf"
cat >>"$etc/main.cf" <<END
transport_maps = inline:{ {up.test = smtp:[127.0.0.1]:$sink_port}, {down.test = smtp:[127.0.0.1]:$down} }
destination_rate_maps = inline:{ {[127.0.0.1]:$down = 100/1s burst=7} }
smtp_destination_concurrency_limit = 2
smtp_initial_destination_concurrency = 1
END
start_sink
kill -STOP "$sink"
start
show() { "$bin/postqueue" --scheduler >"$scratch/text" 2>&1 && "$bin/postqueue" --scheduler-json >"$scratch/json" 2>&1; }
shows() { show && grep -Eq -- "$1" "$scratch/text"; }
await_shown() { await 10 shows "$1" || fail "not shown: $1: $(cat "$scratch/text")"; }

show || fail "$(cat "$scratch/text")"
grep -q '^active: 0 of 20000 messages, 0 of 20000 recipients$' "$scratch/text" || fail "$(cat "$scratch/text")"
for i in 1 2 3 4; do "$bin/sendmail" -i -f from@sender.test a@up.test b@up.test <<<"Subject: x"; done
"$bin/sendmail" -i -f from@sender.test a@down.test <<<"Subject: x"
await_shown '^active: 4 of 20000 messages, 8 of 20000 recipients$'
await_shown '^smtp: 1 deliveries, [12] agents of 100, 2 destinations$'
await_shown "^    \[127.0.0.1\]:$sink_port: 1 under way, window 1 of 2, waiting: 3 deliveries, 3 messages, 6 recipients$"
await_shown "^    \[127.0.0.1\]:$down: 0 under way, window 1 of 2, waiting: 0 deliveries, 0 messages, 0 recipients$"
await_shown '^        at rest for [23][0-9]* s: connect to 127.0.0.1\[127.0.0.1\]:[0-9]*: Connection refused$'
await_shown "^        rate of destination \[127.0.0.1\]:$down: 100 in 1.0 s, burst 7, 7.0 left$"
python3 - "$scratch/json" "[127.0.0.1]:$down" "[127.0.0.1]:$sink_port" <<'END' || fail "JSON: $(cat "$scratch/json")"
import json, sys
parts = [json.loads(line) for line in open(sys.argv[1])]
assert parts[0] == {"type": "total", "messages": 4, "message_limit": 20000, "recipients": 8,
                    "recipient_limit": 20000, "more_waiting": False}, parts[0]
smtp = [p for p in parts if p["type"] == "transport" and p["transport"] == "smtp"][0]
assert smtp["busy"] == 1 and smtp["destinations"] == 2 and not smtp["unreachable"], smtp
dests = {p["nexthop"]: p for p in parts if p["type"] == "destination"}
down, up = dests[sys.argv[2]], dests[sys.argv[3]]
assert 200 < down["rest"] <= 300 and "refused" in down["rest_reason"] and down["backoff"] == 0, down
assert down["rates"][0]["burst"] == 7 and down["rates"][0]["period"] == 1.0, down
assert (up["deliveries"], up["messages"], up["recipients"], up["busy"]) == (3, 3, 6, 1), up
END
kill -CONT "$sink"
await_shown '^active: 0 of 20000 messages'

# who may not list the queue may not see this; with the mail system down there is nothing to see
echo "authorized_mailq_users = !static:anyone" >>"$etc/main.cf"
if [ "$(id -u)" != 0 ]; then
	show && fail "shown to who may not list the queue"
	grep -q 'is not allowed to view the mail queue' "$scratch/text" || fail "$(cat "$scratch/text")"
fi
stop
show && fail "shown although the mail system is down"
[ "$(id -u)" != 0 ] || grep -q 'public/qmgr' "$scratch/text" || fail "$(cat "$scratch/text")"
grep -E 'fatal|panic' "$log" && fail "unexpected lines"
exit 0
