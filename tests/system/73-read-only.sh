#!/bin/bash
# The file system of the queue becomes read-only under the running system, as the kernel does it after
# an error (root), or its directories lose their write permission (ordinary user): nobody is told 250,
# the log says what is wrong without being filled, a restart says why it cannot be; then all is well.
. "$(dirname "$0")/chaos.bash"
mkdir "$scratch/log" "$scratch/i"
if [ "$(id -u)" = 0 ]; then
	command -v mkfs.ext4 >/dev/null || { echo "mkfs.ext4 is not installed"; exit 77; }
	truncate -s 48M "$scratch/image"
	mkfs.ext4 -q "$scratch/image" 2>/dev/null
	mount -o loop "$scratch/image" "$scratch/i" 2>/dev/null || { echo "mount is not allowed here"; exit 77; }
	mounted=$scratch/i
	chmod 755 "$scratch/i"
fi
seal() {
	if [ -n "${mounted:-}" ]; then mount -o remount,abort "$mounted"; else find "$spool" -type d -exec chmod u-w {} +; fi
}
unseal() {
	[ -n "${mounted:-}" ] || { find "$spool" -type d -exec chmod u+w {} +; return; }
	# a copy: where another test has the mounts of this moment in a namespace of its own, the old
	# file system lives on, as it is
	local device
	device=$(losetup -n -O NAME -j "$scratch/image") && umount "$mounted" || fail "umount"
	blockdev --flushbufs "$device" 2>/dev/null
	cp --sparse=always "$scratch/image" "$scratch/mended" && { e2fsck -py "$scratch/mended" >"$scratch/fsck" 2>&1 || true; } &&
		mount -o loop "$scratch/mended" "$mounted" || fail "mount again"
}
small="--set journal_lane_size=1048576 --set journal_lane_count=2 --set message_size_limit=1000000"
make_relay $small --set "maillog_file=$scratch/log/mail.log" --set "maillog_file_prefixes=/var,/dev/stdout,$scratch"
log=$scratch/log/mail.log
start
submit() { printf 'X-Token: %s\nSubject: x\n\ntext\n' "$1" | "$bin/sendmail" -f s@example.net away@example.net >"$scratch/out" 2>&1; }
source_mail -s 4 -m 20 -l 4000 -t away@example.net
[ "$(wc -l <"$accepted")" = 20 ] || fail "not accepted: $(cat "$scratch/source.out")"
await 10 eval '[ "$(grep -c status=deferred "$log")" -ge 20 ]' || fail "not deferred"
smtp_open 3 && smtp 3 "MAIL FROM:<s@example.net>" && smtp 3 "RCPT TO:<away@example.net>" && smtp 3 DATA
lines=$(wc -l <"$log")
sync "$etc"/*.cf # the mail has to look after itself
seal
yes "$(printf '%070d\r' 0)" | head -n 9500 >&3
smtp 3 .
case $answer in 4[0-9][0-9]\ 4.*) ;; *) fail "end of a large message: $answer" ;; esac
says=$("$bin/smtp-source" -l 900000 -t away@example.net "127.0.0.1:$PORT1" 2>&1) && fail "a large message was taken"
echo "$says" | grep -q ': 4[0-9][0-9] 4' || fail "a large message: $says"
submit refused
status=$?
[ "$status" = 75 ] || fail "sendmail: $status $(cat "$scratch/out")"
sleep 4
n=$(($(wc -l <"$log") - lines))
[ "$n" -lt 1000 ] || fail "$n lines in 4 s: $(tail -n 20 "$log")"
grep -qE 'Read-only file system|Permission denied' "$log" || fail "the reason is not logged"
grep -E 'panic|killed by signal' "$log" && fail "processes die"
stop

# a start on a read-only queue
"$postern" -c "$etc" start >"$scratch/start.out" 2>&1 && {
	sleep 2
	n=$(tail -n +$((lines + n)) "$log" | wc -l)
	[ "$n" -lt 500 ] || fail "$n lines after a start on a read-only queue"
	stop
}
grep -qE 'Read-only file system|Permission denied' "$scratch/start.out" "$log" || fail "start: $(cat "$scratch/start.out")"
unseal
start_sink
start
submit again || fail "sendmail: $? $(cat "$scratch/out")"
echo "again 0" >>"$accepted"
source_mail -s 2 -m 10 -l 4000 -t away@example.net
await_all 15
await_empty 15
tokens_arrived | grep -q refused && fail "what sendmail refused was delivered"
stop
no_leftovers killed
exit 0
