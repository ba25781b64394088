# SPDX-License-Identifier: GPL-2.0-or-later
# size.awk: functions stay under 100 lines, files under 1,000, headers at 200.
# A file says EXCEPTION(rule 2) in a comment: in its first 30 lines for the
# file's size, inside or just above a function for that function's.
# Expects the house format: a function's braces stand alone in column 1.

function complain(line, what)
{
	printf "%s:%d: %s\n", file, line, what
	bad = 1
}

function end_of_file()
{
	if (file == "" || excused_file)
		return
	if (lines >= 1000)
		complain(lines, lines " lines: a file stays under 1,000")
	else if (file ~ /\.h$/ && lines > 200)
		complain(lines, lines " lines: a header has at most 200")
}

FNR == 1 {
	end_of_file()
	file = FILENAME
	excused_file = 0
	excused_at = -100
	start = body = 0
}

{ lines = FNR }

/EXCEPTION\(rule 2\)/ {
	if (FNR <= 30)
		excused_file = 1
	else
		excused_at = FNR
}

# the line that names the function; only the last one before { counts
body == 0 && /^[A-Za-z_][A-Za-z0-9_ ,*]*\(/ { start = FNR }

/^\{/ { body = FNR }

/^\}/ && body > 0 {
	if (start == 0)
		start = body
	if (FNR - start + 1 >= 100 && excused_at < start - 10)
		complain(start, "function of " (FNR - start + 1) \
		    " lines: it stays under 100")
	start = body = 0
}

END {
	end_of_file()
	exit bad
}
