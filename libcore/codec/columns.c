/*
 * columns.c - columns of fixed-width entries: choose, write, add up.
 */
#include "codec/batch.h"

#include <string.h>

#include "base/le.h"

uint8_t
sb_width_for(uint64_t max)
{
	if (max == 0)
		return 0;
	if (max <= UINT8_MAX)
		return 1;
	if (max <= UINT16_MAX)
		return 2;
	return max <= UINT32_MAX ? 4 : 8;
}

void
sb_column_put(uint8_t *column, uint8_t width, size_t i, uint64_t entry)
{
	switch (width) {
	case 0:
		break;
	case 1:
		column[i] = (uint8_t)entry;
		break;
	case 2:
		column[2 * i] = (uint8_t)entry;
		column[2 * i + 1] = (uint8_t)(entry >> 8);
		break;
	case 4:
		sb_put_u32(column + 4 * i, (uint32_t)entry);
		break;
	default:
		sb_put_u64(column + 8 * i, entry);
		break;
	}
}

/* One loop for each width, so that the compiler can use vectors. */
uint64_t
sb_column_sum(const uint8_t *column, uint8_t width, size_t n)
{
	uint64_t sum = 0;

	switch (width) {
	case 0:
		break;
	case 1:
		for (size_t i = 0; i < n; i++)
			sum += column[i];
		break;
	case 2:
		for (size_t i = 0; i < n; i++)
			sum += sb_column_get(column, 2, i);
		break;
	case 4:
		for (size_t i = 0; i < n; i++)
			sum += sb_column_get(column, 4, i);
		break;
	default:
		for (size_t i = 0; i < n; i++)
			sum += sb_column_get(column, 8, i);
		break;
	}
	return sum;
}

size_t
sb_column_zeros(const uint8_t *column, uint8_t width, size_t n)
{
	size_t zeros = 0;

	if (width == 0)
		return n;
	for (size_t i = 0; i < n; i++)
		zeros += sb_column_get(column, width, i) == 0;
	return zeros;
}
