#!/bin/bash
# postqueue, postsuper and postcat on mail in every state.
. "$(dirname "$0")/submit.bash"
make_instance "retry:4.3.2 waiting"
expect 69 'mail system is down' "$bin/postqueue" -f
start
for n in 1 2 3 4; do printf 'Subject: m%d\n\ntext %d\n' $n $n | "$bin/sendmail" -f s$n@x.example r$n@y.example a@y.example; done
deferred_is() { [ "$("$bin/postqueue" -j | grep -c '"queue_name": "deferred"')" = "$1" ]; }
await 15 deferred_is 4 || fail "not deferred: $("$bin/mailq")"
id_of() { "$bin/postqueue" -j | grep "\"s$1@x.example\"" | sed 's/.*"queue_id": "\([^"]*\)".*/\1/' | sort -u; }

# the text form, as the Postfix tools read it
"$bin/postqueue" -p >"$scratch/p" || fail "postqueue -p: $?"
[ "$(head -n 1 "$scratch/p")" = '-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------' ] || fail "$(cat "$scratch/p")"
[ "$(grep -c '(waiting)$' "$scratch/p")" = 4 ] || fail "a reason per message: $(cat "$scratch/p")"
grep -q '^-- 1 Kbytes in 4 Requests\.$' "$scratch/p" || fail "$(cat "$scratch/p")"
"$bin/postqueue" -j >"$scratch/j"
grep -q "^{\"queue_name\": \"deferred\", \"queue_id\": \"$(id_of 1)\", \"arrival_time\": [0-9]*, \"message_size\": [0-9]*, \"forced_expire\": false, \"sender\": \"s1@x.example\", \"recipients\": \[{\"address\": \"r1@y.example\", \"delay_reason\": \"waiting\"}, {\"address\": \"a@y.example\", \"delay_reason\": \"waiting\"}\]}$" "$scratch/j" || fail "$(cat "$scratch/j")"

# hold and release
one=$(id_of 1) two=$(id_of 2) three=$(id_of 3)
expect 0 "$one: placed on hold" "$bin/postsuper" -h "$one"
expect 0 'Placed on hold: 0 messages' "$bin/postsuper" -h "$one"
state_is "$one" hold || fail "not on hold"
expect 0 "^$one! " "$bin/mailq"
expect 0 '' "$bin/postqueue" -f
expect 0 "$one: released from hold" "$bin/postsuper" -H "$one"
await 15 state_is "$one" deferred || fail "not released"

# requeue: a new id, the same message
"$bin/postcat" -bhq "$two" >"$scratch/before"
expect 0 'Requeued: 1 message$' "$bin/postsuper" -r "$two"
# on its way it has yet another id, and may be listed under both
renamed() { new=$(id_of 2) && [ "$(wc -w <<<"$new")" = 1 ] && [ "$new" != "$two" ] && state_is "$new" deferred; }
await 15 renamed || fail "not requeued: $("$bin/mailq")"
await_log "from=<s2@x.example> orig_id=$two"
await 15 deferred_is 4 || fail "not deferred: $("$bin/mailq")"
"$bin/postcat" -bhq "$new" >"$scratch/after"
cmp "$scratch/before" "$scratch/after" || fail "requeueing changes: $(diff "$scratch/before" "$scratch/after")"

# expire, delete
expect 0 "$three: expired" "$bin/postsuper" -e "$three"
expect 0 "^$three# " "$bin/mailq"
echo "$three" | expect 0 "$three: removed" "$bin/postsuper" -d -
expect 0 'Deleted: 0 messages' "$bin/postsuper" -d "$three"
expect 0 'invalid mail queue id' "$bin/postsuper" -d '../x'
expect 64 'invalid directory name' "$bin/postsuper" -d ALL nowhere
expect 0 'Deleted: 0 messages' "$bin/postsuper" -d ALL hold
expect 0 'Deleted: 3 messages' "$bin/postsuper" -d ALL
expect 0 'Mail queue is empty' "$bin/mailq"
[ -z "$(find "$spool/defer" "$spool/bounce" -type f)" ] || fail "logs are left: $(find "$spool/defer" -type f)"

# new mail is in the journal: seen, held, deleted there
stop
cp "$etc/master.cf" "$scratch/master.cf"
sed -i '/^qmgr/d' "$etc/master.cf"
start
for n in 5 6 7; do echo x | "$bin/sendmail" -f s$n@x.example r$n@y.example; done
await 15 count_is 3 || fail "journal: $("$bin/mailq")"
picked_up() { [ -z "$(find "$spool/maildrop" -type f)" ]; }
await 15 picked_up || fail "left in maildrop"
five=$(id_of 5) six=$(id_of 6)
state_is "$five" active || fail "not shown as active: $("$bin/mailq")"
expect 0 "^$five\*" "$bin/mailq"
expect 0 '^recipient: r5@y.example' "$bin/postcat" -q "$five"
expect 0 "$five: placed on hold" "$bin/postsuper" -h "$five"
state_is "$five" hold || fail "not on hold"
expect 0 "$six: removed" "$bin/postsuper" -d "$six"
await 5 count_is 2 || fail "$("$bin/mailq")"
stop

# hashing changes: files find their places again
echo 'hash_queue_names = hold' >>"$etc/main.cf"
expect 0 "renamed file hold/$five as hold/[0-9A-F]/$five" "$bin/postsuper" -s
echo 'hash_queue_names =' >>"$etc/main.cf"
expect 0 "renamed file hold/[0-9A-F]/$five as hold/$five" "$bin/postsuper" -s
[ "$(find "$spool/hold" -mindepth 1 -type d | wc -l)" = 0 ] || fail "empty directories are left"
# a log of a message that is gone goes; those of a message whose file is anywhere stay
mkdir -p "$spool/hold/Z"
touch -d '3 days ago' "$spool/incoming/tmp.x" "$spool/maildrop/123.456" "$spool/hold/Z/0A0B0C0D0E0F1" \
	"$spool"/{defer,bounce}/{$five,0A0B0C0D0E0F1,0A0B0C0D0E0F2}
touch "$spool/trace/0A0B0C0D0E0F2"
expect 0 'removed file bounce/0A0B0C0D0E0F2' "$bin/postsuper" -p bounce
(cd "$spool" && ls defer/{$five,0A0B0C0D0E0F1,0A0B0C0D0E0F2} bounce/{$five,0A0B0C0D0E0F1} trace/0A0B0C0D0E0F2 >/dev/null) || fail "too much removed"
expect 0 'removed file incoming/tmp.x' "$bin/postsuper" -p
[ -e "$spool/maildrop/123.456" ] && fail "leftover in maildrop"
"$bin/postcat" "$spool/hold/$five" >"$scratch/out" || fail "postcat FILE"
grep -q '^sender: s5@x.example' "$scratch/out" || fail "postcat FILE: $(cat "$scratch/out")"
"$bin/postcat" <"$spool/hold/$five" | grep -q '^sender: s5@x.example' || fail "postcat with a pipe"
expect 1 'not a valid queue file' "$bin/postcat" "$etc/main.cf"
expect 1 'No such file' "$bin/postcat" -q AAAAAAA

# nobody picks it up: what mailq shows is what -d ALL deletes
"$bin/postsuper" -d ALL >/dev/null 2>&1
printf 'x\n' | "$bin/sendmail" -f s9@x.example r9@x.example || fail "sendmail: $?"
expect 0 'Placed on hold: 0 messages' "$bin/postsuper" -h ALL
expect 0 'Deleted: 1 message$' "$bin/postsuper" -d ALL
[ -z "$(ls "$spool/maildrop")" ] || fail "left in maildrop"
exit 0
