/*
 * plot_svg.c - a plot, drawn by gnuplot.
 *
 * Nothing of a result reaches gnuplot as anything but a quoted text or a
 * number.  Lines and letters take the colour of the page (currentColor), so
 * that a drawing fits a light and a dark one.
 */
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/mem.h"
#include "bench/plot.h"

extern char **environ;

/* In the drawing a colour that becomes that of the page. */
#define INK "#010203"

/* Fit for white and for black; also told apart without seeing red or green. */
static const char *const colors[] = { "#2f81d8", "#dd7a1e", "#1b9e77",
	"#c259b5", "#8c8c1f", "#d1495b", "#5b8c9c", "#946a45" };

/* 'text' for gnuplot: quotes doubled, control bytes left out. */
static void
put_quoted(FILE *f, const char *text)
{
	(void)fputc('\'', f);
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			continue;
		if (*text == '\'')
			(void)fputc('\'', f);
		(void)fputc(*text, f);
	}
	(void)fputc('\'', f);
}

static void
put_axes(FILE *f, const struct plot *p)
{
	static const char si[] = "set format %c '%%.1s %%c'\n";

	if (p->x_axis != PLOT_LINEAR)
		fputs("set logscale x 10\n", f);
	if (p->bytes_x && p->x_axis == PLOT_LOG)
		fputs("set logscale x 2\nset format x '%.0b %B'\n", f);
	else if (p->x_axis == PLOT_LOG)
		fputs("set format x '%.0s %c'\n", f);
	if (p->x_axis == PLOT_PERCENT)
		fputs("set xtics ('0' 1, '50' 2, '90' 10, '99' 100, '99.9' "
		      "1000, '99.99' 1e4, '99.999' 1e5, '99.9999' 1e6)\n",
		    f);
	if (p->log_y)
		fputs("set logscale y 10\n", f);
	else
		fputs(strcmp(p->unit, "% of median") == 0
			? "set yrange [*<90:110<*]\n"
			: "set yrange [0:*]\n",
		    f);
	if (strcmp(p->unit, "ns") == 0 || strcmp(p->unit, "ns/op") == 0)
		fputs("set format y '%.0s %c'\n", f);
	else
		(void)fprintf(f, si, 'y');
}

/* Nanoseconds are drawn as seconds, so that the prefix of the scale fits. */
static double
scale_of(const struct plot *p)
{
	return strcmp(p->unit, "ns") == 0 || strcmp(p->unit, "ns/op") == 0
	    ? 1e-9
	    : 1;
}

static void
put_script(FILE *f, const struct plot *p, const char *name)
{
	double scale = scale_of(p);

	(void)fprintf(f,
	    "set terminal svg dynamic size 440,%zu noenhanced "
	    "font 'sans-serif,14' name '%s' linewidth 1.2\n"
	    "set border 3 lc rgb '" INK "'\n"
	    "set tics nomirror textcolor rgb '" INK "'\n"
	    "set grid lc rgb '#808080' lw 0.4 dt 2\n"
	    "set bmargin %.1f\n"
	    "set key below left Left reverse textcolor rgb '" INK "'\n",
	    290 + 24 * p->count, name, 3.9 + 1.0 * (double)p->count);
	put_axes(f, p);
	fputs("set xlabel ", f);
	put_quoted(f, p->x_label);
	fputs(" textcolor rgb '" INK "'\nset ylabel ", f);
	put_quoted(f,
	    strcmp(p->unit, "ns") == 0          ? "seconds"
		: strcmp(p->unit, "ns/op") == 0 ? "seconds per operation"
						: p->unit);
	fputs(" textcolor rgb '" INK "'\nset key maxcols 1\nplot ", f);
	for (size_t i = 0; i < p->count; i++) {
		(void)fprintf(f,
		    "%s'-' with %s lw 2 pt %zu ps 0.5 lc rgb '%s' "
		    "title ",
		    i == 0 ? "" : ", ",
		    p->x_axis == PLOT_PERCENT ? "lines" : "linespoints",
		    i % 2 ? (size_t)9 : (size_t)7,
		    colors[i % (sizeof(colors) / sizeof(colors[0]))]);
		put_quoted(f, p->lines[i].name);
	}
	(void)fputc('\n', f);
	for (size_t i = 0; i < p->count; i++) {
		for (size_t k = 0; k < p->lines[i].count; k++)
			(void)fprintf(f, "%.9g %.9g\n", p->lines[i].x[k],
			    p->lines[i].y[k] * scale);
		fputs("e\n", f);
	}
}

/* gnuplot < in > out; false if it did not end well. */
static bool
run_gnuplot(FILE *in, FILE *out)
{
	char program[] = "gnuplot", *argv[] = { program, NULL };
	posix_spawn_file_actions_t files;
	int status;
	pid_t pid;
	bool ok;

	if (posix_spawn_file_actions_init(&files) != 0)
		return false;
	ok = posix_spawn_file_actions_adddup2(&files, fileno(in), 0) == 0 &&
	    posix_spawn_file_actions_adddup2(&files, fileno(out), 1) == 0 &&
	    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", 1, 0) ==
		0 &&
	    posix_spawnp(&pid, program, &files, NULL, argv, environ) == 0;
	(void)posix_spawn_file_actions_destroy(&files);
	return ok && waitpid(pid, &status, 0) == pid && status == 0;
}

/* A copy in which the ink has the colour of the page; gnuplot writes it in two
 * ways, and says black where nothing was said. */
static char *
replace_ink(const char *svg)
{
	static const struct {
		const char *was, *is;
	} inks[] = {
		{ "rgb(1,2,3)", "currentColor" },
		{ "rgb(  1,   2,   3)", "currentColor" },
		{ "\"black\"", "\"currentColor\"" },
	};
	enum { INKS = sizeof(inks) / sizeof(inks[0]) };
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	while (f != NULL && *svg != '\0') {
		size_t i = 0;

		while (i < INKS &&
		    strncmp(svg, inks[i].was, strlen(inks[i].was)) != 0)
			i++;
		if (i < INKS) {
			fputs(inks[i].is, f);
			svg += strlen(inks[i].was);
		} else {
			(void)fputc(*svg++, f);
		}
	}
	if (f == NULL || fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* The text of f from "<svg" on; NULL: it is no drawing. */
static char *
take_svg(FILE *f)
{
	long end = fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
	char *text, *svg;
	size_t len;

	if (end <= 0)
		return NULL;
	text = mem_new((size_t)end + 1, 1);
	rewind(f);
	len = fread(text, 1, (size_t)end, f);
	text[len] = '\0';
	svg = strstr(text, "<svg");
	if (svg != NULL && strstr(svg, "</svg>") != NULL)
		svg = replace_ink(svg);
	else
		svg = NULL;
	free(text);
	return svg;
}

char *
plot_svg(const struct plot *p, const char *name)
{
	FILE *in = tmpfile(), *out = tmpfile();
	char *svg = NULL;

	if (in != NULL && out != NULL) {
		put_script(in, p, name);
		/* The position of the description is that of the child. */
		if (fflush(in) == 0 && fseek(in, 0, SEEK_SET) == 0 &&
		    run_gnuplot(in, out))
			svg = take_svg(out);
	}
	if (in != NULL)
		fclose(in);
	if (out != NULL)
		fclose(out);
	return svg;
}
