#!/bin/bash
# An old master.cf names programs that this version does not have: one clear line each, no socket,
# no attempts; what the library does instead of a process is silent.
. "$(dirname "$0")/service.bash"

make_instance <<END
127.0.0.1:PORT1 inet n - n - 5 testd
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
tlsmgr unix - - n 1000? 1 tlsmgr
proxymap unix - - n - - proxymap
maildrop unix - n n - - pipe
  flags=DRXhu user=vmail argv=/usr/bin/maildrop -d \${recipient}
127.0.0.1:PORT2 inet n - n - 1 postscreen
END
start
for name in tlsmgr/unix proxymap/unix maildrop/unix "127.0.0.1:$PORT2/inet"; do
	[ "$(grep -c "warning: service $name: program [a-z]* is not part of this version; the entry is ignored" "$log")" = 1 ] || fail "no line, or more than one, about $name"
done
logged 'cleanup\|rewrite' && fail "complains about cleanup or rewrite"
[ -z "$(ls -A "$scratch/i/spool/private")" ] || fail "sockets: $(ls "$scratch/i/spool/private")"
connect 3 "$PORT2" 2>/dev/null && fail "a service without a program answers"
connect 3 "$PORT1" || fail "no session"
sleep 2
logged 'throttling' && fail "tries to start them"
"$postern" -c "$etc" check >/dev/null 2>&1 || fail "check calls that an error"
stop
exit 0
