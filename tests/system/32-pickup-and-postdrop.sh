#!/bin/bash
# Mail that is still being handed over is left alone by pickup, and taken when it is complete.
. "$(dirname "$0")/submit.bash"
make_instance discard
start
unfinished=$spool/maildrop/ABCDEF12345
(umask 077 && echo unfinished >"$unfinished") # as postdrop begins: its owner's alone, no x bit
for n in 1 2 3; do
	printf 'Subject: x\n\ntext\n' | "$bin/sendmail" -f "s$n@x.example" r@y.example || fail "sendmail"
done
await 15 eval '[ "$(grep -c "status=sent" "$log")" = 3 ]' || fail "not delivered"
[ -f "$unfinished" ] || fail "an unfinished message was taken: $(grep maildrop "$log")"
# many at once, by many
for n in $(seq 40); do
	printf 'Subject: x\n\ntext\n' | "$bin/sendmail" -f "s$n@x.example" r@y.example &
done
wait
await 15 eval '[ "$(grep -c "status=sent" "$log")" = 43 ]' || fail "lost: $(ls "$spool/corrupt")"
stop
