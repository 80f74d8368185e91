#!/bin/bash
# logrotate begins a new file that all processes write to, each line with the first part of myhostname;
# check finds what is wrong and only that.
. "$(dirname "$0")/service.bash"

make_instance --set myhostname=box.example.org <<END
127.0.0.1:PORT1 inet n - n - 5 testd
127.0.0.1:PORT2 inet n - n - 1 testloop
END
start
"$postern" -c "$etc" check >"$scratch/out" 2>&1 || fail "check: $(cat "$scratch/out")"
connect 3 "$PORT2" || fail "no event loop"
"$postern" -c "$etc" logrotate >/dev/null 2>&1 || fail "logrotate"
ls "$log".2* >/dev/null || fail "no old file"
logged 'reload -- version' || fail "master does not write to the new file"
connect 3 "$PORT1" || fail "no session"
say 3 exit
await_log 'exit status 7'
echo hello | "$build/bin/postlog" -c "$etc" -t postfix/tagged 2>/dev/null
await_log 'postfix/tagged'
stop
grep -v '^[A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]* box postfix/' "$log" "$log".2* && fail "lines of another host"

rmdir "$scratch/i/spool/corrupt"
chmod 777 "$scratch/i/spool/private"
"$postern" -c "$etc" check >"$scratch/out" 2>&1 && fail "check finds nothing"
grep -q '/spool/corrupt: No such file' "$scratch/out" || fail "corrupt: $(cat "$scratch/out")"
grep -q '/spool/private: has other permissions' "$scratch/out" || fail "private: $(cat "$scratch/out")"
own_commands
sed -i "s|^command_directory.*|command_directory = $commands|" "$etc/main.cf"
"$postern" -c "$etc" set-permissions >"$scratch/out" 2>&1 || fail "set-permissions: $(cat "$scratch/out")"
"$postern" -c "$etc" check >"$scratch/out" 2>&1 || fail "check after set-permissions: $(cat "$scratch/out")"

echo 'testd_patience = soon' >>"$etc/main.cf"
"$postern" -c "$etc" check >"$scratch/out" 2>&1 && fail "check takes a bad value"
grep -q 'testd_patience = soon: expected' "$scratch/out" || fail "check: $(cat "$scratch/out")"
"$postern" -c "$etc" start >"$scratch/out" 2>&1 && fail "start takes a bad value"
grep -q 'testd_patience = soon: expected' "$scratch/out" || fail "start: $(cat "$scratch/out")"
"$postern" -c "$scratch/nowhere" start >"$scratch/out" 2>&1 && fail "start without a configuration"
exit 0
