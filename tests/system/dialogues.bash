# Sourced by tests of whole dialogues: "play_table NAME" plays dialogues/NAME.table (dialogues.py) and
# compares what came of it with what is recorded in NAME.wanted: replies, log lines, what the next hop
# gets. Where Debian's Postfix is installed it has to give the same on the same settings.
# A script with "--write" records what is wanted anew, of ours.
. "$(dirname "${BASH_SOURCE[0]}")/submit.bash"
. tests/system/postfix.bash
command -v python3 >/dev/null || { echo "python3 is not installed"; exit 77; }
player=tests/system/dialogues.py write=${1:-}

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
inet_protocols = all
inet_interfaces = 127.0.0.1
maximal_backoff_time = 300s
END
}
last_only() { # a setting that is overridden in the same file is warned of by each of Postfix's processes
	tac "$1" | awk -F ' *=' '!seen[$1]++' | tac >"$scratch/cf" && cp "$scratch/cf" "$1"
}

play() { # play NETWORK LOG TABLE OUT [reference]
	timeout 220 python3 $player run "tests/system/dialogues/$3.table" "$1" "$port" "$sink" "$2" ${5:+"$5"} >"$4" 2>&1
}
services() { python3 $player master "tests/system/dialogues/$2.table" "$1" "$port"; }

play_table() {
	local wanted=tests/system/dialogues/$1.wanted
	make_instance discard
	sink=$(free_port) port=$(free_port)
	settings >>"$etc/main.cf"
	services 1 "$1" >>"$etc/master.cf"
	start
	play 1 "$log" "$1" "$scratch/got"
	stop
	[ -z "$write" ] || cp "$scratch/got" "$wanted"
	diff "$wanted" "$scratch/got" || fail "$1: not as is wanted"
	have_postfix && [ -z "$write" ] || return 0
	make_postfix discard
	settings >>"$pf_etc/main.cf"
	last_only "$pf_etc/main.cf"
	services 2 "$1" >>"$pf_etc/master.cf"
	start_postfix
	play 2 "$pf_log" "$1" "$scratch/postfix" reference
	stop_postfix
	awk '/^== /{own = /^== own-/} !own' "$wanted" >"$scratch/wanted"
	diff "$scratch/wanted" "$scratch/postfix" || fail "$1: Postfix does otherwise"
}
