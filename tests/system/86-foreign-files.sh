#!/bin/bash
# What does not belong there, in every folder of the queue: empty, garbled, cut off, newer and foreign
# files, links, pipes, folders, names that are none; logs of real messages that are garbage. Mail goes
# on, the commands work, what is no mail is left alone or set aside, and nothing behind a link changes.
. "$(dirname "$0")/chaos.bash"
make_relay
cat >>"$etc/main.cf" <<END
transport_maps = inline:{ {bad.test=error:5.1.1 not here} }
relay_domains = relay.test
END
sed -i 's/\(_backoff_time\) = .*/\1 = 1000s/' "$etc/main.cf"
precious=$scratch/precious
echo 'not to be touched' >"$precious"
chmod 644 "$precious"
# what the mail system could remove, were it to follow a link to it
prey=$scratch/prey
mkdir -p "$prey/A"
for file in "$prey/3F0ED1A2B3C" "$prey/A/A0000000001"; do echo 'not to be touched' >"$file"; done
chown -R "$(stat -c %u "$spool/deferred")" "$prey" && chmod -R 700 "$prey"
dirs="maildrop incoming active deferred hold corrupt bounce defer trace flush saved journal"
deferred_is() { [ "$("$bin/postqueue" -j | grep -c '"queue_name": "deferred"')" = "$1" ]; }
mail() { printf 'X-Token: %s\nSubject: x\n\ntext\n' "$1" | "$bin/sendmail" -f "$2" "$3" || fail sendmail; }

start # nobody listens
for n in 1 2 3 4; do
	mail "real.$n" "s@bad.test" "r$n@relay.test"
	echo "real.$n 0" >>"$accepted"
done
await 15 deferred_is 4 || fail "not deferred"
real=$(find "$spool/deferred" -type f | head -n 1)
cp -p "$real" "$scratch/sample"
number=0
new_id() { number=$((number + 1)); id=$(printf '%05X%07X' $((number * 4099 % 1048576)) $((number + 65536))); }
litter() { # litter DIR: into the folder, and where the hash puts it
	local dir=$spool/$1 at how
	for how in empty garbage cut newer text link dangling pipe folder two-names; do
		new_id
		at=$dir
		if [ "$1" = deferred ] || [ "$1" = defer ]; then
			at=$dir/${id:0:1}
			mkdir -p "$at"
		fi
		case $how in
		empty) : >"$at/$id" ;;
		garbage) head -c 3000 /dev/urandom >"$at/$id" ;;
		cut) head -c 200 "$scratch/sample" >"$at/$id" ;;
		newer)
			cp "$scratch/sample" "$at/$id"
			"$build/tests/system/helpers/fillqueue" newer "$at/$id" || fail "fillqueue"
			;;
		text) printf 'From a\n\nno queue file %0300d\n' 7 >"$at/$id" ;;
		link) ln -s "$precious" "$at/$id" ;;
		dangling) ln -s "$scratch/nowhere" "$at/$id" ;;
		pipe) mkfifo "$at/$id" ;;
		folder) mkdir "$at/$id" ;;
		two-names) echo x >"$at/$id" && ln "$at/$id" "$at/${id}F" ;;
		esac
		[ -L "$at/$id" ] || chmod 700 "$at/$id"
	done
	echo foreign >"$dir/core"
	echo foreign >"$dir/.hidden"
	echo foreign >"$dir/with blank"
	echo foreign >"$dir/$(printf 'new\nline')"
	echo foreign >"$dir/$(printf '%0200d' 1)"
	echo foreign >"$dir/00"
	ln -sfn "$scratch" "$dir/Z"
	ln -sfn "$prey" "$dir/X"
	mkdir -p "$dir/Y/Y/Y/Y/Y/Y"
	echo foreign >"$dir/Y/Y/Y/Y/Y/Y/3F0ED1A2B3C"
}
for dir in $dirs; do
	[ "$dir" = journal ] || litter "$dir"
done
# the journal is the mail system's own: what is no lane there is not looked at
for name in core 'with blank' .hidden zz 3F0ED1A2B3C index.old; do echo foreign >"$spool/journal/$name"; done
mkdir "$spool/journal/07" 2>/dev/null
ln -s "$precious" "$spool/journal/06" 2>/dev/null
mkfifo "$spool/journal/05" 2>/dev/null
# the logs and records of real messages
for file in $(find "$spool/defer" -type f -name "$(basename "$real")"); do head -c 2000 /dev/urandom >"$file"; done
head -c 2000 /dev/urandom >"$spool/bounce/$(basename "$real")"
head -c 2000 /dev/urandom >"$spool/flush/relay_test"
[ "$(id -u)" != 0 ] || chown -R --reference="$scratch/sample" --no-dereference "$spool"/{incoming,active,deferred,hold,corrupt,bounce,defer,trace,flush,saved}

bounded() { # bounded COMMAND...: ends soon, by itself and without a crash
	timeout 120 "$@" >"$scratch/out" 2>&1 </dev/null
	local status=$?
	[ "$status" -lt 124 ] || fail "$*: status $status: $(tail -n 5 "$scratch/out")"
}
bounded "$bin/mailq"
bounded "$bin/postqueue" -j
bounded "$bin/postqueue" -s relay.test
bounded "$bin/postqueue" -i "$id"
for dir in $dirs; do
	for file in "$spool/$dir"/* "$spool/$dir"/?/*; do
		[ -f "$file" ] && [ ! -L "$file" ] && bounded "$bin/postcat" "$file"
	done
done
[ ! -x "$bin/qshape" ] || for dir in deferred active incoming hold; do bounded "$bin/qshape" "$dir"; done
bounded "$postern" -c "$etc" check
bounded "$postern" -c "$etc" reload
start_sink
bounded "$bin/postqueue" -f
await_all 20
source_mail -m 20 -t after@relay.test || fail "smtp-source: $(tail -n 3 "$scratch/source.out")"
await_all 20
[ "$(count_logged 'moved to the corrupt queue')" -ge 12 ] || fail "set aside: $(count_logged 'moved to the corrupt queue')"
# a bounce with litter around it
mail bounced "s@relay.test" "nobody@bad.test"
await 15 logged 'to=<s@relay.test>.*status=sent' || fail "no notice"
bounded "$bin/postsuper" -p
bounded "$bin/postsuper" -s
stop
start # as after a restart, with all of it there
source_mail -m 5 -t again@relay.test
await_all 20
bounded "$bin/postsuper" -H ALL
bounded "$bin/postsuper" -r ALL
bounded "$bin/postsuper" -d ALL
source_mail -m 5 -t last@relay.test
await_all 20
stop
[ "$(cat "$precious")" = 'not to be touched' ] && [ "$(stat -c %a "$precious")" = 644 ] || fail "what a link points at was changed"
[ "$(cat "$prey/3F0ED1A2B3C" "$prey/A/A0000000001" | grep -c 'not to be touched')" = 2 ] || fail "what is behind a linked folder was taken: $(find "$prey")"
[ ! -e "$scratch/nowhere" ] || fail "made what a dangling link names"
[ "$(duplicates)" = 0 ] || fail "$(duplicates) duplicates"
grep -E 'panic|fatal|killed by' "$log" && fail "panics"
exit 0
