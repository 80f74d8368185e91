#!/bin/bash
# The disk is full, then the inodes are used up: SMTP says "not now", sendmail exits with 75, what
# was accepted stays; when there is room again, mail flows.
. "$(dirname "$0")/chaos.bash"
if [ "$(id -u)" != 0 ]; then # a disk that is too small, as far as smtpd is concerned
	make_relay --set queue_minfree=9000000000000000
	start_sink
	start
	says=$("$bin/smtp-source" -t away@example.net "127.0.0.1:$PORT1" 2>&1) && fail "taken"
	echo "$says" | grep -q '452 4.3.1' || fail "too little room: $says"
	sed -i '/^queue_minfree/d' "$etc/main.cf"
	reload
	source_mail -m 3 -t away@example.net
	await_all 10
fi
[ "$(id -u)" = 0 ] || { echo "needs root, to mount a small file system"; exit 77; }
mkdir "$scratch/i"
mount -t tmpfs -o size=24m,nr_inodes=2000,mode=755 postern-test "$scratch/i" 2>/dev/null || { echo "mount is not allowed here"; exit 77; }
mounted=$scratch/i
mkdir "$scratch/log"
make_relay --set journal_lane_size=1048576 --set journal_lane_count=2 --set message_size_limit=1000000 \
	--set queue_minfree=0 --set "maillog_file=$scratch/log/mail.log" --set "maillog_file_prefixes=/var,/dev/stdout,$scratch"
log=$scratch/log/mail.log
start # no sink: what is accepted has to wait
me=$(id -un)

rest() { df --output=avail -k "$scratch/i" | tail -n 1 | tr -d ' '; }
fill() { # until nothing more fits; what others give back since the last time, too
	dd if=/dev/zero of="$scratch/i/filler" oflag=append conv=notrunc bs=64k >/dev/null 2>&1
	dd if=/dev/zero of="$scratch/i/filler2" oflag=append conv=notrunc bs=1k >/dev/null 2>&1
}
all_wait() { [ "$("$bin/postqueue" -j | grep -c '"queue_name": "deferred"')" = "$(wc -l <"$accepted")" ]; }
smtp_says() { # smtp_says SIZE: the reply to the end of a message of that size, or to MAIL
	"$bin/smtp-source" -l "$1" -t away@example.net "127.0.0.1:$PORT1" 2>&1
}
submit() { printf 'X-Token: %s\nSubject: x\n\ntext\n' "$1" | "$bin/sendmail" -f s@example.net away@example.net >"$scratch/out" 2>&1; }

# full: what got as far as DATA still has the journal, unless it is too large; then it is said at MAIL
source_mail -s 4 -m 40 -l 4000 -t away@example.net
await 20 all_wait || fail "not deferred: $("$bin/postqueue" -p)" # files that are being made would give room back
to_data() { # a session that has got as far as DATA
	smtp_open "$1" && smtp "$1" "MAIL FROM:<s@example.net>" && smtp "$1" "RCPT TO:<away@example.net>" && smtp "$1" DATA
	[ "${answer%% *}" = 354 ] || fail "DATA: $answer"
}
to_data 3
to_data 4
fill
printf 'X-Token: middle.1\r\n\r\ntext\r\n' >&3
smtp 3 .
case $answer in
250*) echo "middle.1 $answer" >>"$accepted" ;;
*) fail "a lane has room, but: $answer" ;;
esac
{
	printf 'X-Token: middle.2\r\n\r\n'
	yes "$(printf '%070d\r' 0)" | head -n 9500
} >&4
smtp 4 .
case $answer in 452\ 4.3.1*) ;; *) fail "a large message after DATA: $answer" ;; esac
smtp 4 QUIT
case $answer in 221*) ;; *) fail "QUIT after 452: $answer" ;; esac
says=$(smtp_says 700000) && fail "a big message was taken on a full disk"
echo "$says" | grep -q '452 4.3.1' || fail "a big message: $says"
fill
submit refused
status=$?
[ $status = 75 ] || fail "sendmail: $status, room for $(rest) KB: $(cat "$scratch/out")"
says=$(smtp_says 4000) && fail "a message was taken on a full disk"
echo "$says" | grep -q '452 4.3.1' || fail "a small message: $says"
# of what the postmaster is told (notify_classes: resource) there is more
queued() { "$bin/postqueue" -j | grep -v "\"sender\": \"double-bounce@" | grep -o '"queue_id": "[^"]*"' | sort -u | wc -l; }
await 10 eval '[ "$(queued)" = "$(wc -l <"$accepted")" ]' || fail "accepted $(wc -l <"$accepted"), in the queue: $(queued)"
lines=$(wc -l <"$log")
sleep 3
[ $(($(wc -l <"$log") - lines)) -lt 2000 ] || fail "the log fills: $(($(wc -l <"$log") - lines)) lines in 3 s: $(tail -n 5 "$log")"

# a restart on the full disk
stop
start
start_sink
await_all 20
rm "$scratch/i/filler" "$scratch/i/filler2"
submit again.1 || fail "sendmail with room: $? $(cat "$scratch/out")"
echo "again.1 0" >>"$accepted"
source_mail -s 2 -m 10 -l 300000 -t away@example.net
await_all 20
await_empty 20
[ "$(duplicates)" = 0 ] || fail "$(duplicates) duplicates"
tokens_arrived | grep -qE "refused|middle.2" && fail "what sendmail refused was delivered"

# no inodes
stop_sink
sleep 0.1
n=0
while : 2>/dev/null >"$scratch/i/inode.$n"; do n=$((n + 1)); done 2>/dev/null
submit refused
status=$?
[ $status = 75 ] || fail "sendmail without inodes: $status $(cat "$scratch/out")"
says=$(smtp_says 700000) && fail "a big message was taken without inodes"
echo "$says" | grep -q '452 4.3.1' || fail "without inodes: $says"
rm "$scratch"/i/inode.*
start_sink
submit again.2 || fail "sendmail with inodes: $? $(cat "$scratch/out")"
echo "again.2 0" >>"$accepted"
source_mail -m 3 -l 300000 -t away@example.net
await_all 20
await_empty 20
stop
no_leftovers
grep -E 'panic|fatal' "$log" && fail "panics"
exit 0
