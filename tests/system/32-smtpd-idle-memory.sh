#!/bin/bash
# A session that waits costs little, also behind a big message, many recipients and an endless line.
. "$(dirname "$0")/service.bash"
case $build in */asan) echo "the sanitizers take memory of their own"; exit 77 ;; esac

init_instance "$scratch/i"
printf 'default_transport = discard\nsmtpd_peername_lookup = no\n' >>"$etc/main.cf"
start

reply() { # reply CODE: the last line of the next reply begins with CODE
	local line
	while read -r -t 60 -u 9 line; do
		case $line in
		"$1-"*) ;;
		"$1 "*) return 0 ;;
		*) fail "expected $1, got: $line" ;;
		esac
	done
	fail "expected $1, got nothing"
}
ask() { printf '%s\r\n' "$1" >&9 && reply "$2"; }
lines() { printf -- "$1%.0s" $(seq "$2"); }

# what only this process has written; pages of the program that no other process runs at present do
# not count, for the next one shares them
small() { # each process is below 400 KB of its own
	local pid kb found=no
	for pid in $(children); do
		[ "$(readlink "/proc/$pid/exe")" = "$build/libexec/smtpd" ] || continue
		found=yes
		kb=$(awk '/^Private_Dirty/ { kb += $2 } END { print kb }' "/proc/$pid/smaps_rollup") || return 1
		echo "$pid: $kb KB" >>"$scratch/seen"
		[ "$kb" -lt 400 ] || return 1
	done
	[ $found = yes ]
}
must_shrink() { await 10 small || fail "behind $1: $(tail -n 3 "$scratch/seen")"; }

exec 9<>"/dev/tcp/127.0.0.1/$PORT1"
reply 220
ask 'EHLO test' 250
must_shrink 'EHLO'
ask 'MAIL FROM:<a@example.com>' 250
lines 'RCPT TO:<somebody.with.a.name@remote.example>\r\n' 900 >&9
for _ in $(seq 900); do reply 250; done
ask DATA 354
lines 'fifty bytes of a line, and then a hundred, of text \r\n' 40000 >&9
ask . 250
must_shrink 'a big message'
{ printf 'NOOP '; head -c 3000000 /dev/zero | tr '\0' x; printf '\r\n'; } >&9
reply 250
must_shrink 'a long line'
ask QUIT 221
exit 0
