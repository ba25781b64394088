# SPDX-License-Identifier: GPL-2.0-or-later
# log-messages.awk: the page of all log messages, from base/msgs.def. Reads whole
# entries MSG(ID, "name", LEVEL, "meaning", "advice"), which may span lines and
# whose strings may be several literals in a row.

function trim(s)
{
	gsub(/^[ \t\n]+|[ \t\n]+$/, "", s)
	return s
}

# The next argument of the text in `rest` (cut off from it), strings joined.
function argument(    out, c, in_string, seen_string)
{
	out = ""
	in_string = seen_string = 0
	while (length(rest) > 0) {
		c = substr(rest, 1, 1)
		rest = substr(rest, 2)
		if (in_string && c == "\\") {
			out = out substr(rest, 1, 1)
			rest = substr(rest, 2)
		} else if (c == "\"") {
			in_string = !in_string
			seen_string = 1
		} else if (!in_string && (c == "," || c == ")")) {
			break
		} else if (in_string || c !~ /[ \t\n]/) {
			out = out c
		}
	}
	return out
}

{ text = text $0 "\n" }

END {
	print "<!-- SPDX-License-Identifier: GPL-2.0-or-later -->"
	print "<!-- made from base/msgs.def by `make log-messages` -->"
	print "# Log messages"
	print ""
	print "Every line of the log is `name key=value ...`. The name comes" \
	    " first and does not change"
	print "between versions. Lines that a peer can cause are limited for" \
	    " each name: 20 at once, then 2 a"
	print "second; `dropped=N` tells how many were left out. Values that" \
	    " a peer chose are escaped (`\\xNN`)."
	print ""
	print "| name | level | what it means | what to do |"
	print "|---|---|---|---|"
	gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "", text)
	while ((at = index(text, "MSG(")) > 0) {
		rest = substr(text, at + 4)
		argument()
		name = argument()
		level = tolower(argument())
		peer = sub(/_peer$/, "", level)
		meaning = argument()
		advice = argument()
		gsub(/\|/, "\\|", meaning)
		gsub(/\|/, "\\|", advice)
		printf "| `%s` | %s%s | %s | %s |\n", name, level,
		    peer ? ", limited" : "", trim(meaning), trim(advice)
		text = rest
	}
}
