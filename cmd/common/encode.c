/*
 * encode.c - bytes as hexadecimal, base64, JSON strings, fixed-width numbers
 * and as text that is safe on a terminal; and back.
 */
#include "common/encode.h"

static const char digits[] = "0123456789abcdef";
static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789+/";

/* Well-formed sequences: The Unicode Standard 15.0, table 3-7. */
size_t
encode_utf8(const unsigned char *s, size_t len)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		low = 0xa0; /* overlong */
	else if (s[0] == 0xed)
		high = 0x9f; /* surrogates */
	else if (s[0] == 0xf0)
		low = 0x90; /* overlong */
	else if (s[0] == 0xf4)
		high = 0x8f; /* past U+10FFFF */
	if (len < n || s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return n;
}

bool
encode_is_utf8(struct sblog_bytes b)
{
	const unsigned char *s = b.data;
	size_t n, i = 0;

	while (i < b.len) {
		if (s[i] < 0x80)
			n = 1;
		else if ((n = encode_utf8(s + i, b.len - i)) == 0)
			return false;
		i += n;
	}
	return true;
}

void
encode_hex(struct out *o, struct sblog_bytes b)
{
	const unsigned char *s = b.data;
	char text[512];
	size_t n = 0;

	for (size_t i = 0; i < b.len; i++) {
		text[n++] = digits[s[i] >> 4];
		text[n++] = digits[s[i] & 15];
		if (n == sizeof(text) || i + 1 == b.len) {
			out_bytes(o, text, n);
			n = 0;
		}
	}
}

void
encode_base64(struct out *o, struct sblog_bytes b)
{
	const unsigned char *s = b.data;
	char text[512];
	size_t n = 0;
	uint32_t v;

	for (size_t i = 0; i < b.len; i += 3) {
		v = (uint32_t)s[i] << 16;
		if (b.len - i > 1)
			v |= (uint32_t)s[i + 1] << 8;
		if (b.len - i > 2)
			v |= (uint32_t)s[i + 2];
		text[n++] = base64[v >> 18];
		text[n++] = base64[v >> 12 & 63];
		text[n++] = b.len - i > 1 ? base64[v >> 6 & 63] : '=';
		text[n++] = b.len - i > 2 ? base64[v & 63] : '=';
		if (n == sizeof(text)) {
			out_bytes(o, text, n);
			n = 0;
		}
	}
	out_bytes(o, text, n);
}

/* One character that may not stand in a JSON string as it is. */
static void
json_escape(struct out *o, unsigned c)
{
	const char *names = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (; *names != '\0'; names += 2) {
		if ((unsigned char)names[0] == c) {
			out_char(o, '\\');
			out_char(o, names[1]);
			return;
		}
	}
	out_text(o, "\\u00");
	out_char(o, digits[c >> 4]);
	out_char(o, digits[c & 15]);
}

void
encode_json(struct out *o, struct sblog_bytes b)
{
	const unsigned char *s = b.data;
	size_t from = 0, i = 0, n;

	out_char(o, '"');
	while (i < b.len) {
		if (s[i] >= 0x20 && s[i] < 0x7f && s[i] != '"' &&
		    s[i] != '\\') {
			i++;
			continue;
		}
		n = encode_utf8(s + i, b.len - i);
		/* C1 controls are characters of two bytes that a terminal
		 * obeys. */
		if (n > 1 && !(s[i] == 0xc2 && s[i + 1] < 0xa0)) {
			i += n;
			continue;
		}
		out_bytes(o, s + from, i - from);
		if (n == 0)
			out_text(o, "\xef\xbf\xbd");
		else
			json_escape(o, s[i + n - 1]);
		i += n == 0 ? 1 : n;
		from = i;
	}
	if (from < i)
		out_bytes(o, s + from, i - from);
	out_char(o, '"');
}

void
encode_visible(struct out *o, struct sblog_bytes b)
{
	const unsigned char *s = b.data;
	size_t i = 0, n;
	bool control;

	while (i < b.len) {
		n = encode_utf8(s + i, b.len - i);
		control = n == 1 ? (s[i] < 0x20 && s[i] != '\t') || s[i] == 0x7f
				 : n == 0 || (s[i] == 0xc2 && s[i + 1] < 0xa0);
		n = n == 0 ? 1 : n;
		if (!control)
			out_bytes(o, s + i, n);
		for (size_t j = i; control && j < i + n; j++) {
			out_text(o, "\\x");
			out_char(o, digits[s[j] >> 4]);
			out_char(o, digits[s[j] & 15]);
		}
		i += n;
	}
}

void
encode_int(struct out *o, uint64_t n, unsigned width, bool big)
{
	unsigned char bytes[8];

	for (unsigned i = 0; i < width; i++)
		bytes[i] = (unsigned char)(n >> 8 * (big ? width - 1 - i : i));
	out_bytes(o, bytes, width);
}

uint64_t
decode_int(const unsigned char *in, unsigned width, bool big)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < width; i++)
		n |= (uint64_t)in[i] << 8 * (big ? width - 1 - i : i);
	return n;
}

int
decode_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
decode_hex(const char *text, size_t len, unsigned char *buf, size_t *np)
{
	int high, low;

	if (len % 2 != 0)
		return false;
	for (size_t i = 0; i < len; i += 2) {
		high = decode_hex_digit(text[i]);
		low = decode_hex_digit(text[i + 1]);
		if (high < 0 || low < 0)
			return false;
		buf[i / 2] = (unsigned char)(high << 4 | low);
	}
	*np = len / 2;
	return true;
}

static int
base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool
decode_base64(const char *text, size_t len, unsigned char *buf, size_t *np)
{
	size_t n = 0, pad = 0;
	uint32_t v = 0;
	int digit;

	if (len % 4 != 0)
		return false;
	while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
		pad++;
	for (size_t i = 0; i < len; i++) {
		digit = i < len - pad ? base64_digit(text[i]) : 0;
		if (digit < 0)
			return false;
		v = v << 6 | (uint32_t)digit;
		if (i % 4 != 3)
			continue;
		buf[n++] = (unsigned char)(v >> 16);
		buf[n++] = (unsigned char)(v >> 8);
		buf[n++] = (unsigned char)v;
		/* One spelling per value: bits that are dropped are zero. */
		if (i + 1 == len && pad > 0 &&
		    (v & (pad == 1 ? 0xffu : 0xffffu)) != 0)
			return false;
		v = 0;
	}
	*np = n - pad;
	return true;
}

bool
decode_escape(const char **sp, char *cp)
{
	const char *s = *sp, *names = "n\nt\tr\r0\0\\\\";
	int high, low;

	if (*s == 'x') {
		if ((high = decode_hex_digit(s[1])) < 0 ||
		    (low = decode_hex_digit(s[2])) < 0)
			return false;
		*cp = (char)(high << 4 | low);
		*sp = s + 3;
		return true;
	}
	for (size_t i = 0; i < 10; i += 2) {
		if (*s == names[i]) {
			*cp = names[i + 1];
			*sp = s + 1;
			return true;
		}
	}
	return false;
}
