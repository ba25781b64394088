/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_proc.c: CPU, memory and descriptors of l2tpd's processes and of charon.
 * Trusts /proc.
 * CPU is what the scheduler counted in nanoseconds (schedstat) for all threads.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/load.h"

const char *const proc_names[PROC_COUNT] = {
    [PROC_MONITOR] = "monitor",
    [PROC_ENGINE] = "engine",
    [PROC_AUTHORITY] = "authority",
    [PROC_CHARON] = "charon",
};

static bool
has_role(int pid, const char *role)
{
	char path[64], line[512];
	size_t n, i;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	f = fopen(path, "r");
	if (f == NULL)
		return false;
	n = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[n] = '\0';
	for (i = 0; i < n; i += strlen(line + i) + 1)
		if (strcmp(line + i, role) == 0)
			return true;
	return false;
}

int
proc_find(struct proc_server *s, int monitor_pid, int charon_pid)
{
	char path[64];
	int pid, role;
	FILE *f;

	memset(s, 0, sizeof(*s));
	s->pid[PROC_CHARON] = charon_pid;
	if (monitor_pid == 0)
		return 0;
	s->pid[PROC_MONITOR] = monitor_pid;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", monitor_pid,
	    monitor_pid);
	f = fopen(path, "r");
	if (f == NULL)
		return -ESRCH;
	while (fscanf(f, "%d", &pid) == 1)
		for (role = PROC_ENGINE; role <= PROC_AUTHORITY; role++)
			if (has_role(pid, proc_names[role]))
				s->pid[role] = pid;
	fclose(f);
	return s->pid[PROC_ENGINE] != 0 && s->pid[PROC_AUTHORITY] != 0 ? 0
								       : -ESRCH;
}

static unsigned long long
schedstat_ns(int pid, const char *task)
{
	unsigned long long ns = 0;
	char path[320];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, task);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	fclose(f);
	return ns;
}

/* Entries of a folder; with cpu, adds up their times. -1: not there. */
static int
count_entries(int pid, const char *folder, unsigned long long *cpu)
{
	struct dirent *d;
	char path[64];
	int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, folder);
	dir = opendir(path);
	if (dir == NULL)
		return -1;
	while ((d = readdir(dir)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		n++;
		if (cpu != NULL)
			*cpu += schedstat_ns(pid, d->d_name);
	}
	closedir(dir);
	return n;
}

static void
read_memory(int pid, struct proc_figures *ret)
{
	char path[64], line[256];
	long kib;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	f = fopen(path, "r");
	if (f == NULL)
		return;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "Rss: %ld", &kib) == 1)
			ret->rss_kib = kib;
		else if (sscanf(line, "Pss: %ld", &kib) == 1)
			ret->pss_kib = kib;
		else if (sscanf(line, "Private_Clean: %ld", &kib) == 1 ||
		    sscanf(line, "Private_Dirty: %ld", &kib) == 1)
			ret->private_kib += kib;
	}
	fclose(f);
}

int
proc_read(struct proc_server *s)
{
	unsigned long long ns;
	struct proc_figures f;
	int i;

	for (i = 0; i < PROC_COUNT; i++) {
		if (s->pid[i] == 0)
			continue;
		ns = 0;
		memset(&f, 0, sizeof(f));
		f.descriptors = count_entries(s->pid[i], "fd", NULL);
		if (count_entries(s->pid[i], "task", &ns) <= 0 || ns == 0)
			return -ESRCH;
		f.cpu_s = (double)ns / 1e9;
		read_memory(s->pid[i], &f);
		s->now[i] = f;
	}
	return 0;
}
