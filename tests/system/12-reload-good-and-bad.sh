#!/bin/bash
# A good configuration is applied without a refused or broken connection; a bad one changes nothing,
# also for processes that start later, and is reported with file, line, value and what was expected.
. "$(dirname "$0")/service.bash"

make_instance <<END
127.0.0.1:PORT1 inet n - n - 10 testd
127.0.0.1:PORT2 inet n - n - 10 testd -o testd_patience=7s
loop unix n - n - 1 testloop
END
echo 'testd_patience = 5s' >>"$etc/main.cf"
start
cp "$etc/main.cf" "$scratch/main.cf"
cp "$etc/master.cf" "$scratch/master.cf"
connect 3 "$PORT1" || fail "no session"
old=$greeting

bad() { # bad PATTERN: what is in etc now is refused
	local pid before after
	pid=$(master_pid) before=$(count_logged 'problem.*nothing has changed')
	reload && fail "accepted: $1"
	grep -Eq "$1" "$scratch/reload.out" || fail "reload says: $(cat "$scratch/reload.out") instead of: $1"
	# and by the signal alone
	kill -HUP "$pid"
	await 10 eval '[ "$(count_logged "problem.*nothing has changed")" -gt '"$before"' ]' || fail "no refusal logged: $1"
	grep -Eq "error: .*($1)" "$log" || fail "not logged: $1"
	say 3 alive && [ "$answer" = alive ] || fail "the open session was harmed"
	# three new ones: at least one of them by a new process
	for fd in 5 6 7; do
		connect $fd "$PORT1" || fail "no new session after: $1"
		say $fd patience
		[ "$answer" = 5 ] || fail "a new process has read the bad file: $answer"
	done
	for fd in 5 6 7; do hangup $fd; done
	cp "$scratch/main.cf" "$etc/main.cf"
	cp "$scratch/master.cf" "$etc/master.cf"
}

line=$(($(wc -l <"$etc/main.cf") + 1))
echo 'testd_patience = soon' >>"$etc/main.cf"
bad "main.cf: line $line: testd_patience.*soon.*expected"
echo 'default_process_limit = many' >>"$etc/main.cf"
bad "main.cf: line $line: default_process_limit.*many.*expected"
echo 'this is no setting' >>"$etc/main.cf"
bad "main.cf: line $line: .*expected"
echo "127.0.0.1:$PORT3 inet n - n - lots testd" >>"$etc/master.cf"
bad 'master.cf: line 4: .*lots.*expected'
echo "127.0.0.1:$PORT3 inet n - n - 1 testd -o testd_patience=later" >>"$etc/master.cf"
bad 'testd_patience.*later.*expected'
echo "127.0.0.1:nosuchport inet n - n - 1 testd" >>"$etc/master.cf"
bad 'master.cf: line 4: .*nosuchport.*expected'
echo "127.0.0.1:$PORT1 inet n - n - 1 testd
$PORT1 inet n - n - 1 testd" >>"$etc/master.cf"
bad 'master.cf: line 5: .*expected a socket of its own'
rm "$etc/main.cf"
bad 'main.cf'

# good: connections all the time while it is reloaded again and again
(
	failed=0
	for i in $(seq 300); do
		exec 9<>/dev/tcp/127.0.0.1/"$PORT1" && read -r -t 60 -u 9 line && echo quit >&9 || failed=1
		exec 9>&-
	done 2>/dev/null
	exit $failed
) &
load=$!
for i in 1 2 3 4 5; do
	sed "s/^testd_patience.*/testd_patience = $((10 + i))s/" "$scratch/main.cf" >"$etc/main.cf"
	reload || fail "reload $i: $(cat "$scratch/reload.out")"
done
wait $load || fail "connections were refused or broken by reloads"
[ "$(count_logged 'reload -- version')" = 5 ] || fail "reloads logged: $(count_logged 'reload -- version')"

# the busy session goes on under its old configuration; new ones have the new one
say 3 patience && [ "$answer" = 5 ] || fail "the old session has $answer"
connect 4 "$PORT1" && say 4 patience && [ "$answer" = 15 ] || fail "a new session has $answer"
hangup 4
connect 4 "$PORT2" && say 4 patience && [ "$answer" = 7 ] || fail "-o is lost: $answer"
hangup 4

# a service goes, another one comes, the limit of a third changes; a busy session holds no port
connect 6 "$PORT2" || fail "no session"
master_cf <<END
127.0.0.1:PORT1 inet n - n - 3 testd
127.0.0.1:PORT3 inet n - n - 3 testd
END
reload || fail "reload: $(cat "$scratch/reload.out")"
# its idle processes have the socket until they have heard of the reload
removed() { ! connect 4 "$PORT2"; }
await 10 removed || fail "a removed service still answers"
connect 4 "$PORT3" || fail "a new service does not answer"
hangup 4
[ -e "$scratch/i/spool/public/loop" ] && fail "the socket of a removed service is still there"
say 3 alive && [ "$answer" = alive ] || fail "the old session was harmed"
say 6 alive && [ "$answer" = alive ] || fail "the session of the removed service was harmed"
master_cf <<END
127.0.0.1:PORT1 inet n - n - 3 testd
0.0.0.0:PORT2 inet n - n - 3 testd
END
reload || fail "reload: $(cat "$scratch/reload.out")"
connect 4 "$PORT2" || fail "an old session is in the way of a new address: $(tail -n 3 "$log")"
hangup 4
hangup 6
logged 'accept connection' && fail "noise: $(grep 'accept connection' "$log" | head -n 3)"
hangup 3
await 10 gone "$(echo "$old" | cut -d' ' -f2)" || fail "a process of the old configuration stays"
stop
exit 0
