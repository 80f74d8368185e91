#!/bin/bash
# bounce(8) dies at each step of making a notice, before it and after it: the notice comes, and comes
# once. And a queue manager ends (a reload, kill -9) while a notice is made: its successor asks for the
# same notice again, of another process.
. "$(dirname "$0")/chaos.bash"
case $build in *asan*) echo "a preloaded library and the address sanitizer do not mix"; exit 77 ;; esac
points=11
preload=$build/tests/fault/preload
make_relay
mkdir "$scratch/lib" "$scratch/state"
chmod 777 "$scratch/state"
for program in "$build"/libexec/*; do ln -s "$program" "$scratch/lib/"; done
rm "$scratch/lib/bounce"
# Each process takes one fault: "MODE N" of tests/fault/preload/disk.c, or a signal to itself when it
# would tell the queue manager of the notice.
cat >"$scratch/lib/bounce" <<END
#!/bin/sh
for fault in "$scratch/state"/*; do
	rm "\$fault/token" 2>/dev/null || continue
	read -r mode at <"\$fault/what"
	case \$mode in
	KILL | STOP) export LD_PRELOAD="$preload/talk.so" TALK_TYPE=1 TALK_TO=public/qmgr TALK_SIGNAL=\$mode TALK_TOKEN="\$fault/talk" ;;
	*) export LD_PRELOAD="$preload/disk.so" FAULT_MODE=\$mode FAULT_AT=\$at ;;
	esac
	break
done
exec "$build/libexec/bounce" "\$@"
END
chmod 755 "$scratch/lib/bounce"
fault() { # fault MODE [N]
	mkdir -m 777 "$scratch/state/$1.${2-0}"
	echo "$1 ${2-0}" >"$scratch/state/$1.${2-0}/what"
	: >"$scratch/state/$1.${2-0}/talk"
	: >"$scratch/state/$1.${2-0}/token"
}
sed -i "s|^daemon_directory.*|daemon_directory = $scratch/lib|" "$etc/main.cf"
cat >>"$etc/main.cf" <<END
transport_maps = inline:{ {never.test = error:5.0.0 no} }
notify_classes = bounce
bounce_notice_recipient = master@up.test
END
start_sink
mail() { printf 'Subject: x\n\ntext\n' | "$bin/sendmail" -i -f "back-$1@up.test" "r$1@never.test" || fail "sendmail"; }
notices() { sed -n 's/^Final-Recipient: rfc822; *r\([a-z0-9-]*\)@never.test.\{0,1\}$/\1/p' "$dump" | sort; }
# of each message one to its sender and one to the postmaster
all_there() { "$postern" -c "$etc" flush; [ "$(notices | sort -u | wc -l)" = "$1" ] && [ "$(notices | wc -l)" -ge $((2 * $1)) ]; }
once() { # once WHAT MESSAGES
	await 30 all_there "$2" || fail "$1: no notice: $(comm -3 <(notices | uniq) <(seq "$2" | sort)) $("$bin/mailq")"
	await_empty 30
	[ -z "$(notices | uniq -c | awk '$1 != 2')" ] || fail "$1: not each twice: $(notices | uniq -c | awk '$1 != 2')"
	[ -z "$(find "$spool/bounce" -type f)" ] || fail "$1: logs are left"
}

n=0 before=0
for limit in 102400 0; do # notices are records of the journal; files
	sed -i "/^bounce  *unix/d" "$etc/master.cf"
	# one at a time: each takes its fault, and the next one what it left
	echo "bounce unix - - n - 1 bounce -o journal_message_limit=$limit" >>"$etc/master.cf"
	rm -rf "$scratch/state"/*
	start # (which runs each program once, to check its settings)
	for at in $(seq $points); do fault die "$at"; fault after "$at"; done
	fault KILL
	for _ in $(seq 25); do n=$((n + 1)); mail $n; done
	once "journal_message_limit $limit" $n
	deaths=$(count_logged 'bounce pid.*\(exit status 99\|killed by signal 9\)')
	echo "journal_message_limit $limit: $((deaths - before)) deaths"
	[ $((deaths - before)) -gt 15 ] || fail "only $((deaths - before)) of $((2 * points + 1)) faults"
	before=$deaths
	stop
done

# stopped when the notice is in the queue; another queue manager wants it, too
one_stopped() {
	for pid in $(children); do
		grep -q '^State:.T' "/proc/$pid/status" 2>/dev/null && return
	done
	return 1
}
qmgr_pid() { pgrep -P "$(master_pid)" -x qmgr; }
sed -i "s/^\(bounce  *unix.*\) 1 bounce.*/\1 0 bounce/" "$etc/master.cf"
for how in reload kill; do
	rm -rf "$scratch/state"/*
	start
	fault STOP
	n=$((n + 1))
	mail $n
	await 20 one_stopped || fail "nobody is stopped"
	old=$(qmgr_pid) stopped=$pid
	if [ $how = reload ]; then reload; else kill -9 "$old"; fi
	renewed() { [ -n "$(qmgr_pid)" ] && [ "$(qmgr_pid)" != "$old" ]; }
	await 30 renewed || fail "no new queue manager"
	wants() { [ "$(pgrep -c -P "$(master_pid)" -x bounce)" -gt 1 ]; }
	await 30 wants || fail "nobody asks for the notice again"
	kill -$([ $how = reload ] && echo CONT || echo KILL) "$stopped"
	once "$how" $n
	stop
done
grep -E 'panic|fatal' "$log" && fail "panics"
exit 0
