/* SPDX-License-Identifier: ISC */
/*
 * The disk fails, or the writer dies, at the Nth call that changes the disk, for every N; then the
 * system is started again without faults, goes on, and all its reports are held together: each
 * accepted message was delivered to each recipient, whole; what was marked or finished did not come
 * back; what was refused never came.
 * usage: run FOLDER; the folder is a scratch one
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/attr.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "tests/fault/queue/fault.h"

enum { DIED = 99, MESSAGES = 18, MORE = 12, MORE_SEED = 100, POINTS_MIN = 100 };

static const struct mode {
	const char *name;
	int code;
	bool forgets; /* marks are not synced: what was finished may come back */
	bool tears;   /* records may be torn: something may be in corrupt/ */
} modes[] = {
    {"die", 0, false, false},
    {"after", 0, false, false},
    {"half", 0, false, true},
    {"power", 0, true, true},
    {"names", 0, true, true},
    {"some", 0, true, true},
    {"fail", 28 /* ENOSPC */, false, false},
    {"fail", 5 /* EIO */, false, false},
    {"short", 28, false, false},
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static void make_spool(void)
{
	static const char *const dirs[] = {"spool", "spool/active", "spool/bounce", "spool/corrupt",
	    "spool/defer", "spool/deferred", "spool/hold", "spool/incoming", "spool/journal"};

	nftw("spool", remove_one, 16, FTW_DEPTH | FTW_PHYS);
	unlink("report");
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		mkdir(dirs[i], 0700);
}

/* Runs one part in a process of its own; its exit status. messages = 0: the restart. */
static int run(const struct mode *mode, int n, int messages, unsigned seed)
{
	char text[16];
	int status = -1;
	pid_t pid = fork();
	FILE *report;

	if (pid == 0) {
		report = fopen("report", "a");
		if (!report || chdir("spool") < 0)
			_exit(2);
		setvbuf(report, NULL, _IOLBF, 0);
		if (mode) {
			snprintf(text, sizeof(text), "%d", mode->code);
			setenv("FAULT_ERRNO", text, 1);
			setenv("FAULT_MODE", mode->name, 1);
			snprintf(text, sizeof(text), "%d", n);
			setenv("FAULT_AT", text, 1);
		}
		status = messages ? fault_work(messages, seed, report) : fault_restart(report);
		fclose(report);
		_exit(status);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* ---- the reports held together --------------------------------------------------------------- */

struct story {
	bool accepted, refused, finished;
	int delivered[FAULT_RCPTS], marked[FAULT_RCPTS];
};

static struct story *story_of(struct map *stories, const char *id)
{
	struct story *s = map_get(stories, id);

	if (!s) {
		s = alloc_zero(1, sizeof(*s));
		map_put(stories, id, s);
	}
	return s;
}

static int read_line(const char *line, struct map *stories, int *calls)
{
	char id[64] = "";
	struct story *s;
	unsigned n = 0;

	if (line[0] == 'C') {
		*calls = *calls ? *calls : atoi(line + 2);
		return 0;
	}
	if (line[0] == 'X') {
		printf("%s", line);
		return 1;
	}
	sscanf(line + 1, "%63s %u", id, &n);
	s = story_of(stories, id);
	n = MIN(n, FAULT_RCPTS - 1);
	s->accepted |= line[0] == 'A';
	s->refused |= line[0] == 'R';
	s->delivered[n] += line[0] == 'D';
	if (line[0] == 'D' && s->finished)
		s->marked[n] = 2; /* came back */
	s->marked[n] += line[0] == 'K';
	s->finished |= line[0] == 'F';
	return 0;
}

static int judge(const struct mode *mode, const char *id, const struct story *s)
{
	int bad = 0;

	for (int i = 0; i < FAULT_RCPTS; i++) {
		if (s->accepted && s->delivered[i] == 0)
			bad += printf("%s: accepted, and recipient %d never got it\n", id, i);
		if (s->refused && s->delivered[i] > 0)
			bad += printf("%s: refused, and recipient %d got it\n", id, i);
		if (!mode->forgets && (s->marked[i] > 1 || s->delivered[i] > 2))
			bad += printf("%s: recipient %d was done and came back\n", id, i);
	}
	return bad;
}

static int hold_together(const struct mode *mode, int *calls)
{
	struct map *stories = map_new();
	FILE *report = fopen("report", "r");
	char line[512];
	const char *id;
	size_t cursor = 0;
	void *story;
	int bad = 0;

	*calls = 0;
	while (report && fgets(line, sizeof(line), report))
		bad += read_line(line, stories, calls);
	while (map_next(stories, &cursor, &id, &story))
		bad += judge(mode, id, story);
	map_free(&stories, free);
	fclose(report);
	if (!mode->tears && rmdir("spool/corrupt") < 0)
		bad += printf("something is in corrupt/\n");
	return bad;
}

/* Another boot of the system: the index of the journal does not count. */
static void reboot(void)
{
	int fd = open("spool/journal/index", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && pwrite(fd, "another boot", 12, 0) < 0)
		perror("journal/index");
	if (fd >= 0)
		close(fd);
}

/* False when call n was never reached; *bad counts what is wrong. */
static bool point(const struct mode *mode, int n, int *bad)
{
	int status, calls;

	make_spool();
	status = run(mode, n, MESSAGES, 0);
	if (mode->forgets)
		reboot();
	/* some systems are looked at first, some receive new mail first */
	if (n % 2 && run(NULL, 0, 0, 0) != 0)
		*bad += printf("restart fails\n");
	if (run(NULL, 0, MORE, MORE_SEED) != 0)
		*bad += printf("the queue is unusable\n");
	if (run(NULL, 0, 0, 0) != 0)
		*bad += printf("restart fails\n");
	*bad += hold_together(mode, &calls);
	if (status != 0 && status != DIED)
		*bad += printf("exit status %d\n", status);
	return status == DIED || n <= calls;
}

int main(int argc, char **argv)
{
	int bad = 0;

	if (argc != 2 || chdir(argv[1]) < 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	log_open(LOG_TO_STDERR, 2, 0);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		const struct mode *mode = &modes[i];
		int n = 1;

		if (getenv("FAULT_ONLY") && strcmp(getenv("FAULT_ONLY"), mode->name) != 0)
			continue;
		while (point(mode, n, &bad) && !bad)
			n++;
		printf("%s%s: %d points\n", mode->name, mode->code == 5 ? " (EIO)" : "", n - 1);
		if (bad || n <= POINTS_MIN)
			return 1;
	}
	return 0;
}
