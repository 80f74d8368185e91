#!/bin/bash
# A whole system under faults: the k-th process of each daemon dies at (or after, or fails in) its
# k-th call that changes the disk, while mail keeps coming in by SMTP and by sendmail. Then it is
# started again without faults: whatever was accepted is delivered whole, deferred or bounced, and
# nothing else is left.
. "$(dirname "$0")/../system/service.bash"
case $build in *asan*) echo "a preloaded library and the address sanitizer do not mix"; exit 77 ;; esac
preload=$build/tests/fault/preload/disk.so
state=$scratch/state accepted=$scratch/accepted sink=
end() {
	[ -n "$sink" ] && kill "$sink" 2>/dev/null
	cleanup
}
trap end EXIT
points="smtpd:10 pickup:10 qmgr:3 smtp:6 bounce:14 error:3"

init_instance "$scratch/i"
port=$PORT1
mkdir "$scratch/dump" "$state" "$scratch/lib"
chmod 777 "$scratch/dump"
(cd "$scratch/dump" && exec "$build/bin/smtp-sink" -O "$scratch/port" -d m. 127.0.0.1:0 50) >"$scratch/sink.out" 2>&1 &
sink=$!
await 5 test -s "$scratch/port" || fail "sink: $(cat "$scratch/sink.out")"
sink_port=$(cat "$scratch/port")

# Each daemon that takes part is started through a script that gives its k-th process its fault.
for program in "$build"/libexec/*; do ln -s "$program" "$scratch/lib/"; done
for entry in $points; do
	name=${entry%:*} last=${entry#*:}
	rm "$scratch/lib/$name"
	cat >"$scratch/lib/$name" <<END
#!/bin/sh
k=1
while [ \$k -le $last ]; do
	if mkdir "$state/$name.\$k" 2>/dev/null; then
		export LD_PRELOAD="$preload" FAULT_AT=\$k
		case \$((k % 3)) in 0) FAULT_MODE=fail ;; 1) FAULT_MODE=die ;; 2) FAULT_MODE=after ;; esac
		export FAULT_MODE
		break
	fi
	k=\$((k + 1))
done
exec "$build/libexec/$name" "\$@"
END
	chmod 755 "$scratch/lib/$name"
done
sed -i "s|^daemon_directory.*|daemon_directory = $scratch/lib|" "$etc/main.cf"
cat >>"$etc/main.cf" <<END
relayhost = [127.0.0.1]:$sink_port
service_throttle_time = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 2s
max_use = 3
transport_maps = inline:{ {later.example = retry:4.0.0 not now}, {never.example = error:5.0.0 no} }
END
start

# smtp N: one message to two recipients by SMTP; noted when the last answer is 250
smtp() {
	local line=
	exec 9<>"/dev/tcp/127.0.0.1/$port" || return 1
	read -r -t 5 -u 9 line || return 1
	printf 'HELO x\r\n' >&9
	read -r -t 5 -u 9 line || return 1
	for line in "MAIL FROM:<back-$1@ok.example>" "RCPT TO:<a-$1@ok.example>" "RCPT TO:<d-$1@ok.example>" DATA; do
		printf '%s\r\n' "$line" >&9
		read -r -t 5 -u 9 line || return 1
	done
	case $line in 354*) ;; *) return 1 ;; esac
	printf 'Subject: token-%s-end\r\n\r\n%s\r\nlast-line-of-%s\r\n.\r\n' "$1" "$filler" "$1" >&9
	read -r -t 5 -u 9 line || return 1
	case $line in 250*) echo "$1" >>"$accepted" ;; esac
	exec 9>&-
}
# by_sendmail N: to one that waits, and one that gets a notice (smtpd would refuse both)
by_sendmail() {
	printf 'Subject: token-%s-end\n\n%s\nlast-line-of-%s\n' "$1" "$filler" "$1" |
		"$build/bin/sendmail" -C "$etc" -i -f "back-$1@ok.example" "a-$1@ok.example" \
			"b-$1@later.example" "c-$1@never.example" >/dev/null 2>&1 && echo "$1" >>"$accepted"
}
filler=$(printf 'a line to fill the message%.0s ' 1 2 3 4 5 6 7 8)
enough() {
	for entry in $points; do [ -d "$state/${entry%:*}.${entry#*:}" ] || return 1; done
}
trap '' PIPE
began=$SECONDS n=0
: >"$accepted"
while [ $((SECONDS - began)) -lt 10 ] && ! enough; do
	n=$((n + 1))
	smtp "s$n" 2>/dev/null
	exec 9>&- 2>/dev/null
	[ $((n % 3)) = 0 ] && by_sendmail "p$n"
	sleep 0.1
done
for entry in $points; do
	for k in $(seq 1 "${entry#*:}"); do mkdir "$state/${entry%:*}.$k" 2>/dev/null && echo "not reached: ${entry%:*} $k"; done
done
"$postern" -c "$etc" abort >/dev/null 2>&1
start
for k in 1 2 3; do
	smtp "sx$k" && by_sendmail "px$k" || fail "no mail is taken after the faults"
done
total=$(wc -l <"$accepted")
[ "$total" -gt 9 ] || fail "only $total of $n messages were accepted"

# all that was accepted: whole at the sink, with a notice of the third recipient of what sendmail took
missing() {
	cat "$scratch"/dump/* >"$scratch/all" 2>/dev/null
	sed -n 's/^last-line-of-\([a-z0-9]*\).\{0,1\}$/\1: not delivered/p' "$scratch/all" | sort -u >"$scratch/done"
	sed -n 's/^Final-Recipient: rfc822; *c-\([a-z0-9]*\)@never.example.\{0,1\}$/\1: no notice/p' "$scratch/all" |
		sort -u >>"$scratch/done"
	{ sed 's/$/: not delivered/' "$accepted"; sed -n '/^p/s/$/: no notice/p' "$accepted"; } |
		grep -vxFf "$scratch/done" >"$scratch/missing"
	[ ! -s "$scratch/missing" ]
}
"$postern" -c "$etc" flush >/dev/null 2>&1
until missing || [ $((SECONDS - began)) -gt 24 ]; do sleep 0.3; done
[ ! -s "$scratch/missing" ] || fail "$(cat "$scratch/missing") of $total"
# the one that waits, and no other, is what is left
only_deferred() {
	"$build/bin/mailq" -C "$etc" >"$scratch/mailq" 2>&1
	sed -n 's/^p.*/b-&@later.example/p' "$accepted" | sort >"$scratch/want"
	[ -z "$(sed -n 's/.*\(b-[a-z0-9]*@later.example\)$/\1/p' "$scratch/mailq" | sort | comm -13 - "$scratch/want")" ] || return 1
	! grep -q '@ok.example$\|@never.example$' <(grep '^ ' "$scratch/mailq")
}
until only_deferred || [ $((SECONDS - began)) -gt 26 ]; do sleep 0.3; done
only_deferred || fail "left in the queue: $(cat "$scratch/mailq")"
[ -z "$(ls "$scratch/i/spool/corrupt")" ] || fail "something is in corrupt/"
echo "$total of $n messages were accepted, $(find "$state" -mindepth 1 | wc -l) faults"
stop
