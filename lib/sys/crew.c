/* SPDX-License-Identifier: ISC */
#include "lib/sys/crew.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/attr.h"

struct crew_shared {
	_Atomic size_t next; /* first piece that nobody has taken */
	_Atomic bool stopped, broken;
	pthread_mutex_t lock;
};

int crew_workers(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return MIN(count, CREW_MAX);
}

static int begin(struct crew *crew, struct err *err)
{
	pthread_mutexattr_t attr;
	void *memory = mmap(
	    NULL, sizeof(*crew->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return err_sys(err, "shared memory");
	crew->shared = memory;
	/* a process that dies with the lock must not make the others wait for ever */
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&crew->shared->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	return 0;
}

void crew_fini(struct crew *crew)
{
	if (crew->shared)
		munmap(crew->shared, sizeof(*crew->shared));
	crew->shared = NULL;
}

static void work(struct crew *crew)
{
	struct crew_shared *s = crew->shared;
	size_t at;

	while (!s->stopped && (at = atomic_fetch_add(&s->next, crew->chunk)) < crew->count) {
		size_t end = MIN(crew->count, at + crew->chunk);

		for (; at < end && !s->stopped; at++) {
			if (!crew->work(crew->arg, crew, at))
				s->stopped = true;
		}
	}
	if (crew->done)
		crew->done(crew->arg, crew);
}

static pid_t start(struct crew *crew)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	work(crew);
	_exit(0);
}

int crew_run(struct crew *crew, struct err *err)
{
	size_t pieces = crew->chunk ? (crew->count + crew->chunk - 1) / crew->chunk : 0;
	pid_t pids[CREW_MAX];
	int others = 0, rc = 0;

	if (crew->chunk == 0)
		return err_set(err, EINVAL, "crew: pieces are taken by 0");
	if (begin(crew, err) < 0)
		return -1;
	while (others + 1 < MIN(crew->workers, CREW_MAX) && (size_t)others + 1 < pieces &&
	       (pids[others] = start(crew)) > 0)
		others++;
	work(crew);
	for (int i = 0; i < others; i++) {
		int status = 0;

		while (waitpid(pids[i], &status, 0) < 0 && errno == EINTR)
			;
		if (status != 0)
			rc = err_set(err, 0, "a helper process %s",
			    WIFSIGNALED(status) ? "was killed" : "failed");
	}
	if (crew->shared->broken)
		rc = err_set(err, 0, "a helper process died while it wrote");
	return rc;
}

void crew_lock(struct crew *crew)
{
	if (pthread_mutex_lock(&crew->shared->lock) != EOWNERDEAD)
		return;
	/* its output ends somewhere in the middle: nothing may follow that would look whole */
	crew->shared->broken = crew->shared->stopped = true;
	pthread_mutex_consistent(&crew->shared->lock);
}

void crew_unlock(struct crew *crew)
{
	pthread_mutex_unlock(&crew->shared->lock);
}
