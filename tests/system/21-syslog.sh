#!/bin/bash
# Without maillog_file the log goes to syslog: a listener of ours at /dev/log gets lines that syslog
# daemons take apart (priority, date, tag, process id), from confined processes too, also after the
# syslog daemon was restarted; no process loses a descriptor over it.
if [ "${1:-}" != inside ]; then
	command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
	how=--mount
	[ "$(id -u)" = 0 ] || how="--map-current-user --keep-caps --mount"
	unshare $how mount -t tmpfs tmpfs /dev 2>/dev/null || { echo "needs namespaces"; exit 77; }
	exec unshare $how --propagation private "$0" inside
fi
. "$(dirname "$0")/submit.bash"

# a /dev that nobody else sees
mkdir "$scratch/dev"
mount -t tmpfs -o mode=755 tmpfs "$scratch/dev" || fail mount
trap 'kill $listener 2>/dev/null; "$postern" -c "$etc" abort >/dev/null 2>&1; umount -R -l "$scratch/dev"; cleanup' EXIT
for device in null zero full random urandom; do
	touch "$scratch/dev/$device"
	mount --bind "/dev/$device" "$scratch/dev/$device" || fail "mount $device"
done
for link in fd stdin stdout stderr; do cp -P "/dev/$link" "$scratch/dev/"; done
mount --rbind "$scratch/dev" /dev || fail "mount /dev"

got=$scratch/syslog
cat >"$scratch/syslogd.py" <<'END'
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/dev/log.new")
os.chmod("/dev/log.new", 0o666)
os.rename("/dev/log.new", "/dev/log")
f = open(sys.argv[1], "ab", 0)
while True:
    f.write(s.recv(65536).rstrip(b"\0\n") + b"\n")
END
syslogd() {
	rm -f /dev/log
	python3 "$scratch/syslogd.py" "$got" &
	listener=$!
	await 10 test -S /dev/log || fail "no listener"
}
has() { grep -Eq -- "$1" "$got"; }
await_line() { await 15 has "$1" || fail "not in the syslog: $1: $(tail -n 30 "$got")"; }

syslogd
make_instance discard
sed -i '/^maillog_file/d' "$etc/main.cf"
chroot=n
[ "$(id -u)" = 0 ] && chroot=y
sed -i "s/^\(discard *unix *- *- *\)[-n]/\1$chroot/" "$etc/master.cf"
chroot_without_leak_check
start
for i in 1 2 3; do echo "test $i" | "$bin/sendmail" -f joe@example.com "to$i@example.net" || fail "sendmail"; done
date='[A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]{8}'
for i in 1 2 3; do
	await_line "^<22>$date postfix/discard\[[0-9]+\]: [0-9A-F]+: to=<to$i@example.net>, .*status=sent"
done
await_line "^<22>$date postfix/postfix-script\[[0-9]+\]: starting the Postfix mail system"
await_line "^<22>$date postfix/master\[$(master_pid)\]: daemon started"
await_line "^<22>$date postfix/cleanup\[[0-9]+\]: [0-9A-F]+: message-id="
await 10 count_is 0 || fail "not delivered"
qmgr=$(sed -n 's/.*qmgr\[\([0-9]*\)\].*removed/\1/p' "$got" | sort -u)
[ "$(pgrep -P "$(master_pid)" -x qmgr)" = "$qmgr" ] || fail "qmgr was started again: $qmgr"

# the daemon is restarted
kill "$listener"
wait "$listener" 2>/dev/null
syslogd
sed -i "s/^syslog_facility.*//" "$etc/main.cf"
echo 'syslog_facility = local3' >>"$etc/main.cf"
reload || fail "reload: $(cat "$scratch/reload.out")"
await_line "^<158>$date postfix/master\[$(master_pid)\]: reload -- "
for i in 4 5; do echo "test $i" | "$bin/sendmail" -f joe@example.com "to$i@example.net" || fail "sendmail"; done
await_line "^<158>$date postfix/pickup\[[0-9]+\]: [0-9A-F]+: uid="
await 10 count_is 0 || fail "not delivered after a restart of syslog"
[ "$chroot" = y ] || await_line "^<158>$date postfix/discard\[[0-9]+\]: [0-9A-F]+: to=<to5@example.net>, "
stop
bad=$(grep -Ev "^<[0-9]+>$date postfix/[a-z-]+\[[0-9]+\]: [^ ]" "$got")
[ -z "$bad" ] || fail "not syslog's form: $bad"
bad=$(grep -E 'fatal|panic|exit status|killed by' "$got")
[ -z "$bad" ] || fail "$bad"
exit 0
