#!/bin/bash
# A process dies between what it wrote into the queue and its word to the queue manager (smtpd: behind
# the 250 that its client has). With the default queue_run_delay of five minutes the mail goes on at
# once all the same, once.
. "$(dirname "$0")/chaos.bash"
case $build in *asan*) echo "a preloaded library and the address sanitizer do not mix"; exit 77 ;; esac
make_relay
sed -i '/^queue_run_delay/d; /^minimal_backoff/d; /^maximal_backoff/d' "$etc/main.cf"
start_sink
mkdir "$scratch/lib" "$scratch/tokens"
chmod 777 "$scratch/tokens"
for program in "$build"/libexec/*; do ln -s "$program" "$scratch/lib/"; done
rm "$scratch/lib/smtpd"
cat >"$scratch/lib/smtpd" <<END
#!/bin/sh
export LD_PRELOAD="$build/tests/fault/preload/talk.so" TALK_TYPE=1 TALK_TO=public/qmgr TALK_TOKEN="$scratch/tokens/smtpd"
exec "$build/libexec/smtpd" "\$@"
END
chmod 755 "$scratch/lib/smtpd"
sed -i "s|^daemon_directory.*|daemon_directory = $scratch/lib|" "$etc/main.cf"
start
died() { [ "$(count_logged "process .*/smtpd pid [0-9]* killed by signal 9")" = "$1" ]; }
at_once() { # at_once WHAT: long before a queue run
	await 60 all_arrived || fail "$1: not delivered: $(tail -n 5 "$log")"
	await_empty 60
	[ "$(duplicates)" = 0 ] || fail "$1: delivered twice"
}

source_mail -m 10 -s 1 -f from@sender.test -t to@up.test || fail "smtp-source"
at_once "without a fault"
for round in 1 2 3; do
	: >"$scratch/tokens/smtpd"
	# the server's death shows in what the client says next, but it has its 250
	smtp_open 3 || fail "no greeting"
	smtp 3 "MAIL FROM:<from@sender.test>" && smtp 3 "RCPT TO:<to@up.test>" && smtp 3 DATA || fail "dialogue: $answer"
	printf '%s\r\n' "X-Token: untold.$round" "Subject: x" "" "text" >&3
	smtp 3 . || fail "no answer"
	case $answer in 250*) echo "untold.$round 0" >>"$accepted" ;; *) fail "answer: $answer" ;; esac
	exec 3>&-
	await 30 died $round || fail "smtpd lives"
	at_once "smtpd"
done
stop
grep -E 'panic|fatal' "$log" && fail "panics"
exit 0
