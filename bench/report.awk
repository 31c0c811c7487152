# report.awk - figures of all rounds to a table, TSV or JSON.
#
#	awk -v format=table|tsv|json -v show=all|limits|peers [-v NAME=...]
#	    -f report.awk rows.tsv raw.tsv
#
# raw.tsv: round, program, figure, value, unit.  A figure of a row is the
# median over rounds, its ratio the median of the ratios within a round.

BEGIN {
	FS = OFS = "\t"
}

function text(s)
{
	gsub(/\\/, "\\\\", s)
	gsub(/"/, "\\\"", s)
	return "\"" s "\""
}

# A number for people: three digits that count.
function short(x)
{
	if (x >= 100)
		return sprintf("%.0f", x)
	return sprintf(x >= 10 ? "%.1f" : x >= 1 ? "%.2f" : "%.3f", x)
}

# The middle of list[1..n]; sorts it.
function median(list, n,    i, j, x)
{
	for (i = 2; i <= n; i++) {
		x = list[i]
		for (j = i - 1; j > 0 && list[j] > x; j--)
			list[j + 1] = list[j]
		list[j + 1] = x
	}
	return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}

# The picked one of several figures in a round, or "".
function picked(spec, pick, round,    list, part, n, i, key, best)
{
	best = ""
	n = split(spec, list, ",")
	for (i = 1; i <= n; i++) {
		split(list[i], part, ":")
		key = part[1] SUBSEP (part[3] != "" ? part[3] : part[2])
		if (!((key, round) in value))
			continue
		if (best == "" || (pick == "max") == (value[key, round] > best))
			best = value[key, round]
	}
	return best
}

# Do all bounds hold?  Without a ratio, one on it does not.
function holds(bounds, f, r,    list, n, i, x, y, most)
{
	n = split(bounds, list, ",")
	for (i = 1; i <= n; i++) {
		x = substr(list[i], 1, 1) == "f" ? f : r
		y = substr(list[i], 4) + 0
		most = substr(list[i], 2, 2) == "<="
		if (x == "" || (most ? x > y : x < y))
			return 0
	}
	return 1
}

function summarise(i,    round, f, r, fs, rs, refs, n, m, nr)
{
	for (round = 1; round <= rounds; round++) {
		f = picked(ours[i], pick[i], round)
		r = picked(theirs[i], pick[i], round)
		if (f != "")
			fs[++n] = f
		if (r != "")
			refs[++m] = r
		if (f != "" && r != "" && r > 0)
			rs[++nr] = f / r
	}
	figure[i] = n ? median(fs, n) : ""
	reference[i] = m ? median(refs, m) : ""
	ratio[i] = nr ? median(rs, nr) : ""
	if (figure[i] == "" || (theirs[i] != "-" && reference[i] == ""))
		verdict[i] = "not measured"
	else if (holds(aim[i], figure[i], ratio[i]))
		verdict[i] = "aim"
	else if (holds(must[i], figure[i], ratio[i]))
		verdict[i] = "must"
	else
		verdict[i] = "MISSED"
}

/^#/ {
	next
}

FILENAME ~ /rows\.tsv$/ {
	if ($5 == "-" || (only != "" && index("," only ",", "," $1 ",") == 0))
		next
	row[++rows] = $1
	what[rows] = $2
	unit[rows] = $3
	pick[rows] = $4
	ours[rows] = $5
	theirs[rows] = $6
	must[rows] = $7
	aim[rows] = $8
	next
}

{
	value[$2, $3, $1] = $4
	if ($1 > rounds)
		rounds = $1
	if (!(($2, $3) in seen)) {
		seen[$2, $3] = 1
		name[++names] = $2 OFS $3
		of[names] = $5
	}
}

# The figures of programs that match, as medians.
function print_programs(title, match_it,    i, part, round, list, n, head)
{
	for (i = 1; i <= names; i++) {
		split(name[i], part, OFS)
		if (part[1] !~ match_it)
			continue
		n = 0
		for (round = 1; round <= rounds; round++)
			if ((part[1], part[2], round) in value)
				list[++n] = value[part[1], part[2], round]
		if (!head++)
			printf "\n%s\n", title
		printf "  %-14s %-24s %10s %s\n", part[1], part[2],
		    short(median(list, n)), of[i]
	}
}

function print_table(    i)
{
	printf "%-62s %11s %11s %7s  %-11s %-8s %s\n", "measure; reference",
	    "sblog", "reference", "ratio", "must", "aim", "verdict"
	for (i = 1; i <= rows; i++)
		printf "%-62s %11s %11s %7s  %-11s %-8s %s\n",
		    substr(what[i] " [" unit[i] "]", 1, 62),
		    figure[i] == "" ? "-" : short(figure[i]),
		    reference[i] == "" ? "-" : short(reference[i]),
		    ratio[i] == "" ? "-" : short(ratio[i]),
		    must[i], aim[i], verdict[i]
}

function print_tsv(    i)
{
	for (i = 1; i <= rows; i++)
		print row[i], unit[i], figure[i], reference[i], ratio[i],
		    must[i], aim[i], verdict[i]
}

function number(x)
{
	return x == "" ? "null" : sprintf("%.9g", x)
}

function print_json(    i, round, part, sep)
{
	printf "{\"schema\":\"sblog.bench/1\",\"version\":%s,", text(version)
	printf "\"machine\":%s,\"date\":%s,", text(machine), text(date)
	printf "\"lines\":%d,\"rounds\":%d,\n\"rows\":[", lines, rounds
	for (i = 1; i <= rows; i++) {
		printf "%s\n{\"row\":%s,\"unit\":%s,", (i > 1 ? "," : ""),
		    text(row[i]), text(unit[i])
		printf "\"sblog\":%s,\"reference\":%s,\"ratio\":%s,",
		    number(figure[i]), number(reference[i]), number(ratio[i])
		printf "\"must\":%s,\"aim\":%s,\"verdict\":%s}", text(must[i]),
		    text(aim[i]), text(verdict[i])
	}
	printf "],\n\"figures\":["
	for (i = 1; i <= names; i++) {
		split(name[i], part, OFS)
		printf "%s\n{\"program\":%s,\"figure\":%s,\"unit\":%s,",
		    (i > 1 ? "," : ""), text(part[1]), text(part[2]), text(of[i])
		printf "\"values\":["
		sep = ""
		for (round = 1; round <= rounds; round++)
			if ((part[1], part[2], round) in value) {
				printf "%s%s", sep,
				    number(value[part[1], part[2], round])
				sep = ","
			}
		printf "]}"
	}
	print "]}"
}

END {
	if (show != "all")
		rows = 0
	for (i = 1; i <= rows; i++)
		summarise(i)
	if (format == "json") {
		print_json()
	} else if (format == "tsv") {
		print_tsv()
	} else {
		if (show == "all")
			print_table()
		if (show != "peers")
			print_programs("limits (medians)", "^limits$")
		if (show != "limits")
			print_programs("peers and library (medians)",
			    "^(peers_|lib_)")
	}
}
