/* SPDX-License-Identifier: ISC */
#include "lib/mail/date.h"

#include <stdio.h>
#include <stdlib.h>

/* strftime(3) would speak the language of the locale. */
void mail_date(char out[MAIL_DATE_MAX], time_t when)
{
	static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[12][4] = {
	    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct tm tm;
	long offset;

	if (!localtime_r(&when, &tm)) {
		when = 0;
		gmtime_r(&when, &tm);
	}
	offset = tm.tm_gmtoff / 60;
	snprintf(out, MAIL_DATE_MAX, "%s, %2d %s %d %02d:%02d:%02d %c%02ld%02ld (%.8s)",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
	    tm.tm_min, tm.tm_sec, offset < 0 ? '-' : '+', labs(offset) / 60, labs(offset) % 60,
	    tm.tm_zone ? tm.tm_zone : "UTC");
}
