/* SPDX-License-Identifier: ISC */
#include "lib/auth/bound.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

/* Only what a signal handler may do: shutdown() of what is no socket is an error without effect. */
static void time_is_over(int number, siginfo_t *info, void *context)
{
	struct bound *b = info->si_value.sival_ptr;
	int saved = errno;

	(void)number;
	(void)context;
	if (info->si_code != SI_TIMER)
		return;
	b->over = 1;
	for (int fd = 0; fd < BOUND_FDS; fd++)
		if (!(b->before[fd / 64] >> (fd % 64) & 1))
			shutdown(fd, SHUT_RDWR);
	errno = saved;
}

int bound_init(struct bound *b, int seconds, struct err *err)
{
	struct sigaction action = {.sa_sigaction = time_is_over, .sa_flags = SA_SIGINFO};
	struct sigevent event = {
	    .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value = {.sival_ptr = b}};

	b->seconds = seconds;
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGRTMIN, &action, NULL) < 0)
		return err_sys(err, "sigaction");
	return timer_create(CLOCK_MONOTONIC, &event, &b->timer) < 0 ? err_sys(err, "timer_create")
	                                                            : 0;
}

void bound_fini(struct bound *b)
{
	timer_delete(b->timer);
}

static void set(const struct bound *b, time_t seconds)
{
	const struct itimerspec when = {
	    .it_value = {.tv_sec = seconds}, .it_interval = {.tv_sec = 1}};

	timer_settime(b->timer, 0, &when, NULL);
}

void bound_begin(struct bound *b)
{
	b->over = 0;
	for (int fd = 0; fd < BOUND_FDS; fd++) {
		uint64_t bit = UINT64_C(1) << (fd % 64);

		if (fcntl(fd, F_GETFD) < 0)
			b->before[fd / 64] &= ~bit;
		else
			b->before[fd / 64] |= bit;
	}
	set(b, b->seconds);
}

bool bound_end(struct bound *b)
{
	set(b, 0);
	return b->over;
}
