/* SPDX-License-Identifier: ISC */
/*
 * Runs a fuzz target over files and folders of inputs without libFuzzer, so that `make check`
 * replays every kept corpus with any compiler.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/str.h"
#include "lib/sys/fd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
	struct str text = {0};
	uint8_t *exact;

	if (fd_read_file(path, 1 << 24, &text, NULL) < 0) {
		perror(path);
		return 1;
	}
	exact = malloc(text.len ? text.len : 1); /* so that the sanitizers see a read beyond it */
	if (exact && text.len)
		memcpy(exact, text.data, text.len);
	LLVMFuzzerTestOneInput(exact, text.len);
	free(exact);
	str_fini(&text);
	return 0;
}

static int replay_dir(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int bad = 0;

	while (dir && (entry = readdir(dir))) {
		char name[4096];

		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.')
			bad |= replay_file(name);
	}
	if (dir)
		closedir(dir);
	return bad;
}

int main(int argc, char **argv)
{
	int bad = 0;

	for (int i = 1; i < argc; i++) {
		struct stat st;

		bad |= stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode) ? replay_dir(argv[i])
		                                                      : replay_file(argv[i]);
	}
	return bad;
}
