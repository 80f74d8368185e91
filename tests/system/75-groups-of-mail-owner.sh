#!/bin/bash
# Started by root, processes become mail_owner with all groups of that user: sockets of other packages
# (saslauthd, policy servers) are opened to a group. /etc/group is another one for the instance only.
. "$(dirname "$0")/service.bash"
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
id postfix >/dev/null 2>&1 || { echo "there is no user postfix"; exit 77; }
unshare -m true 2>/dev/null || { echo "no mount namespaces here"; exit 77; }
init_instance "$scratch/i"
"$build/bin/postconf" -c "$etc" -e 'mail_owner = postfix' || fail "postconf"
chown -R postfix "$scratch/i/spool" "$scratch/i/data" 2>/dev/null
grep -v '^postern-test' /etc/group >"$scratch/group"
printf '%s\n' 'postern-test1:x:64321:postfix' 'postern-test2:x:64322:root,postfix' 'postern-test3:x:64323:root' >>"$scratch/group"
unshare -m bash -c 'mount --make-rprivate / && mount --bind "$1/group" /etc/group && exec "$2" -c "$3" start' \
	- "$scratch" "$postern" "$etc" >"$scratch/start.out" 2>&1 || fail "start: $(cat "$scratch/start.out")"
groups_of() { # groups_of PROGRAM
	for pid in $(children); do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ] && sed -n 's/^Groups:[[:space:]]*//p' "/proc/$pid/status"
	done
}
wanted=$(id -g postfix)
qmgr_has() { [ "$(groups_of qmgr | tr ' ' '\n' | grep . | sort -n | tr '\n' ' ')" = "$1" ]; }
await 5 qmgr_has "$wanted 64321 64322 " || fail "groups of qmgr: $(groups_of qmgr), not $wanted 64321 64322"
grep -e panic -e fatal "$log" && fail "a process died"
exit 0
