#!/bin/bash
# main.cf and master.cf as real projects ship them: postconf reads them as Postfix's does, check says
# little, and the system starts with what this version has.
. "$(dirname "$0")/submit.bash"
configs=../shared/data/configs
[ -d $configs ] || { echo "$configs is not there"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "the files name the users of a host: needs root"; exit 77; }
owner=
for name in postern postfix nobody; do [ -z "$owner" ] && getent passwd "$name" >/dev/null && owner=$name; done
group=
for name in postdrop nogroup; do [ -z "$group" ] && getent group "$name" >/dev/null && group=$name; done
pf() { timeout 120 postconf -c "$etc" "$@" 2>/dev/null; }
po() { timeout 120 "$bin/postconf" -c "$etc" "$@" 2>"$scratch/err"; }

for dir in "$configs"/*/; do
	what=$(basename "$dir")
	base=$scratch/$what
	etc=$base/etc log=$base/mail.log
	export MAIL_CONFIG=$etc
	mkdir -p "$base/spool" "$base/data"
	chown "$owner" "$base/data"
	chmod 700 "$base/data"
	cp -r "$dir" "$etc"
	# the same as Postfix's own postconf, where that is installed and understands the file
	if [ -x /usr/sbin/postconf ] && pf -n >"$scratch/pf"; then
		for option in -n -M -P -Mf -nf; do
			pf $option >"$scratch/pf"
			po $option >"$scratch/po" || fail "$what: postconf $option: $(cat "$scratch/err")"
			diff "$scratch/pf" "$scratch/po" >"$scratch/diff" || fail "$what: postconf $option: $(head -n 10 "$scratch/diff")"
		done
	fi
	grep -q 'PH_[A-Z]' "$etc/master.cf" && options='-n -d' || options='-n -d -x -M -P -F'
	for option in $options; do po $option >/dev/null || fail "$what: postconf $option: $(cat "$scratch/err")"; done
	own_commands
	sed -i '/^\(queue\|data\|daemon\|command\)_directory\|^maillog_file\|^mail_owner\|^setgid_group\|^inet_interfaces/d' "$etc/main.cf"
	cat >>"$etc/main.cf" <<-END
	queue_directory = $base/spool
	data_directory = $base/data
	daemon_directory = $build/libexec
	command_directory = $commands
	maillog_file = $log
	maillog_file_prefixes = $base
	mail_owner = $owner
	setgid_group = $group
	inet_interfaces = 127.0.0.1
	END
	# the ports are taken from the host's own: none of them is bound here
	sed -i 's/^[a-z0-9.:]*[[:space:]]\{1,\}inet/#&/' "$etc/master.cf"
	sed -i '/^#.*inet/,/^[^[:space:]#]/{/^[[:space:]]/d}' "$etc/master.cf"
	"$bin/postern" -c "$etc" set-permissions >"$scratch/out" 2>&1
	"$bin/postern" -c "$etc" check >"$scratch/out" 2>&1
	status=$?
	if grep -q 'PH_[A-Z]' "$etc/main.cf"; then # a template: the first bad value is named
		[ $status = 0 ] && fail "$what: a template passes"
		grep -q "main.cf: line [0-9]*: .*PH_.*: expected" "$scratch/out" || fail "$what: $(cat "$scratch/out")"
		continue
	fi
	[ $status = 0 ] || fail "$what: check: $(cat "$scratch/out")"
	# (certificates of these hosts are not here, nor the types of some of their tables, nor filters; and
	# Postfix says of old names what we say)
	[ "$(grep -vcE '^postfix/master: warning: .*(No such file|is not supported by this version|mail is taken WITHOUT this filter)|^postconf: warning: .*: support for parameter "[a-z_]*" will be removed; instead, ' "$scratch/out")" -le 6 ] || fail "$what: check is noisy: $(cat "$scratch/out")"
	[ -z "$(sort "$scratch/out" | uniq -d)" ] || fail "$what: check repeats itself: $(cat "$scratch/out")"
	start
	await 10 eval '[ "$("$bin/postqueue" -p)" = "Mail queue is empty" ]' || fail "$what: no answer"
	[ "$(grep -c 'are not part of this version' "$log")" -le 1 ] || fail "$what: repeats itself"
	grep -E 'fatal|panic|throttling' "$log" && fail "$what: unexpected lines"
	stop
done
exit 0
