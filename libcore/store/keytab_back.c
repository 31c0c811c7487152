/*
 * keytab_back.c - from an entry of a key table to earlier ones of the same hash.
 */
#include "store/keytab.h"

int
sb_keytab_back_to_ord(struct sb_keytab *k, uint32_t n, uint32_t ord,
    struct sb_keytab_entry *e)
{
	struct sb_keytab_entry far;
	int rc;

	while (e->ord > ord) {
		uint32_t step = e->prev;

		if (e->jump != 0) {
			if ((rc = sb_keytab_at(k, n, e->jump - 1, &far)) < 0)
				return rc;
			if (far.ord >= ord) {
				*e = far;
				continue;
			}
		}
		if (step == 0 || (rc = sb_keytab_at(k, n, step - 1, e)) < 0)
			return SBLOG_EDAMAGE;
	}
	return e->ord == ord ? 0 : SBLOG_EDAMAGE;
}

int
sb_keytab_back_to_rel(struct sb_keytab *k, uint32_t n, uint32_t rel,
    struct sb_keytab_entry *e)
{
	struct sb_keytab_entry far;
	int rc;

	for (;;) {
		if (e->jump != 0) {
			if ((rc = sb_keytab_at(k, n, e->jump - 1, &far)) < 0)
				return rc;
			if (far.rel >= rel) {
				*e = far;
				continue;
			}
		}
		if (e->prev == 0)
			return 0;
		if ((rc = sb_keytab_at(k, n, e->prev - 1, &far)) < 0)
			return rc;
		if (far.rel < rel)
			return 0;
		*e = far;
	}
}

int
sb_keytab_jump(struct sb_keytab *k, uint32_t n, uint32_t i,
    const struct sb_keytab_entry *old, uint32_t *jumpp)
{
	struct sb_keytab_entry a, b;
	int rc;

	*jumpp = i + 1;
	if (old->jump == 0)
		return 0;
	if ((rc = sb_keytab_at(k, n, old->jump - 1, &a)) < 0)
		return rc;
	if (a.jump == 0)
		return 0;
	if ((rc = sb_keytab_at(k, n, a.jump - 1, &b)) < 0)
		return rc;
	if (old->ord - a.ord == a.ord - b.ord)
		*jumpp = a.jump;
	return 0;
}
