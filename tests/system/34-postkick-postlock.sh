#!/bin/bash
# postkick wakes a service; postlock holds off others in each of its styles, and lets go whatever
# becomes of the command.
. "$(dirname "$0")/submit.bash"
make_instance discard
start
expect 1 'usage: postkick' "$bin/postkick" public
expect 1 'unknown class' "$bin/postkick" secret qmgr I
expect 1 'no service' "$bin/postkick" public ../private/smtp I
expect 1 'Cannot contact class public service nobody - perhaps' "$bin/postkick" public nobody W
echo test | "$bin/sendmail" a@example.net
await 10 count_is 0 || fail "not delivered"
for request in W I D A F FIDAW '?'; do expect 0 '' "$bin/postkick" -c "$etc" public qmgr "$request"; done
expect 0 '' "$bin/postkick" public pickup W
expect 0 '' "$bin/postkick" public flush W
[ -z "$(find "$spool/corrupt" -type f)" ] || fail "corrupt"
stop
expect 1 'mail system is down' "$bin/postkick" public qmgr I

box=$scratch/box
postlock() { "$bin/postlock" -c "$etc" "$@"; }
echo 'deliver_lock_attempts = 1' >>"$etc/main.cf"
expect 75 'usage: postlock' postlock "$box"
expect 75 'unknown mailbox_delivery_lock value "bogus" in "fcntl,bogus"' postlock -l fcntl,bogus "$box" true
expect 75 'mailbox_delivery_lock is empty' postlock -l ' , ' "$box" true
expect 75 'unable to create lock file .*/nowhere/box.lock: No such file' postlock "$scratch/nowhere/box" true
expect 75 'cannot open file: Is a directory' postlock -l dotlock "$scratch" true
expect 75 'nowhere/main.cf: No such file' postlock -c "$scratch/nowhere" "$box" true
[ ! -e "$scratch.lock" ] || fail "a lock file stays behind"
# a folder of PATH that may not be entered would be the reason given
expect 75 'execvp no-such-command: No such file' env PATH=/usr/bin:/bin "$bin/postlock" "$box" no-such-command
expect 7 '' postlock "$box" sh -c "[ -e '$box.lock' ] && exit 7"
expect 0 '^a b c$' postlock -l flock "$box" printf '%s %s %s\n' a b c
expect 143 '' postlock "$box" sh -c 'kill $$'
[ ! -e "$box.lock" ] || fail "a lock file stays behind"
[ "$(stat -c '%a %s' "$box")" = '600 0' ] || fail "the file: $(stat -c '%a %s' "$box")"
for style in fcntl flock dotlock 'fcntl, flock, dotlock'; do
	rm -f "$scratch/go" "$scratch/held"
	mkfifo "$scratch/go"
	"$bin/postlock" -l "$style" "$box" sh -c "touch '$scratch/held'; read x <'$scratch/go'; exit 3" &
	pid=$!
	await 10 test -e "$scratch/held" || fail "$style: does not run"
	for other in fcntl flock dotlock; do
		case $style in
		*$other*) expect 75 'unable to' postlock -l "$other" "$box" true ;;
		*) expect 0 '' postlock -l "$other" "$box" true ;;
		esac
	done
	kill -INT "$pid" # a terminal's, which the command gets too
	echo >"$scratch/go"
	wait "$pid"
	status=$?
	[ "$status" = 3 ] || fail "$style: status $status"
	expect 0 '' postlock -l "$style" "$box" true
	rm "$scratch/go"
done
# SIGTERM ends the command, and the lock
rm -f "$scratch/held"
"$bin/postlock" "$box" sh -c "touch '$scratch/held'; exec sleep 60" &
pid=$!
await 10 test -e "$scratch/held"
kill "$pid"
wait "$pid"
[ $? = 143 ] || fail "SIGTERM"
[ ! -e "$box.lock" ] || fail "a lock file stays behind"
# a stale lock file is nobody's; one attempt finds it, the next one has the lock
touch "$box.lock"
sed -i 's/^deliver_lock_attempts.*/deliver_lock_attempts = 4/' "$etc/main.cf"
echo 'stale_lock_time = 1s' >>"$etc/main.cf"
expect 0 'removing stale lock file' postlock "$box" true
# the configured style
echo 'mailbox_delivery_lock = flock' >>"$etc/main.cf"
expect 0 '' postlock "$box" sh -c "[ ! -e '$box.lock' ]"
exit 0
