#!/bin/bash
# daemon_timeout is shorter than the time for which the queue manager keeps idle agents: those that
# wait for their next request work, and no watchdog ends them.
. "$(dirname "$0")/chaos.bash"

make_relay
cat >>"$etc/main.cf" <<END
daemon_timeout = 3s
transport_maps = inline:{ {no.test = error:5.0.0 not here}, {later.test = retry:4.0.0 not now} }
minimal_backoff_time = 100s
maximal_backoff_time = 100s
END
start
"$bin/sendmail" -i -f "<>" a@no.test <<<"Subject: a" || fail "sendmail: $?"
"$bin/sendmail" -i -f from@sender.test b@later.test c@no.test <<<"Subject: b" || fail "sendmail: $?"
await_log 'to=<b@later.test>.*status=deferred'
await_log 'to=<c@no.test>.*status=bounced'
agents() { ps -o pid=,comm= --ppid "$(master_pid)" | awk '$2 == "error" || $2 == "bounce" { print $1 }' | sort; }
before=$(agents)
[ -n "$before" ] || fail "no agents"
sleep 5
for pid in $before; do gone "$pid" && fail "$pid has ended"; done
grep -E 'watchdog|killed|fatal|panic|warning: private' "$log" && fail "unexpected lines"
stop
exit 0
