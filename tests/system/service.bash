# Sourced by the tests of master and lib/service: a scratch instance whose services are run by the
# helper daemon testd. Prints nothing unless something fails; leaves nothing behind.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
build=${POSTERN_BUILD:-$PWD/build/release}
postern=$build/bin/postern
helper=$build/tests/system/helpers/testd
[ -x "$helper" ] || { echo "$helper is not built"; exit 1; }
scratch=$(mktemp -d) || exit 2
chmod 755 "$scratch"
etc=$scratch/i/etc log=$scratch/i/log/mail.log

cleanup() {
	"$postern" -c "$etc" abort >/dev/null 2>&1
	rm -rf "$scratch"
	free_my_ports
}
trap cleanup EXIT

# end_process PID: one that may be stopped, too. It goes on first: the leak sanitizer stops a process
# that ends, and a SIGCONT at that moment would let it wait for ever.
end_process() { kill -CONT "$1" 2>/dev/null; kill "$1" 2>/dev/null; }

fail() { # fail REASON...
	echo "$*"
	[ -f "$log" ] && tail -n 30 "$log"
	exit 1
}

# The sanitizers are slow: whatever has a limit of time gets more of it.
patience=1
case $build in *asan) patience=4 ;; esac

# await SECONDS COMMAND...: until the command succeeds. On a quiet host that is given up after so many
# seconds; what waits for others that have the processors is given four times as many.
await() {
	local tries=$(($1 * 200 * patience))
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.02
	done
}

logged() { grep -q -- "$1" "$log"; }
count_logged() { grep -c -- "$1" "$log"; }
await_log() { await 15 logged "$1" || fail "not logged: $1"; }
master_pid() { cat "$scratch/i/spool/pid/master.pid"; }
children() { cat "/proc/$(master_pid)/task/$(master_pid)/children" 2>/dev/null; }
# A zombie that its new parent has not looked at yet is gone, too.
gone() { ! grep -q '^State:[[:space:]]*[^[:space:]ZX]' "/proc/$1/status" 2>/dev/null; }

# make_instance [--set name=value ...]: master.cf comes from standard input; PORT1.. are free ports.
make_instance() {
	init_instance "$scratch/i" "$@"
	PORT2=$(free_port) PORT3=$(free_port)
	mkdir -p "$scratch/lib"
	for name in testd testloop testtrigger; do ln -sf "$helper" "$scratch/lib/$name"; done
	sed -i "s|^daemon_directory.*|daemon_directory = $scratch/lib|" "$etc/main.cf"
	ln -sf "$build/libexec/master" "$scratch/lib/master"
	master_cf
}

# own_commands: sets $commands, a folder with the commands, of which set-permissions makes two
# set-gid: those of the build stay as they are, or no later test could preload anything into them.
own_commands() {
	commands=$scratch/commands
	rm -rf "$commands"
	mkdir "$commands"
	ln -s "$build"/bin/* "$commands/"
	rm "$commands/postdrop" "$commands/postqueue"
	cp "$build/bin/postdrop" "$build/bin/postqueue" "$commands/"
}

master_cf() { sed "s/PORT1/$PORT1/g; s/PORT2/$PORT2/g; s/PORT3/$PORT3/g" >"$etc/master.cf"; }

# free_port: a port that nobody has, and that nobody gets before the end of the script: no other
# test, of this suite or of one beside it, by an entry in a common folder (a link whose text is the
# process that has it), and no connection going out as its own end, since those are given other
# ports. What a killed script had is given to others.
ports_taken=/tmp/postern-test-ports
free_port() (
	read -r low high </proc/sys/net/ipv4/ip_local_port_range
	[ "$low" -gt 11000 ] || [ "$high" -lt 64000 ] || low=0 high=0 # next to none would be left
	until exec 9<"$ports_taken"; do mkdir -p -m 1777 "$ports_taken"; done 2>/dev/null
	flock 9 || exit 1
	used=$(awk '{ print $2 }' /proc/net/{tcp,tcp6,udp,udp6} 2>/dev/null)
	for ((tries = 0; tries < 10000; tries++)); do
		port=$((10000 + (RANDOM * 32768 + RANDOM) % 55536))
		[ "$port" -lt "$low" ] || [ "$port" -gt "$high" ] || continue
		printf -v hex ':%04X' "$port"
		[[ $used != *$hex* ]] || continue
		owner=$(readlink "$ports_taken/$port") && [ ! -d "/proc/$owner" ] && rm -f "$ports_taken/$port"
		# the last test to end removes the folder
		ln -s $$ "$ports_taken/$port" 2>/dev/null || { mkdir -p -m 1777 "$ports_taken" 2>/dev/null; continue; }
		echo "$port"
		exit 0
	done
	exit 1
)
free_my_ports() {
	find "$ports_taken" -lname $$ -delete 2>/dev/null
	rmdir "$ports_taken" 2>/dev/null
}

# await_port PORT: until somebody listens there, without a connection that would count as one
await_port() {
	local hex
	printf -v hex ':%04X 00000000:0000 0A' "$1"
	await 20 grep -q "$hex" /proc/net/tcp || fail "nobody listens at port $1"
}

# init_instance FOLDER [arguments of postern init]: PORT1 is its smtpd's
init_instance() {
	local folder=$1
	shift
	PORT1=$(free_port) || fail "no free port"
	"$postern" init "$folder" --smtp-port "$PORT1" "$@" >"$scratch/init.out" 2>&1 ||
		fail "init: $(cat "$scratch/init.out")"
}

start() { "$postern" -c "$etc" start >"$scratch/start.out" 2>&1 || fail "start: $(cat "$scratch/start.out")"; }
stop() { "$postern" -c "$etc" stop >"$scratch/stop.out" 2>&1 || fail "stop: $(cat "$scratch/stop.out")"; }
reload() { "$postern" -c "$etc" reload >"$scratch/reload.out" 2>&1; }

# A chroot has no /proc, without which the leak sanitizer ends the process with an error.
chroot_without_leak_check() {
	[ "$patience" = 1 ] ||
		echo "import_environment = MAIL_CONFIG TZ LANG=C ASAN_OPTIONS=detect_leaks=0" >>"$etc/main.cf"
}

# connect FD PORT: opens descriptor FD, sets greeting to the first line ("hello PID GENERATION").
connect() {
	eval "exec $1<>/dev/tcp/127.0.0.1/$2" 2>/dev/null || return 1
	read -r -t $((60 * patience)) -u "$1" greeting
}
say() { # say FD TEXT: one question, the answer in $answer
	echo "$2" >&"$1"
	read -r -t $((60 * patience)) -u "$1" answer
}
hangup() { eval "exec $1>&-"; }
