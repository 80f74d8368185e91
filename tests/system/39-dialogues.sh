#!/bin/bash
# Whole dialogues, played by tables: every command in every state, with arguments of all kinds; what
# clients do wrong on purpose; what is logged of it and what the next hop gets. The wanted results are
# recorded; where Debian's Postfix is installed it gives the same on the same settings.
# "39-dialogues.sh [TABLE...]" plays some tables only; "--write" records what is wanted anew, of ours.
. "$(dirname "$0")/submit.bash"
. tests/system/postfix.bash
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
player=tests/system/dialogues.py
write=
if [ "${1:-}" = --write ]; then
	write=1
	shift
fi

settings() { # for both
	cat <<END
myhostname = mail.example.org
mydestination = example.org
mynetworks = 192.0.2.0/24
local_recipient_maps =
alias_maps =
default_transport = smtp:[127.0.0.1]:$sink
local_transport = smtp:[127.0.0.1]:$sink
smtp_host_lookup = native
notify_classes =
smtpd_banner = \$myhostname ESMTP
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_error_sleep_time = 0
smtpd_hard_error_limit = 1000
smtpd_junk_command_limit = 1000
smtpd_forbid_unauth_pipelining = no
smtpd_forbid_bare_newline = no
inet_protocols = ipv4
maximal_backoff_time = 300s
END
}
last_only() { # a setting that is overridden in the same file is warned of by each of Postfix's processes
	tac "$1" | awk -F ' *=' '!seen[$1]++' | tac >"$scratch/cf" && cp "$scratch/cf" "$1"
}
tables=${*:-$(cd tests/system/dialogues && ls -- *.table | sed 's/\.table$//')}
make_instance discard
sink=$(free_port)
settings >>"$etc/main.cf"
cp "$etc/master.cf" "$scratch/master.cf"
play() { # play NETWORK LOG TABLE
	timeout 60 python3 $player run "tests/system/dialogues/$3.table" "$1" "$port" "$sink" "$2" 2>&1
}
have_postfix && [ -z "$write" ] && make_postfix discard && settings >>"$pf_etc/main.cf" && last_only "$pf_etc/main.cf" && cp "$pf_etc/master.cf" "$scratch/pf.cf"
failed=
for table in $tables; do
	wanted=tests/system/dialogues/$table.wanted port=$(free_port)
	{ cat "$scratch/master.cf"; python3 $player master "tests/system/dialogues/$table.table" 1 "$port"; } >"$etc/master.cf"
	: >"$log"
	start
	play 1 "$log" "$table" >"$scratch/got"
	stop
	[ -z "${KEEP:-}" ] || cp "$scratch/got" "$KEEP/$table.postern"; [ -z "${KEEP:-}" ] || cp "$log" "$KEEP/$table.log"
	[ -z "$write" ] || cp "$scratch/got" "$wanted"
	diff "$wanted" "$scratch/got" || failed="$failed $table"
	have_postfix && [ -z "$write" ] || continue
	{ cat "$scratch/pf.cf"; python3 $player master "tests/system/dialogues/$table.table" 2 "$port"; } >"$pf_etc/master.cf"
	: >"$pf_log"
	start_postfix
	play 2 "$pf_log" "$table" >"$scratch/postfix"
	stop_postfix
	[ -z "${KEEP:-}" ] || cp "$scratch/postfix" "$KEEP/$table.postfix"; [ -z "${KEEP:-}" ] || cp "$pf_log" "$KEEP/$table.pflog"
	diff "$wanted" "$scratch/postfix" || failed="$failed $table(Postfix)"
done
[ -z "$failed" ] || fail "not as wanted:$failed"
