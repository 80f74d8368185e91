# Sourced after service.bash (or chaos.bash, submit.bash, postfix.bash) by tests in which days pass in
# milliseconds: all processes of an instance share a clock that the test turns. It is a preloaded
# library of ours (tests/fault/preload/clock.c) and needs no package.
#
#   clock_setup ETC      after main.cf is made, before the start: the instance of the folder ETC gets
#                        the clock. Skips the whole test where nothing can be preloaded. Several
#                        instances may share the clock.
#   clocked COMMAND...   runs a command under the clock. The start of the instance must be run so, and
#                        what stamps mail: clocked "$postern" -c "$etc" start; clocked sendmail ...
#   clock_advance SECONDS  time passes: both clocks go forward. Waits in the daemons end by themselves
#                        within 20 ms; await what should come of it (a single step is one queue run,
#                        however long it is).
#   clock_run SECONDS STEP [COMMAND...]  time passes in steps, 0.06 s of real time each, so that each
#                        timer that is due fires in its turn; ends early when the command succeeds.
#   clock_set_back SECONDS, clock_set_forward SECONDS  somebody sets the wall clock; no time passes.
#   clock_now            the wall clock as the instance sees it, in seconds since 1970
#
# What stays the kernel's time: alarm(2) (the watchdog), sleeps, SO_RCVTIMEO (max_idle), and the file
# times that the kernel sets.
clock_file=$scratch/clock clock_lib=$build/tests/fault/preload/clock.so
clock_passed=0 clock_wall=0 # milliseconds: the monotonic clocks, the wall clock

clock_setup() {
	case $build in *asan*)
		echo "a preloaded library and the address sanitizer do not mix"
		exit 77
		;;
	esac
	[ -f "$clock_lib" ] || fail "$clock_lib is not built"
	[ -f "$clock_file" ] || clock_write
	echo "import_environment = MAIL_CONFIG TZ LANG=C LD_PRELOAD=$clock_lib CLOCK_FILE=$clock_file" >>"$1/main.cf"
}
clocked() { LD_PRELOAD=$clock_lib CLOCK_FILE=$clock_file "$@"; }

clock_word() { # the eight bytes of a number, as printf writes them
	local n=$1 i
	for i in 1 2 3 4 5 6 7 8; do
		printf '\\x%02x' $((n & 255))
		n=$((n >> 8))
	done
}
# In place: the file is mapped by all.
clock_write() {
	# shellcheck disable=SC2059 # the format is the bytes
	printf "$(clock_word "$clock_passed")$(clock_word "$clock_wall")" |
		dd of="$clock_file" bs=16 conv=notrunc status=none
	chmod 644 "$clock_file"
}
clock_advance() {
	clock_passed=$((clock_passed + $1 * 1000)) clock_wall=$((clock_wall + $1 * 1000))
	clock_write
}
clock_run() {
	local left=$1 step=$2
	shift 2
	while [ "$left" -gt 0 ]; do
		clock_advance "$step"
		sleep 0.06
		left=$((left - step))
		[ $# = 0 ] || ! "$@" || return 0
	done
}
clock_set_forward() {
	clock_wall=$((clock_wall + $1 * 1000))
	clock_write
}
clock_set_back() { clock_set_forward "-$1"; }
clock_now() { echo $(($(date +%s) + clock_wall / 1000)); }
