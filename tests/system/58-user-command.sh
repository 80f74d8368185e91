#!/bin/bash
# postern user: users of a table are added, changed, taken away; beside smtpd processes that read it; two
# writers at a time; what the file looks like, whose it is, and what the command says when it cannot.
. "$(dirname "$0")/service.bash"
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
init_instance "$scratch/i"
users=$etc/users
user() { # user PASSWORD ARGUMENT...
	local password=$1
	shift
	echo "$password" | "$postern" -c "$etc" user "$@" >"$scratch/out" 2>&1
}
talk() { timeout 120 python3 tests/system/helpers/auth_client.py "$PORT1" "$@"; }
# shellcheck disable=SC2086
answers() { [ "$(talk login PLAIN $1)" = "$2" ]; }
wanted() { # wanted LOGIN ANSWER: processes see within a second that the table has changed
	await 3 answers "$1" "$2" || fail "$1: $(talk login PLAIN $1), not $2"
}
yes="235 2.7.0 Authentication successful"
no="535 5.7.8 Error: authentication failed: authentication failure"

# without a table in main.cf one has to be named
user secret add joe && fail "added to no table"
grep -q 'smtpd_sasl_type is not table' "$scratch/out" || fail "$(cat "$scratch/out")"
"$build/bin/postconf" -c "$etc" -e 'smtpd_sasl_auth_enable = yes' 'smtpd_sasl_type = table' "smtpd_sasl_path = lmdb:$users" \
	'smtpd_client_event_limit_exceptions =' 'smtpd_relay_restrictions = permit_sasl_authenticated, reject'
printf '%s\n' '# people' 'old {PLAIN}old' '  user=Boss' '# more' '' 'Mixed {PLAIN}x' >"$users"
chmod 640 "$users"
"$build/bin/postmap" "lmdb:$users"
[ "$(id -u)" != 0 ] || chgrp "$(id -g "$("$build/bin/postconf" -c "$etc" -h mail_owner)")" "$users" "$users.lmdb"
start
wanted 'joe secret' "$no"
user secret add joe || fail "add: $(cat "$scratch/out")"
wanted 'joe secret' "$yes"
user other add JOE && fail "added twice"
grep -q "user JOE is there already" "$scratch/out" || fail "$(cat "$scratch/out")"
user new change joe || fail "change: $(cat "$scratch/out")"
wanted 'joe new' "$yes"
wanted 'joe secret' "$no"
user newer change old || fail "change: $(cat "$scratch/out")"
grep -q '^old.*SCRAM-SHA-256.* user=Boss$' "$users" || fail "user= is lost: $(cat "$users")"
user '' disable joe || fail "disable: $(cat "$scratch/out")"
wanted 'joe new' "$no"
user '' enable joe || fail "enable: $(cat "$scratch/out")"
wanted 'joe new' "$yes"
user secret add ann@x.test -m '$6$' && fail "an option behind the name"
user secret -m '$6$' add ann@x.test || fail "add: $(cat "$scratch/out")"
user '' list || fail "list: $(cat "$scratch/out")"
cat >"$scratch/listed" <<'END'
old                            $y$ SCRAM-SHA-256 user=Boss
Mixed                          plain
joe                            $y$ SCRAM-SHA-256
ann@x.test                     $6$ SCRAM-SHA-256
END
cmp -s "$scratch/listed" "$scratch/out" || fail "list: $(diff "$scratch/listed" "$scratch/out")"
user newer verify old || fail "verify: $(cat "$scratch/out")"
grep -qx 'Boss: the password is right' "$scratch/out" || fail "verify: $(cat "$scratch/out")"
user wrong verify old && fail "verified"
user wrong verify nobody && fail "verified"
user '' delete mixed || fail "delete: $(cat "$scratch/out")"
user '' delete mixed && fail "deleted twice"
grep -q 'user mixed is not there' "$scratch/out" || fail "$(cat "$scratch/out")"
[ "$(head -1 "$users")" = '# people' ] && grep -qx '# more' "$users" || fail "comments are lost: $(cat "$users")"
[ "$(stat -c %a "$users") $(stat -c %a "$users.lmdb")" = '640 640' ] || fail "modes: $(ls -l "$users"*)"

# many at a time, while others log in: nothing is lost, and nobody is refused
talk load 30 joe new >"$scratch/load" 2>&1 &
load=$!
writers=()
for i in 1 2 3 4; do
	for k in 1 2 3; do echo secret | "$postern" -c "$etc" user -m '$6$' add "u$i$k" || echo "u$i$k"; done >"$scratch/writer$i" 2>&1 &
	writers+=($!)
done
wait "${writers[@]}"
wait $load || fail "logins beside writers: $(cat "$scratch/load")"
[ ! -s "$scratch/writer1" ] && [ ! -s "$scratch/writer4" ] || fail "writers: $(cat "$scratch"/writer*)"
[ "$(grep -c '^u[1-4][1-3]' "$users")" = 12 ] || fail "users are lost: $(cut -c1-20 "$users")"
wanted 'u43 secret' "$yes"
ls "$etc" | grep -q 'users\.[A-Za-z0-9]\{6\}$' && fail "files are left: $(ls "$etc")"

# root's own tables: opened before rights are given up; a process that cannot read a new one makes way
if [ "$(id -u)" = 0 ]; then
	chown root:root "$users" "$users.lmdb"
	chmod 600 "$users" "$users.lmdb"
	reload || fail "reload: $(cat "$scratch/reload.out")"
	wanted 'joe new' "$yes"
	user roots change joe || fail "change: $(cat "$scratch/out")"
	wanted 'joe roots' "$yes"
fi

# a table that is read as it is; a new file is nobody else's to read
user secret -f "texthash:$etc/second" add joe || fail "texthash: $(cat "$scratch/out")"
case $(stat -c %a "$etc/second") in 600 | 640) ;; *) fail "mode of a new file: $(stat -c %a "$etc/second")" ;; esac
user secret -f "texthash:$etc/second" verify joe || fail "verify: $(cat "$scratch/out")"
chmod 644 "$etc/second"
user secret -f "texthash:$etc/second" change joe && grep -q 'everybody may read it' "$scratch/out" || fail "mode 644: $(cat "$scratch/out")"
user secret -f "pcre:$etc/second" add x && fail "a table of patterns"
grep -q 'expected one table, lmdb:/path or texthash:/path' "$scratch/out" || fail "$(cat "$scratch/out")"
user secret -f "texthash:$etc/none/such" add x && fail "no folder"
user '' add joe2 && fail "an empty password"
[ "$(echo secret | "$postern" user plain | cut -f1)" = plain ] || fail "a line for a table"
echo secret | "$postern" user -m '$2b$' x | grep -q '^x.\$2b\$10\$' || fail "the cost of bcrypt"
user '' nothing of it && fail "no such verb"
grep -e panic -e fatal "$log" && fail "a process died"
exit 0
