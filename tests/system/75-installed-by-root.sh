#!/bin/bash
# A system as `make install` and `postern set-permissions` make it, run by root, with users who mean
# no good: who may reach what, whose rights everything has, what a user's files can make local(8) do.
# It happens in namespaces of its own, with an /etc and a /var that nobody else sees.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=${POSTERN_BUILD:-$PWD/build/release}
if [ "${1:-}" != inside ]; then
	[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
	# the leak check looks at itself by ptrace, which a set-gid program refuses
	[[ $build == */asan ]] && { echo "set-gid programs cannot run under the leak sanitizer"; exit 77; }
	unshare --mount --pid --fork --mount-proc true 2>/dev/null || { echo "needs namespaces"; exit 77; }
	scratch=$(mktemp -d) || exit 2
	chmod 755 "$scratch"
	trap 'rm -rf "$scratch"' EXIT
	cp -a /etc "$scratch/etc" 2>/dev/null
	scratch=$scratch unshare --mount --propagation private --pid --fork --kill-child=KILL --mount-proc "$0" inside
	exit
fi

log=/var/log/mail.log
fail() {
	echo "$*"
	[ -f "$log" ] && tail -n 40 "$log"
	exit 1
}
await() { # await SECONDS COMMAND...
	tries=$(($1 * 200)) # of a busy host
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.02
	done
}
logged() { grep -Eq -- "$1" "$log"; }
await_log() { await 15 logged "$1" || fail "not logged: $1"; }
as() { # as USER COMMAND...
	local user=$1
	shift
	setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@"
}
send() { # send USER RECIPIENT...: a small message
	local user=$1
	shift
	printf 'Subject: test %s\n\nhello\n' "$*" | as "$user" sendmail -i "$@" || fail "sendmail by $user: $?"
}
mode() { stat -c '%U %G %a' "$1"; }
is_mode() { [ "$(mode "$1")" = "$2" ] || fail "$1 is $(mode "$1"), not $2"; }

# ---- the house
mount --bind "$scratch/etc" /etc && mount -t tmpfs -o mode=755 tmpfs /var || fail "mount"
mkdir -p /var/spool /var/lib /var/log /var/mail /var/root /var/home/alice /var/home/mallory
chgrp mail /var/mail && chmod 2775 /var/mail
for line in postfix:x:54321: postdrop:x:54322: alice:x:54323: mallory:x:54324:; do
	getent group "${line%%:*}" >/dev/null || echo "$line" >>/etc/group
done
getent passwd postfix >/dev/null ||
	echo "postfix:x:54321:$(getent group postfix | cut -d: -f3)::/var/spool/postfix:/bin/false" >>/etc/passwd
for user in alice:54323 mallory:54324; do
	echo "${user%:*}:x:${user#*:}:${user#*:}::/var/home/${user%:*}:/bin/sh" >>/etc/passwd
	chown "${user#*:}:${user#*:}" "/var/home/${user%:*}"
done
rm -rf /etc/postfix
mk/install "$build" "" /var/root/sbin /var/root/bin /var/root/libexec /var/root/man /etc/postfix || fail "install"
PATH=/var/root/sbin:/usr/bin:/bin:/usr/sbin:/sbin
cat >>/etc/postfix/main.cf <<END
command_directory = /var/root/sbin
daemon_directory = /var/root/libexec
data_directory = /var/lib/postfix
maillog_file = $log
smtpd_peername_lookup = no
local_recipient_maps =
mydestination = localhost
myhostname = mx.example.test
myorigin = localhost
enable_long_queue_ids = no
command_time_limit = 2s
default_transport = retry:4.3.0 not today
alias_maps = inline:{ {spy = :include:/var/home/mallory/list}, {open = :include:/var/home/alice/list},
	{run = "|id -un >/var/home/who"} }
END
sed -i 's/^smtp *inet .*/127.0.0.1:2525 inet n - y - - smtpd/' /etc/postfix/master.cf
rm -f /etc/resolv.conf && echo 'nameserver 127.0.0.1' >/etc/resolv.conf
mkdir -m 777 /var/home/free

postern check >/var/out 2>&1 && fail "postern check finds nothing before set-permissions"
postern set-permissions || fail "set-permissions"
out=$(postern check 2>&1) || fail "postern check: $out"
chmod g-s /var/root/sbin/postdrop
out=$(postern check 2>&1) && fail "postern check: postdrop has lost its group, and nothing is said"
[[ $out == *postdrop*2755*set-permissions* ]] || fail "postern check says: $out"
postern set-permissions || fail "set-permissions"
is_mode /var/root/sbin/postdrop "root postdrop 2755"
is_mode /var/root/sbin/postqueue "root postdrop 2755"
is_mode /var/spool/postfix/public "postfix postdrop 2710"
is_mode /var/spool/postfix/maildrop "postfix postdrop 1730"
is_mode /var/spool/postfix/private "postfix root 700"

# a lock file that is another name of something else is not written to
echo precious >/var/lib/precious
ln /var/lib/precious /var/lib/postfix/master.lock
postern start >/var/out 2>&1 && fail "started with a lock file of two names"
[ "$(cat /var/lib/precious)" = precious ] || fail "the lock file's other name was written to"
rm /var/lib/postfix/master.lock
flock -n /var/spool/postfix/pid/master.pid true || fail "master's lock is held"
as mallory flock -n /var/spool/postfix/pid/master.pid true 2>/dev/null && fail "anyone may pose as master"
out=$(postern start 2>&1) || fail "start: $out"
missing='warning: services with chroot = y look up names without .*/etc/resolv.conf'
logged "$missing" || fail "nothing said of the chroot"
[ "$(head -n 1 <<<"$out")" = "postern: starting the Postfix mail system" ] &&
	[[ $(tail -n +2 <<<"$out") =~ ^postfix/master:\ $missing[^$'\n']*$ ]] || fail "start says: $out"
for socket in /var/spool/postfix/private/* /var/spool/postfix/public/*; do
	[ "$(stat -c %U "$socket")" = postfix ] || fail "$socket was made with the rights of $(stat -c %U "$socket")"
done

# ---- submission by anyone
send nobody alice
await_log 'to=<alice@localhost>.*status=sent \(delivered to mailbox\)'
is_mode /var/mail/alice "alice mail 600"
printf 'Subject: no descriptors\n\n' | as nobody sendmail alice >&- 2>&- || fail "without standard output"
as nobody sendmail alice <&- >&- 2>&- # an empty message or an error, but no harm
(ulimit -f 0; printf 'Subject: x\n\n' | as nobody sendmail alice 2>/dev/null) && fail "a file size limit of 0 is ignored"
await 5 eval '[ -z "$(ls /var/spool/postfix/maildrop)" ]' || fail "maildrop is not emptied"
(exec 2>/dev/null; sleep 10 | as nobody sendmail alice) &
await 5 eval '[ -n "$(ls /var/spool/postfix/maildrop)" ]' || fail "sendmail writes nothing while it reads"
pkill -USR1 -x postdrop
await 5 eval '[ -z "$(ls /var/spool/postfix/maildrop)" ]' || fail "something is left in maildrop: $(ls -l /var/spool/postfix/maildrop)"
for dir in private public maildrop active journal; do
	as nobody ls "/var/spool/postfix/$dir" >/dev/null 2>&1 && fail "anyone may list $dir"
done
as nobody sh -c 'echo >/var/spool/postfix/maildrop/x' 2>/dev/null && fail "anyone may write to maildrop"
mkdir /var/home/free/evil.$$ && echo 'queue_directory = /tmp' >/var/home/free/evil.$$/main.cf
out=$(MAIL_CONFIG=/var/home/free/evil.$$ as nobody postqueue -p 2>&1) && fail "any configuration will do for postqueue"
[[ $out == *alternate_config_directories* ]] || fail "postqueue says: $out"
rm -r /var/home/free/evil.$$

# ---- who runs with what
for pid in $(pgrep -P "$(tr -d ' ' </var/spool/postfix/pid/master.pid)"); do
	name=$(tr '\0' ' ' <"/proc/$pid/cmdline")
	[[ $name == local\ * ]] && continue
	grep -q '^CapEff:[[:space:]]*0*$' "/proc/$pid/status" || fail "capabilities: $name"
	grep -qE "^Uid:([[:space:]]+$(id -u postfix)){4}\$" "/proc/$pid/status" || fail "user: $name"
	grep -qE "^Groups:[[:space:]]*$(id -g postfix)?[[:space:]]*\$" "/proc/$pid/status" || fail "groups: $name: $(grep Groups "/proc/$pid/status")"
done

# ---- what a user's files can do
cat >/var/home/mallory/look <<'END'
cd /var/home/mallory
ls -l /proc/self/fd >fds
(echo >/dev/tty) 2>/dev/null && echo tty >>fds
ps -o sid= -p $$ >sid
id >id
END
echo '|sh /var/home/mallory/look' >/var/home/mallory/.forward
send nobody mallory
await_log 'to=<mallory@localhost>.*status=sent \(delivered to command'
sed -n 's/.* \([0-9]*\) -> .*/\1/p' /var/home/mallory/fds | grep -vxE '0|1|2|3' && fail "descriptors: $(cat /var/home/mallory/fds)"
grep -Eq 'memfd|eventfd|socket|tty|mail.log' /var/home/mallory/fds && fail "descriptors: $(cat /var/home/mallory/fds)"
[ "$(cat /var/home/mallory/sid)" != "$(ps -o sid= -p "$(pgrep -nx local)")" ] || fail "a command shares local's session"
grep -q '^uid=54324(mallory) gid=54324(mallory) groups=54324(mallory)$' /var/home/mallory/id || fail "$(cat /var/home/mallory/id)"
is_mode /var/home/mallory/fds "mallory mallory 600"

# the list of an alias lies in a user's folder: root does not read for him what he may not
echo secret@leak.example >/etc/secret && chmod 600 /etc/secret
ln -s /etc/secret /var/home/mallory/list
send nobody spy
await_log 'to=<spy@localhost>.*status=deferred \(cannot read :include: file'
grep -q leak.example "$log" && fail "root has read a list for somebody: $(grep leak.example "$log")"
echo mallory2@outside.example >/var/home/alice/list
send nobody open
await_log 'to=<mallory2@outside.example>, orig_to=<open>'

# lists within lists, as deep as he likes
rm /var/home/mallory/.forward
for i in $(seq 400); do echo ":include:/var/home/mallory/l$((i + 1))"; done | awk '{print > ("/var/home/mallory/l" NR)}'
echo alice >/var/home/mallory/l401
echo :include:/var/home/mallory/l1 >/var/home/mallory/.forward
chown mallory: /var/home/mallory/.forward /var/home/mallory/l*
send nobody mallory
await_log 'to=<mallory@localhost>.*status=deferred \(too many :include: files'

# a pipe whose reader never reads holds nobody longer than a command
mkfifo /var/home/mallory/fifo && chown mallory: /var/home/mallory/fifo
echo /var/home/mallory/fifo >/var/home/mallory/.forward
setpriv --reuid=mallory --regid=mallory --clear-groups sh -c 'exec 3</var/home/mallory/fifo; exec sleep 20' &
reader=$!
{ printf 'Subject: big\n\n'; head -c 300000 /dev/zero | tr '\0' 'x' | fold -w 70; } | as nobody sendmail mallory
await_log 'to=<mallory@localhost>.*status=deferred \(cannot update mailbox /var/home/mallory/fifo.*timed out'
kill "$reader" 2>/dev/null

# ---- notes are for the mail system's own processes: another's mail cannot be sent to oneself
printf 'Subject: private\n\nfor alice only\n' | as alice sendmail -f alice waits@outside.example
await_log 'to=<waits@outside.example>.*status=deferred'
id=$(sed -n 's/.* \([0-9A-Z]*\): to=<waits@outside.example>.*/\1/p' "$log" | tail -n 1)
await 10 eval '[ -n "$(find /var/spool/postfix/deferred -name $id)" ]' || fail "$id is not deferred"
size=$(sed -n "s/.* $id: from=<alice@localhost>, size=\([0-9]*\),.*/\1/p" "$log" | tail -n 1)
rm -f /var/home/mallory/.forward
cp "$build/tests/system/helpers/note" /var/root/note
chgrp postdrop /var/root/note && chmod 2755 /var/root/note
as mallory /var/root/note /var/spool/postfix "$id" deferred mallory@localhost "${size:-0}"
send nobody alice # behind the note on the same socket
await 10 eval '[ "$(grep -c "to=<alice@localhost>.*status=sent" "$log")" -ge 3 ]'
await_log "public/qmgr: a note from a process that is not the mail system"
[ ! -e /var/mail/mallory ] || fail "mallory has alice's mail: $(cat /var/mail/mallory)"

# ---- the SMTP server in its chroot
exec 3<>/dev/tcp/127.0.0.1/2525 || fail "no smtpd"
ask() {
	[ -z "$1" ] || printf '%s\r\n' "$1" >&3
	while read -r -t 60 -u 3 answer && [[ $answer == [0-9][0-9][0-9]-* ]]; do :; done
	[[ $answer == $2* ]] || fail "$1: $answer"
}
ask '' 220
smtpd=$(pgrep -nx smtpd)
[ "$(readlink "/proc/$smtpd/root")" = /var/spool/postfix ] || fail "smtpd is in $(readlink "/proc/$smtpd/root")"
ask 'EHLO client.example' 250
ask 'MAIL FROM:<a@outside.example>' 250
ask 'RCPT TO:<alice@localhost>' 250
ask DATA 354
printf 'Subject: smtp\r\n\r\nby SMTP\r\n.\r\n' >&3
ask '' 250
ask QUIT 221
await 10 grep -q '^by SMTP' /var/mail/alice || fail "mail by SMTP did not arrive"

# ---- nothing stays
master=$(tr -d ' ' </var/spool/postfix/pid/master.pid)
echo '|sleep 300 & setsid sleep 300' >/var/home/mallory/.forward
chown mallory: /var/home/mallory/.forward
send nobody mallory
await 10 pgrep -xu mallory sleep || fail "the command does not run"
postern status <&- >&- 2>&- || fail "postern without descriptors"
postern stop >/var/out 2>&1 || fail "stop"
[ -e "/proc/$master" ] && fail "master is still there"
pgrep -u mallory >/dev/null && fail "a user's command is still there: $(ps -fu mallory)"
pgrep -u postfix >/dev/null && fail "processes are left: $(ps -fu postfix)"
exit 0
