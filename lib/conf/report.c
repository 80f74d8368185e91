/* SPDX-License-Identifier: ISC */
#include "lib/conf/conf.h"

void conf_report_fini(struct conf_report *report)
{
	str_fini(&report->text);
	str_fini(&report->warned);
	report->problems = report->warnings = 0;
}

void conf_report_problem(struct conf_report *report, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&report->text, fmt, ap);
	va_end(ap);
	str_put_char(&report->text, '\n');
	report->problems++;
}

void conf_report_warning(struct conf_report *report, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	str_vprintf(&report->warned, fmt, ap);
	va_end(ap);
	str_put_char(&report->warned, '\n');
	report->warnings++;
}
