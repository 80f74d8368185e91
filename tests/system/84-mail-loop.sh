#!/bin/bash
# Two instances that send everything to each other: the message ends by hopcount_limit with one notice
# to its sender; without a sender, with none that loops. Nothing goes round for ever.
. "$(dirname "$0")/chaos.bash"
make_relay
other=$scratch/j/etc
end_both() {
	"$postern" -c "$other" abort >/dev/null 2>&1
	end_chaos
}
trap end_both EXIT
port_i=$PORT1
init_instance "$scratch/j"
port_j=$PORT1 PORT1=$port_i
for conf in "$etc" "$other"; do
	sed -i '/^relayhost\|^hopcount_limit\|^mydestination/d' "$conf/main.cf"
	cat >>"$conf/main.cf" <<END
hopcount_limit = 12
smtp_host_lookup = native
smtpd_peername_lookup = no
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
local_transport = discard
notify_classes = resource, software, 2bounce
END
done
echo "relayhost = [127.0.0.1]:$port_j" >>"$etc/main.cf"
echo "mydestination = i.test" >>"$etc/main.cf"
echo "myhostname = i.test" >>"$etc/main.cf"
echo "relayhost = [127.0.0.1]:$PORT1" >>"$other/main.cf"
echo "mydestination = j.test" >>"$other/main.cf"
echo "myhostname = j.test" >>"$other/main.cf"
start
"$postern" -c "$other" start >/dev/null 2>&1 || fail "start of the other one"
both="$log $scratch/j/log/mail.log"
both_empty() { queue_empty && MAIL_CONFIG=$other "$bin/mailq" | grep -q '^Mail queue is empty'; }
await_both() { await 15 both_empty || fail "still in a queue: $("$bin/mailq"; MAIL_CONFIG=$other "$bin/mailq"; tail -n 5 $both)"; }
rounds() { cat $both | grep -c "to=<$1>.*status=sent"; }
notices() { cat $both | grep -c "to=<$1>.*relay=none.*status=sent"; }

source_mail -m 1 -f sender@i.test -t away@loop.test
await 15 grep -q 'to=<away@loop.test>.*status=bounced.*too many hops' $both || fail "no end: $(tail -n 5 $both)"
await 15 grep -q 'to=<sender@i.test>.*status=sent' "$log" || fail "no notice"
await_both
[ "$(rounds away@loop.test)" -ge 9 ] && [ "$(rounds away@loop.test)" -le 12 ] || fail "rounds: $(rounds away@loop.test)"
[ "$(notices sender@i.test)" = 1 ] || fail "notices: $(notices sender@i.test)"

# the null sender: its end is told to the postmaster of where it ended, and goes no further
source_mail -m 1 -f '' -t null@loop.test
await 15 grep -q 'to=<null@loop.test>.*status=bounced.*too many hops' $both || fail "no end: $(tail -n 5 $both)"
await_both
[ "$(rounds null@loop.test)" -le 12 ] || fail "rounds: $(rounds null@loop.test)"
# a sender that loops as well: its notice loops, ends, and makes no notice to it
source_mail -m 1 -f sender@loop.test -t both@loop.test
await 15 grep -q 'to=<sender@loop.test>.*status=bounced.*too many hops' $both || fail "no end: $(tail -n 5 $both)"
await_both
[ "$(rounds both@loop.test)" -le 12 ] || fail "rounds: $(rounds both@loop.test)"
[ "$(rounds sender@loop.test)" -le 12 ] || fail "rounds of the notice: $(rounds sender@loop.test)"
[ "$(cat $both | grep -c 'to=<sender@loop.test>.*status=bounced')" = 1 ] || fail "the notice ended more than once"
# many at once
source_mail -s 5 -m 50 -f many@i.test -t many@loop.test
many_ended() { [ "$(cat $both | grep -c 'to=<many@loop.test>.*status=bounced')" = 50 ]; }
await 25 many_ended || fail "$(cat $both | grep -c 'to=<many@loop.test>.*status=bounced') of 50 ended"
await_both
grep -hE 'panic|fatal' $both && fail "panics"
exit 0
