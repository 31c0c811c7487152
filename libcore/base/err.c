/*
 * err.c - fill a struct sblog_err; the only code that words failures.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
clear(struct sblog_err *err, enum sblog_code code, const char *file)
{
	err->code = code;
	err->sys = 0;
	err->offset = SBLOG_NO_OFFSET;
	err->end = SBLOG_NO_OFFSET;
	err->pos = UINT64_MAX;
	err->msg[0] = '\0';
	(void)snprintf(err->file, sizeof(err->file), "%s", file);
}

int
sb_err_set(struct sblog_err *err, enum sblog_code code, const char *file,
    const char *fmt, ...)
{
	va_list ap;

	clear(err, code, file);
	va_start(ap, fmt);
	(void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	return code;
}

int
sb_err_sys(struct sblog_err *err, enum sblog_code code, int sys_rc,
    const char *file, const char *what)
{
	clear(err, code, file);
	err->sys = -sys_rc;
	(void)snprintf(err->msg, sizeof(err->msg), "%s: %s", what,
	    strerror(-sys_rc));
	return code;
}

int
sb_err_damage(struct sblog_err *err, const char *file, uint64_t pos,
    uint64_t first, uint64_t next, const char *fmt, ...)
{
	va_list ap;

	clear(err, SBLOG_EDAMAGE, file);
	err->pos = pos;
	err->offset = first;
	err->end = next;
	va_start(ap, fmt);
	(void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	return SBLOG_EDAMAGE;
}

int
sb_err_nomem(struct sblog_err *err)
{
	return sb_err_set(err, SBLOG_ENOMEM, "", "out of memory");
}

const char *
sblog_code_name(enum sblog_code code)
{
	switch (code) {
	case SBLOG_OK:
		return "ok";
	case SBLOG_END:
		return "end";
	case SBLOG_GAP:
		return "gap";
	case SBLOG_REPLAYED:
		return "replayed";
	case SBLOG_EIO:
		return "io";
	case SBLOG_ENOMEM:
		return "memory";
	case SBLOG_ENOENT:
		return "absent";
	case SBLOG_EBUSY:
		return "busy";
	case SBLOG_ECOND:
		return "condition";
	case SBLOG_EDAMAGE:
		return "damage";
	case SBLOG_EFORMAT:
		return "format";
	case SBLOG_EUNKNOWN:
		return "unknown";
	case SBLOG_EINVAL:
		return "invalid";
	case SBLOG_ETOOBIG:
		return "too-big";
	}
	return "unknown";
}
