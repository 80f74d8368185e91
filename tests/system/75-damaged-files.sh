#!/bin/bash
# Queue files and journal records that are cut off, garbled, empty, foreign or of a newer version, in
# every place: they are kept in corrupt/ with a line that says why, and the others are delivered.
. "$(dirname "$0")/chaos.bash"
make_relay --set journal_lane_size=1048576 --set journal_lane_count=2
sed -i 's/\(_backoff_time\) = .*/\1 = 1000s/' "$etc/main.cf"
start # no sink: everything stays
submit() { printf 'X-Token: %s\nSubject: x\n\ntext of %s\n' "$1" "$1" | "$bin/sendmail" -f s@example.net away@example.net || fail "sendmail"; }
state_count() { [ "$("$bin/postqueue" -j | grep -c "\"queue_name\": \"$1\"")" = "$2" ]; }
for n in $(seq 1 16); do submit "file.$n"; done
await 15 state_count deferred 16 || fail "not deferred: $("$bin/mailq" | tail -n 3)"
stop
files=($(find "$spool/deferred" -type f))
token() { grep -a -o 'X-Token: [a-z.0-9]*' "$1" | sed 's/X-Token: //'; }
damage() { # damage FILE HOW
	case $2 in
	short) truncate -s 100 "$1" ;;
	cut) truncate -s -5 "$1" ;;
	empty) : >"$1" ;;
	head) printf 'XX' | dd of="$1" bs=1 seek=20 conv=notrunc 2>/dev/null ;;
	content) printf 'XX' | dd of="$1" bs=1 seek=200 conv=notrunc 2>/dev/null ;;
	envelope) printf 'XX' | dd of="$1" bs=1 seek=$(($(stat -c %s "$1") - 10)) conv=notrunc 2>/dev/null ;;
	foreign) printf 'From somebody\n\nnot a queue file, but long enough to be one. %0200d\n' 0 >"$1" ;;
	newer) "$build/tests/system/helpers/fillqueue" newer "$1" || fail "fillqueue newer" ;;
	esac
}
bad=()
i=0
for how in short cut empty head content envelope foreign newer; do
	damage "${files[i]}" "$how"
	bad+=("$(basename "${files[i]}")")
	i=$((i + 1))
done
# the same in other places: from deferred/ to active/, incoming/ and hold/
for dir in active incoming hold; do
	damage "${files[i]}" content
	mv "${files[i]}" "$spool/$dir/"
	bad+=("$(basename "${files[i]}")")
	i=$((i + 1))
done
held=${bad[-1]}
# under another name; a folder, a link and a socket where files belong
other=$(basename "${files[i]}" | tr 0-9A-F 1-9A-F0)
mv "${files[i]}" "$spool/active/$other"
bad+=("$other")
i=$((i + 1))
mkdir "$spool/active/ABCDEF1234" "$spool/incoming/some.folder"
ln -s /etc/passwd "$spool/incoming/ABCDEF1235"
while [ "$i" -lt ${#files[@]} ]; do
	echo "$(token "${files[i]}") 0" >>"$accepted"
	i=$((i + 1))
done
[ "$(wc -l <"$accepted")" = 4 ] || fail "the test has no sound files"

# maildrop: taken while nobody picks up
for n in 1 2 3 4 5; do submit "drop.$n"; done
drops=($(find "$spool/maildrop" -type f))
damage "${drops[0]}" cut
damage "${drops[1]}" empty
damage "${drops[2]}" content
echo "$(token "${drops[3]}") 0" >>"$accepted"
echo "$(token "${drops[4]}") 0" >>"$accepted"

start_sink
start
"$postern" -c "$etc" flush
await_all 15
for id in "${bad[@]}"; do
	[ "$id" = "$held" ] && continue
	await 10 test -f "$spool/corrupt/$id" || fail "$id is not in corrupt/: $(find "$spool" -name "$id*")"
	grep -q "warning: .*$id.*corrupt" "$log" || fail "nothing is said about $id"
done
for text in 'cut off' 'only 0 bytes' 'damaged head' 'content is damaged' 'envelope is damaged' 'not a queue file' 'newer version' 'under another name'; do
	grep -q "$text" "$log" || fail "nobody says: $text"
done
for drop in "${drops[@]:0:2}"; do [ -f "$spool/corrupt/$(basename "$drop")" ] || fail "$drop is not in corrupt/"; done
"$bin/postsuper" -H "$held" 2>"$scratch/out" || fail "postsuper -H: $(cat "$scratch/out")"
await 10 test -f "$spool/corrupt/$held" || fail "$held is not in corrupt/"
rm -r "$spool/active/ABCDEF1234" "$spool/incoming/some.folder" "$spool/incoming/ABCDEF1235"
await_empty 10

# the journal: live records, without qmgr to take them
stop
cp "$etc/master.cf" "$scratch/master.cf"
sed -i '/^qmgr/d' "$etc/master.cf"
start
source_mail -m 12 -l 3000 -t lane@example.net
[ "$(tokens_accepted | wc -l)" = 18 ] || fail "accepted: $(wc -l <"$accepted")"
stop
lane=$spool/journal/00
at() { grep -a -b -o "X-Token: $1" "$lane" | head -n 1 | cut -d: -f1; }
poke() { printf 'ZZZZ' | dd of="$lane" bs=1 seek="$1" conv=notrunc 2>/dev/null; }
mapfile -t live < <(tail -n 12 "$accepted" | cut -d' ' -f1 | while read -r token; do
	[ -n "$(at "$token")" ] && echo "$token" # some may be in another lane
done)
[ ${#live[@]} -ge 6 ] || { echo "too few messages in the first lane: the rest was left out"; exit 77; }
lose() { sed -i "/^$1 /d" "$accepted"; }
# content, head, and (with the lane's head page) nothing else
poke "$(at "${live[2]}")"
lose "${live[2]}"
before=$(at "${live[5]}")
poke $((before / 512 * 512 - (before % 512 > 400 ? 0 : 0) + 20))
lose "${live[5]}"
poke 4 # the head page of the lane
rm -f "$spool/journal/index"
cp "$scratch/master.cf" "$etc/master.cf"
start
await_all 15
await_empty 10
await_log 'journal/00: damaged head, going on with epoch'
[ "$(grep -c 'journal/00: .*set aside as corrupt/' "$log")" -ge 2 ] || fail "not reported: $(grep journal/00 "$log")"
ls "$spool"/corrupt/*lane00* >/dev/null || fail "not set aside: $(ls "$spool/corrupt")"
for token in "${live[2]}" "${live[5]}"; do
	grep -aq "$token" "$spool"/corrupt/*lane00* || fail "$token is not kept"
	tokens_arrived | grep -q "$token" && fail "damaged mail was delivered"
done
# a state byte or status byte that makes no sense: rather delivered than lost
stop
sed -i '/^qmgr/d' "$etc/master.cf"
start
source_mail -m 2 -l 3000 -t lane@example.net
stop
mapfile -t live < <(tail -n 2 "$accepted" | cut -d' ' -f1)
record_of() { # the record's offset: the last head before the token
	local to
	to=$(at "$1")
	grep -a -b -o PstR "$lane" | cut -d: -f1 | awk -v to="$to" '$1 < to { at = $1 } END { print at }'
}
one=$(record_of "${live[0]}") two=$(record_of "${live[1]}")
length=$(od -An -t u8 -j $((two + 16)) -N 8 "$lane")
printf Z | dd of="$lane" bs=1 seek=$((one + 127)) conv=notrunc 2>/dev/null
printf Z | dd of="$lane" bs=1 seek=$((two + 128 + length)) conv=notrunc 2>/dev/null
cp "$scratch/master.cf" "$etc/master.cf"
start
await_all 15
await_empty 10
# damage under the running system, in finished records: nothing comes back, new mail flows
poke 4200
poke 9000
source_mail -m 12 -l 3000 -t lane@example.net
await_all 15
await_empty 10
[ "$(duplicates)" = 0 ] || fail "$(duplicates) duplicates"
# an index that lies, a lane that is no lane
stop
head -c 2000 /dev/urandom >"$spool/journal/index"
start
source_mail -m 12 -l 3000 -t lane@example.net
await_all 15
stop
for what in '' 'text that is no lane'; do
	rm -f "$spool"/journal/*
	printf '%s' "$what" >"$lane"
	start
	source_mail -m 5 -l 3000 -t lane@example.net
	await_all 15
	await_empty 10
	stop
done
# a lane that is no lane, or is missing, does not hide the one behind it
for what in empty missing; do
	rm -f "$spool"/journal/*
	sed -i '/^qmgr/d' "$etc/master.cf"
	start
	source_mail -m 5 -l 3000 -t lane@example.net
	stop
	cp -p "$lane" "$spool/journal/01"
	if [ "$what" = missing ]; then rm "$lane"; else : >"$lane"; fi
	cp "$scratch/master.cf" "$etc/master.cf"
	start
	await_all 15
	await_empty 10
	[ "$what" = missing ] || await_log 'warning: journal/00 is no journal lane'
	source_mail -m 5 -l 3000 -t lane@example.net
	await_all 15
	stop
done
[ "$(duplicates)" = 0 ] || fail "$(duplicates) duplicates"
whole 3000 lane@example.net
grep -E 'panic|fatal' "$log" && fail "panics"
exit 0
