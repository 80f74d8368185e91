/* SPDX-License-Identifier: ISC */
#include "lib/smtp/command.h"

/*
 * RFC 3461 section 4:  xtext = *( xchar / hexchar )
 *   xchar: any character between "!" (33) and "~" (126), except "+" and "="
 *   hexchar: "+" followed by two upper case hexadecimal digits; lower case is taken as well.
 */
static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

bool smtp_xtext_decode(struct slice text, struct str *out)
{
	size_t i;

	for (i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		int hi, lo;

		if (c <= 32 || c >= 127)
			return false;
		if (c != '+') {
			str_put_char(out, (char)c);
			continue;
		}
		if (text.len - i < 3)
			return false;
		hi = hex_value(text.data[i + 1]);
		lo = hex_value(text.data[i + 2]);
		if (hi < 0 || lo < 0 || (hi | lo) == 0)
			return false;
		str_put_char(out, (char)(hi << 4 | lo));
		i += 2;
	}
	return true;
}

void smtp_xtext_encode(struct str *out, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c <= 32 || c >= 127 || c == '+' || c == '=') {
			char hex[3] = {'+', digits[c >> 4], digits[c & 15]};

			str_put(out, hex, sizeof(hex));
		} else {
			str_put_char(out, (char)c);
		}
	}
}

void smtp_xtext_encode_utf8(struct str *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c <= 32 || c == 127 || c == '+' || c == '=' || c == '\\')
			str_printf(out, "\\x{%02X}", c);
		else
			str_put_char(out, (char)c);
	}
}
