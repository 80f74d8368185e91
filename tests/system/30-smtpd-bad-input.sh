#!/bin/bash
# The SMTP port takes whatever comes: garbage, a line without end, clients that stall or go away at
# any moment, the death of a session's process. Nothing half-queued, nobody else disturbed.
. "$(dirname "$0")/service.bash"

init_instance "$scratch/i"
cat >>"$etc/main.cf" <<END
default_transport = discard
smtpd_error_sleep_time = 0
smtpd_peername_lookup = no
END
start
sent=0

# reply FD CODE: the last line of the next reply begins with CODE
reply() {
	local line
	while read -r -t 60 -u "$1" line; do
		case $line in
		"$2-"*) ;;
		"$2 "*) return 0 ;;
		*) echo "expected $2, got: $line"; return 1 ;;
		esac
	done
	echo "expected $2, got nothing"
	return 1
}
open() { eval "exec $1<>/dev/tcp/127.0.0.1/$PORT1" 2>/dev/null && reply "$1" 220; }
ask() { printf '%s\r\n' "$2" >&"$1" && reply "$1" "$3"; }
begin() { # begin FD: as far as the reply to DATA
	open "$1" && ask "$1" 'EHLO test' 250 && ask "$1" 'MAIL FROM:<a@example.com>' 250 &&
		ask "$1" 'RCPT TO:<b@remote.example>' 250 && ask "$1" DATA 354
}
good() {
	begin 9 && printf 'Subject: %s\r\n\r\nbody\r\n' "$1" >&9 && ask 9 . 250 && ask 9 QUIT 221 ||
		fail "no good session after: $1"
	hangup 9
	sent=$((sent + 1))
}
sessions() { # processes that serve one
	for p in $(children); do
		[ "$(cat "/proc/$p/comm" 2>/dev/null)" = smtpd ] && echo "$p"
	done
}

good nothing

# ten megabytes without a line feed: one line, and no memory for it
open 3 || fail "no session"
{ head -c 10485760 /dev/zero | tr '\0' A; printf '\r\n'; } >&3
reply 3 500 || fail "the long line has no reply"
for p in $(sessions); do
	peak=$(awk '/^VmHWM/ {print $2}' "/proc/$p/status")
	[ "${peak:-0}" -lt 65536 ] || fail "a long line costs $peak kB"
done
ask 3 QUIT 221 || fail "no end after the long line"
hangup 3
logged 'request longer than 2048: AAAAAA' || fail "the long line is not logged"
good "a line without end"

# random bytes until the server has enough
for size in 1 17 300 5000 70000 400000; do
	open 3 || fail "no session"
	head -c "$size" /dev/urandom >&3 2>/dev/null
	hangup 3
done
good garbage

# binary where the message should be is a message
begin 3 || fail "no session"
{ head -c 200000 /dev/urandom | tr -d '\r\n.'; printf '\r\n'; } >&3
ask 3 . 250 || fail "binary content"
sent=$((sent + 1))
hangup 3

# away at every stage
open 3 && hangup 3
open 3 && ask 3 'HELO x' 250 && hangup 3
open 3 && ask 3 'HELO x' 250 && ask 3 'MAIL FROM:<a@b.example>' 250 && hangup 3
open 3 && ask 3 'HELO x' 250 && ask 3 'MAIL FROM:<a@b.example>' 250 &&
	ask 3 'RCPT TO:<b@remote.example>' 250 && hangup 3
begin 3 && hangup 3
begin 3 && printf 'half a mess' >&3 && hangup 3
begin 3 && printf 'whole\r\n.\r' >&3 && hangup 3
await_log 'lost connection after CONNECT'
await_log 'lost connection after HELO'
await_log 'lost connection after MAIL'
await_log 'lost connection after RCPT'
await_log 'lost connection after DATA ([0-9]* bytes)'
good disconnects

# sessions that do nothing keep nobody from working
for fd in $(seq 20 49); do open "$fd" || fail "session $fd"; done
good "thirty idle sessions"
for fd in $(seq 20 49); do hangup "$fd"; done

# a session's process dies in the middle of a message
begin 3 || fail "no session"
printf 'Subject: lost\r\n' >&3
killed=$(sessions)
kill -9 $killed
for p in $killed; do await 10 gone "$p" || fail "process $p lives"; done # and can accept nobody
read -r -t 60 -u 3 line && fail "a reply from the dead: $line"
hangup 3
good "a dead process"

await 20 eval '[ "$(count_logged status=sent)" = "$sent" ]' ||
	fail "$sent messages were accepted, $(count_logged status=sent) sent"
grep -E 'panic|fatal' "$log" && fail "unexpected lines"
stop
exit 0
