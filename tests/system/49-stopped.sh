#!/bin/bash
# Processes that are stopped (SIGSTOP) with work in hand: a delivery agent, bounce(8), the queue
# manager. Each time the work is done by another within the time limit and a little, once.
. "$(dirname "$0")/chaos.bash"
. tests/system/clock.bash

make_relay
clock_setup "$etc"
cat >>"$etc/main.cf" <<END
daemon_timeout = 100s
qmgr_daemon_timeout = 60s
qmgr_ipc_timeout = 20s
transport_maps = inline:{ {no.test = error:5.0.0 not here} }
END
start_sink
clocked start
# The one that is connected: master may have started another, which would wait beside it.
busy_agent() {
	local inode
	inode=$(awk -v to=":$(printf %04X "$sink_port")" '$3 ~ to "$" && $4 == "01" { print $10 }' /proc/net/tcp)
	for pid in $(children); do
		[ -n "$inode" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = smtp ] &&
			find "/proc/$pid/fd" -lname "socket:\[$inode\]" | grep -q . && return
	done
	return 1
}
killed() { gone "$pid" && logged "pid $pid does not run"; }

# an agent in the middle of a session
kill -STOP "$sink"
source_mail -m 1 -f from@sender.test -t to@up.test || fail "smtp-source"
await 10 busy_agent || fail "no delivery agent"
kill -STOP "$pid"
kill -CONT "$sink"
clock_run 60 5
all_arrived && fail "it was not that agent's message"
clock_run 200 5 all_arrived
all_arrived || fail "not delivered although the agent is late"
logged 'warning: private/smtp: no answer for 100 seconds' || fail "qmgr says nothing"
await 5 killed || fail "the stopped agent is still there"
[ "$(duplicates)" = 0 ] || fail "delivered twice"
await_empty 10

# bounce(8): the notice is made by another one, and the mail is gone
"$bin/sendmail" -i -f from@sender.test first@no.test <<<"Subject: x"
await_log 'to=<from@sender.test>.*status=sent'
pid=$(pick bounce)
[ -n "$pid" ] || fail "no bounce process"
kill -STOP "$pid"
clocked "$bin/sendmail" -i -f back@sender.test second@no.test <<<"Subject: x"
clock_run 300 5 logged 'to=<back@sender.test>.*status=sent'
await_log 'to=<back@sender.test>.*status=sent'
[ "$(count_logged 'to=<back@sender.test>.*status=sent')" = 1 ] || fail "two notices"
await_empty 10

# the queue manager: mail is accepted meanwhile, its successor delivers it
clock_run 200 5
pid=$(pick qmgr)
kill -STOP "$pid"
source_mail -m 5 -s 2 -f from@sender.test -t to@up.test || fail "smtp-source: $(tail -n 3 "$scratch/source.out")"
clock_run 300 5 killed
killed || fail "the stopped queue manager is still there"
await_all 15
[ "$(duplicates)" = 0 ] || fail "delivered twice"
await_empty 10
clocked stop
grep -E 'fatal|panic' "$log" && fail "unexpected lines"
exit 0
