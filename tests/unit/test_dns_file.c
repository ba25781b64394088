/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_dns_file.c: /etc/resolv.conf for the time of a tunnel, in a folder of
 * its own: set, restored, after a crash, beside another client, and written by
 * somebody else meanwhile.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "l2tpd/monitor/dns.h"

static const uint8_t dns[2][4] = {{192, 0, 2, 53}, {192, 0, 2, 54}};
static const char old[] = "search example.org\nnameserver 10.0.0.1\n"
			  "options edns0\n";
static char dir[] = "/tmp/adit-dns-XXXXXX";
static struct dns_file file;
static char path[64], saved[64], copy[64];

static void
put(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static const char *
get(void)
{
	static char buf[1024];
	FILE *f = fopen(path, "r");
	size_t n;

	if (f == NULL)
		return "(none)";
	n = fread(buf, 1, sizeof(buf) - 1, f);
	buf[n] = '\0';
	fclose(f);
	return buf;
}

static int
begin(void **state)
{
	(void)state;
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/resolv.conf", dir);
	snprintf(saved, sizeof(saved), "%s/saved", dir);
	snprintf(copy, sizeof(copy), "%s/copy", dir);
	file = (struct dns_file){path, saved, copy, "/run/one"};
	return 0;
}

static int
end(void **state)
{
	(void)state;
	unlink(path);
	unlink(saved);
	unlink(copy);
	return rmdir(dir); /* nothing else was left */
}

static void
test_there_and_back(void **state)
{
	struct stat before, after;

	(void)state;
	put(old);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(dns_file_set(&file, dns), 0);
	assert_non_null(strstr(get(),
	    "\nnameserver 192.0.2.53\n"
	    "nameserver 192.0.2.54\n"));
	assert_non_null(strstr(get(), "search example.org\n"));
	assert_non_null(strstr(get(), "options edns0\n"));
	assert_null(strstr(get(), "10.0.0.1"));
	assert_int_equal(dns_file_restore(&file), 0);
	assert_string_equal(get(), old);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(access(saved, F_OK), -1);
	assert_int_equal(dns_file_restore(&file), 0); /* once is enough */
	assert_string_equal(get(), old);
}

static void
test_symbolic_link(void **state)
{
	char target[64];
	ssize_t n;

	(void)state;
	assert_int_equal(symlink("elsewhere", path), 0);
	assert_int_equal(dns_file_set(&file, dns), 0);
	assert_non_null(strstr(get(), "nameserver 192.0.2.53\n"));
	assert_int_equal(dns_file_restore(&file), 0);
	n = readlink(path, target, sizeof(target) - 1);
	assert_int_equal(n, 9);
	assert_memory_equal(target, "elsewhere", 9);
}

static void
test_there_was_none(void **state)
{
	(void)state;
	assert_int_equal(dns_file_set(&file, dns), 0);
	assert_non_null(strstr(get(), "nameserver 192.0.2.53\n"));
	assert_int_equal(dns_file_restore(&file), 0);
	assert_string_equal(get(), "(none)");
}

static void
test_other_client(void **state)
{
	struct dns_file other = file;

	(void)state;
	other.owner = "/run/one-more";
	put(old);
	assert_int_equal(dns_file_set(&file, dns), 0);
	assert_int_equal(dns_file_set(&other, dns), -EBUSY);
	assert_int_equal(dns_file_restore(&other), 0);
	assert_non_null(strstr(get(), "nameserver 192.0.2.53\n"));
	assert_int_equal(dns_file_restore(&file), 0);
	assert_string_equal(get(), old);
}

static void
test_written_meanwhile(void **state)
{
	(void)state;
	put(old);
	assert_int_equal(dns_file_set(&file, dns), 0);
	assert_int_equal(unlink(path), 0);
	put("nameserver 10.9.9.9\n");
	assert_int_equal(dns_file_restore(&file), 0);
	assert_string_equal(get(), "nameserver 10.9.9.9\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_there_and_back, begin, end),
	    cmocka_unit_test_setup_teardown(test_symbolic_link, begin, end),
	    cmocka_unit_test_setup_teardown(test_there_was_none, begin, end),
	    cmocka_unit_test_setup_teardown(test_other_client, begin, end),
	    cmocka_unit_test_setup_teardown(test_written_meanwhile, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
