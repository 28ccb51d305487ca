/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kver.c - see kver.h */
#include "kver.h"

#include <stdbool.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "~" before the end of the text, the end before letters, letters before all else. */
static int weight(char c)
{
	if (c == '~')
		return -1;
	if (c == '\0' || is_digit(c))
		return 0;
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return c;
	return (unsigned char)c + 256;
}

static int compare_words(const char **a, const char **b)
{
	while ((**a && !is_digit(**a)) || (**b && !is_digit(**b))) {
		int difference = weight(**a) - weight(**b);

		if (difference != 0)
			return difference;
		++*a; /* the same weight above 0: the same character, so neither is at its end */
		++*b;
	}
	return 0;
}

static int compare_numbers(const char **a, const char **b)
{
	size_t len_a, len_b;
	int difference;

	*a += strspn(*a, "0");
	*b += strspn(*b, "0");
	len_a = strspn(*a, "0123456789");
	len_b = strspn(*b, "0123456789");
	if (len_a != len_b)
		return len_a < len_b ? -1 : 1;
	difference = strncmp(*a, *b, len_a);
	*a += len_a;
	*b += len_b;
	return difference;
}

int kver_compare(const char *a, const char *b)
{
	while (*a || *b) {
		int difference = compare_words(&a, &b);

		if (difference == 0)
			difference = compare_numbers(&a, &b);
		if (difference != 0)
			return difference;
	}
	return 0;
}
