# SPDX-License-Identifier: GPL-2.0-or-later
# layers.awk: check the includes of C files against the table of layers.
# Usage: awk -f layers.awk layers FILE...   Paths are relative to the top.
# Prints one line a violation; the exit status is 1 when there was one.

function complain(what)
{
	printf "%s:%d: %s\n", FILENAME, FNR, what
	bad = 1
}

# The row of the table that counts for a file.
function row_of(file,    best, r)
{
	best = ""
	for (r in allowed)
		if ((file == r || index(file, r "/") == 1) &&
		    length(r) > length(best))
			best = r
	return best
}

function is_allowed(row, header,    list, n, i)
{
	n = split(allowed[row], list, " ")
	for (i = 1; i <= n; i++)
		if (index(header, list[i]) == 1)
			return 1
	return 0
}

BEGIN {
	n = split("base/log.h base/loop.h base/imsg.h base/ratelimit.h " \
	    "ev.h unistd.h time.h fcntl.h syslog.h poll.h " \
	    "sys/socket.h sys/time.h sys/uio.h sys/epoll.h sys/random.h " \
	    "sys/ioctl.h sys/wait.h signal.h", list, " ")
	for (i = 1; i <= n; i++)
		impure[list[i]] = 1
	delete impure["base/ratelimit.h"] # its clock is a parameter
}

NR == FNR { # the table
	if ($0 ~ /^#/ || NF == 0)
		next
	is_pure = ($1 == "PURE")
	name = is_pure ? $2 : $1
	sub(/:$/, "", name)
	rest = $0
	sub(/^[^:]*:/, "", rest)
	allowed[name] = rest
	pure[name] = is_pure
	next
}

FNR == 1 {
	row = row_of(FILENAME)
	if (row == "")
		complain("no layer: add its folder to tests/lint/layers")
}

row != "" && /^[ \t]*#[ \t]*include[ \t]*["<]/ {
	quoted = ($0 ~ /"/)
	header = $0
	sub(/^[^"<]*["<]/, "", header)
	sub(/[">].*$/, "", header)
	if (pure[row] && header in impure)
		complain(header " in a pure layer")
	if (!quoted || header == "config.h")
		next
	if (header !~ /\//) {
		# in the plugins' hosts' dialect a neighbour has no folder
		if (row ~ /plugin$/)
			next
		complain("write the include from the top: " header)
	} else if (!is_allowed(row, header))
		complain(row " may not include " header)
}

END { exit bad }
