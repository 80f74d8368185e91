/* SPDX-License-Identifier: ISC */
/*
 * OpenSSL is mapped by the first process that calls it, not by each that could: to link it costs a
 * process half a megabyte of its own memory and a good part of its start, and most never talk TLS.
 * mk/lazy-openssl makes an entry for each function that lib/tls calls (lazy.S in the build folder),
 * which jumps by a slot; the first call of any fills all of them.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/base/log.h"
#include "lib/tls/internal.h"

/* Absent where the libraries are linked as usual. */
extern void *tls_lazy_slots[] __attribute__((weak)), *tls_lazy_slots_end[] __attribute__((weak));
extern const char tls_lazy_names[] __attribute__((weak));
extern const char tls_lazy_library[] __attribute__((weak));

int tls_lazy_open(struct err *err)
{
	void *library, *function;
	size_t i = 0;

	if (!tls_lazy_library)
		return 0;
	library = dlopen(tls_lazy_library, RTLD_LAZY | RTLD_LOCAL);
	if (!library)
		return err_set(err, 0, "TLS library: %s", dlerror());
	for (const char *name = tls_lazy_names; *name; name += strlen(name) + 1, i++) {
		function = dlsym(library, name);
		if (!function)
			return err_set(err, 0, "TLS library: %s", dlerror());
		if (tls_lazy_slots[i] != function) /* not again: they are read-only by then */
			tls_lazy_slots[i] = function;
	}
	/* as the linker does with its own table (-z relro -z now) */
	if (mprotect(tls_lazy_slots, (size_t)((char *)tls_lazy_slots_end - (char *)tls_lazy_slots),
	        PROT_READ) < 0)
		return err_sys(err, "TLS library: mprotect");
	return 0;
}

void tls_lazy_load(void)
{
	struct err err;

	if (tls_lazy_open(&err) < 0)
		fatal("%s", err.text);
}
