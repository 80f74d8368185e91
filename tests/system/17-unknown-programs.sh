#!/bin/bash
# An old master.cf names programs that this version does not have: one clear line, one each where
# somebody might connect, no socket, no attempts; what the library does instead of a process is silent.
. "$(dirname "$0")/service.bash"

make_instance <<END
127.0.0.1:PORT1 inet n - n - 5 testd
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
postlog unix-dgram n - n - 1 postlogd
tlsmgr unix - - n 1000? 1 tlsmgr
proxymap unix - - n - - proxymap
maildrop unix - n n - - pipe
  flags=DRXhu user=vmail argv=/usr/bin/maildrop -d \${recipient}
127.0.0.1:PORT2 inet n - n - 1 postscreen
END
start
[ "$(grep -c "warning: service 127.0.0.1:$PORT2/inet: program postscreen is not part of this version; the entry is ignored" "$log")" = 1 ] || fail "not one line about postscreen"
[ "$(grep -c "ignored: tlsmgr/unix (tlsmgr), proxymap/unix (proxymap), maildrop/unix (pipe)$" "$log")" = 1 ] || fail "not one line about the others"
logged 'cleanup\|rewrite\|postlog' && fail "complains about what is a library"
[ -z "$(ls -A "$scratch/i/spool/private")" ] || fail "sockets: $(ls "$scratch/i/spool/private")"
connect 3 "$PORT2" 2>/dev/null && fail "a service without a program answers"
connect 3 "$PORT1" || fail "no session"
sleep 2
logged 'throttling' && fail "tries to start them"
"$postern" -c "$etc" check >/dev/null 2>&1 || fail "check calls that an error"
stop
exit 0
