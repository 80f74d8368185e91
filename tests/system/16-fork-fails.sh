#!/bin/bash
# With a full process table master says so, tries again after a pause, and loses no client.
. "$(dirname "$0")/service.bash"

# the limit counts all processes of a user and does not hold for root: a user nobody else is
if [ "$(id -u)" = 0 ]; then
	command -v setpriv >/dev/null && command -v prlimit >/dev/null || { echo "needs setpriv and prlimit"; exit 77; }
	uid=$((200000 + $$ % 100000))
fi
command -v prlimit >/dev/null || { echo "needs prlimit"; exit 77; }
as_user() { if [ "$(id -u)" = 0 ]; then setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@"; else "$@"; fi; }
make_instance <<END
127.0.0.1:PORT1 inet n - n - 50 testd
END
if [ "$(id -u)" = 0 ]; then
	# as an ordinary user without a name, everything is his; he may have no way to the build
	for name in testd testloop testtrigger; do cp --remove-destination "$helper" "$scratch/lib/$name"; done
	cp --remove-destination "$build/libexec/master" "$scratch/lib/master"
	chown -R "$uid:$uid" "$scratch"
	sed -i 's/^\(mail_owner\|default_privs\) =.*/\1 = nobody/; s/^setgid_group.*/setgid_group = nogroup/' "$etc/main.cf"
	chmod 755 "$scratch/i"
	as_user "$scratch/lib/master" -c "$etc" -w >"$scratch/out" 2>&1 || fail "start: $(cat "$scratch/out")"
else
	start
fi
connect 3 "$PORT1" || fail "no session"
await 5 eval '[ "$(children | wc -w)" = 2 ]' || fail "no spare"
as_user prlimit --pid "$(master_pid)" --nproc=1: || { echo "prlimit does not work here"; exit 77; }
connect 4 "$PORT1" || fail "the spare does not serve"
await_log 'warning: fork: Resource temporarily unavailable -- throttling'
exec 5<>/dev/tcp/127.0.0.1/"$PORT1" || fail "no place in line"
sleep 3
[ "$(count_logged 'warning: fork')" -le 4 ] || fail "a storm of attempts"
say 3 alive && [ "$answer" = alive ] || fail "a session was harmed"
kill -0 "$(master_pid)" || fail "master ended"
as_user prlimit --pid "$(master_pid)" --nproc=1000: || fail "prlimit"
read -r -t 60 -u 5 greeting || fail "the client in line is not served"
stop
exit 0
