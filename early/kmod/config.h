/* What kmod's configure would find with musl. No compression: early/module.c leaves it to the kernel. */
#define _GNU_SOURCE 1
#define PACKAGE "kmod"
#define SYSCONFDIR "/etc"
#define HAVE_STATIC_ASSERT 1
#define HAVE_STRUCT_STAT_ST_MTIM 1
#define HAVE___BUILTIN_UADDL_OVERFLOW 1
#define HAVE___BUILTIN_UADDLL_OVERFLOW 1
#define HAVE_DECL_BE32TOH 1
#define HAVE_DECL_STRNDUPA 0
#define HAVE_SECURE_GETENV 1
#define secure_getenv getenv /* we are never setuid, and read no variable */

#include <string.h>

/* GNU's, which kmod means: musl's own writes to the path, and 1.2.5 declares it elsewhere */
static inline char *kmod_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return (char *)(slash ? slash + 1 : path);
}
#define basename kmod_basename
/* musl's open() calls fcntl() where O_CLOEXEC is asked for, its openat() does not */
#include <fcntl.h>
#define open(path, flags) openat(AT_FDCWD, path, flags)
