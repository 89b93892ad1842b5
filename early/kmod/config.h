/* What kmod's configure would find with musl. No compression: early/module.c leaves it to the kernel. */
#define _GNU_SOURCE 1
#define PACKAGE "kmod"
#define SYSCONFDIR "/etc"
#define HAVE_STATIC_ASSERT 1
#define HAVE_STRUCT_STAT_ST_MTIM 1
#define HAVE___BUILTIN_UADDL_OVERFLOW 1
#define HAVE___BUILTIN_UADDLL_OVERFLOW 1
#define HAVE_DECL_BE32TOH 1
#define HAVE_DECL_STRNDUPA 1
#define secure_getenv getenv /* we are never setuid, and read no variable */
