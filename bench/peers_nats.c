/*
 * peers_nats.c - the work of common/peer.c with a stream of NATS JetStream.
 *
 * LIBS: -lpthread
 *
 * A server of its own on a port of 127.0.0.1, its files in the directory of the
 * run; it ends with this program.  NATS' protocol is lines of text, spoken here
 * without a library.  A batch is sent at once and then all acknowledgements are
 * read.  Version 2.9 acknowledges before it syncs and cannot be told
 * otherwise, so it has no durable appends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/measure.h"
#include "common/peer.h"
#include "common/place.h"
#include "common/work.h"

enum { PATIENCE_MS = 30000, IN = 1 << 20, OUT = 1 << 16, HEAD = 64 };

struct db {
	pid_t server;
	int fd;
	char in[IN], out[OUT];
	size_t in_at, in_len, out_len;
};

/* ---- lines ------------------------------------------------------------------ */

static void
flush(struct db *db)
{
	for (size_t at = 0; at < db->out_len;) {
		ssize_t n = write(db->fd, db->out + at, db->out_len - at);

		if (n <= 0)
			measure_fail("cannot write", "nats-server");
		at += (size_t)n;
	}
	db->out_len = 0;
}

static void
put(struct db *db, const char *data, size_t len)
{
	while (len > 0) {
		size_t n = OUT - db->out_len < len ? OUT - db->out_len : len;

		memcpy(db->out + db->out_len, data, n);
		db->out_len += n;
		data += n;
		len -= n;
		if (db->out_len == OUT)
			flush(db);
	}
}

static void
put_text(struct db *db, const char *text)
{
	put(db, text, strlen(text));
}

/* Have len bytes at db->in + db->in_at. */
static void
need(struct db *db, size_t len)
{
	if (db->in_at + len > IN) {
		memmove(db->in, db->in + db->in_at, db->in_len - db->in_at);
		db->in_len -= db->in_at;
		db->in_at = 0;
	}
	while (db->in_len - db->in_at < len) {
		ssize_t n = read(db->fd, db->in + db->in_len, IN - db->in_len);

		if (n <= 0)
			measure_fail("the connection ended", "nats-server");
		db->in_len += (size_t)n;
	}
}

/* The next line, without its end. */
static char *
line(struct db *db)
{
	size_t len = 0;
	char *at;

	for (;;) {
		need(db, len + 1);
		if (db->in[db->in_at + len] == '\n')
			break;
		len++;
	}
	at = db->in + db->in_at;
	db->in_at += len + 1;
	at[len > 0 ? len - 1 : 0] = '\0';
	return at;
}

/* The next message: its bytes, valid until the next call. */
static const char *
message(struct db *db, size_t *lenp)
{
	for (;;) {
		char *text = line(db);
		const char *last;

		if (strncmp(text, "PING", 4) == 0) {
			put_text(db, "PONG\r\n");
			flush(db);
		}
		if (strncmp(text, "-ERR", 4) == 0)
			measure_fail(text, "NATS");
		if (strncmp(text, "MSG ", 4) != 0 ||
		    (last = strrchr(text, ' ')) == NULL)
			continue;
		*lenp = strtoul(last + 1, NULL, 10);
		need(db, *lenp + 2);
		db->in_at += *lenp + 2;
		return db->in + db->in_at - *lenp - 2;
	}
}

static void
publish(struct db *db, const char *subject, const char *data, size_t len)
{
	char head[128];

	(void)snprintf(head, sizeof(head), "PUB %s _R %zu\r\n", subject, len);
	put_text(db, head);
	put(db, data, len);
	put_text(db, "\r\n");
}

/* What the server answers to a question of its API. */
static void
ask(struct db *db, const char *subject, const char *json, char *out,
    size_t size)
{
	const char *answer;
	size_t len;

	publish(db, subject, json, strlen(json));
	flush(db);
	answer = message(db, &len);
	(void)snprintf(out, size, "%.*s", (int)len, answer);
	if (strstr(out, "\"error\"") != NULL)
		measure_fail(out, subject);
}

/* ---- a server ------------------------------------------------------------- */

static int
free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		measure_fail("no port", "127.0.0.1");
	(void)close(fd);
	return ntohs(at.sin_port);
}

static _Noreturn void
serve(const char *path, const char *port)
{
	const char *const argv[] = { "nats-server", "-a", "127.0.0.1", "-p",
		port, "-js", "-sd", path, "-l", "/dev/null", NULL };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)execvp(argv[0], (char **)(uintptr_t)argv);
	_exit(127);
}

static bool
join(struct db *db, int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port) };
	int one = 1;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	db->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (db->fd >= 0 &&
	    connect(db->fd, (struct sockaddr *)&at, sizeof(at)) == 0) {
		(void)setsockopt(db->fd, IPPROTO_TCP, TCP_NODELAY, &one,
		    sizeof(one));
		return true;
	}
	(void)close(db->fd);
	return false;
}

static void *
nats_begin(const char *path)
{
	struct db *db = calloc(1, sizeof(*db));
	char answer[4096], text[16];
	bool joined = false;
	int port = free_port(), status;

	if (db == NULL)
		measure_fail("cannot allocate", "NATS");
	(void)snprintf(text, sizeof(text), "%d", port);
	(void)fflush(stdout);
	if ((db->server = fork()) == 0)
		serve(path, text);
	for (int ms = 0; ms < PATIENCE_MS && !joined; ms++) {
		if (waitpid(db->server, &status, WNOHANG) != 0)
			measure_skip("it is not installed, or does not start",
			    "nats-server");
		if (!(joined = join(db, port)))
			(void)usleep(1000);
	}
	if (!joined)
		measure_fail("does not answer", "nats-server");
	(void)line(db); /* INFO */
	put_text(db,
	    "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB _R 1\r\n");
	ask(db, "$JS.API.STREAM.CREATE.LOG",
	    "{\"name\":\"LOG\",\"subjects\":[\"log\"],\"storage\":\"file\","
	    "\"retention\":\"limits\",\"num_replicas\":1}",
	    answer, sizeof(answer));
	return db;
}

static void
nats_end(void *arg)
{
	struct db *db = arg;
	int status;

	(void)close(db->fd); /* nothing is outstanding */
	(void)kill(db->server, SIGTERM);
	(void)waitpid(db->server, &status, 0);
	free(db);
}

/* ---- the work ------------------------------------------------------------- */

static void
nats_append(void *arg, const struct peer_record *recs, size_t n, bool durable)
{
	struct db *db = arg;
	size_t len;

	if (durable)
		measure_skip("acknowledges before it syncs", "nats-server");
	for (size_t i = 0; i < n; i++)
		publish(db, "log", recs[i].value, recs[i].value_len);
	flush(db);
	for (size_t i = 0; i < n; i++) {
		const char *answer = message(db, &len);

		if (memmem(answer, len, "\"error\"", 7) != NULL)
			measure_fail("was refused", "NATS");
	}
}

/* Everything is sent to a subject of ours. */
static struct peer_sum
nats_scan(void *arg)
{
	static uint64_t scans;
	struct peer_sum sum = { 0, 0, 0 };
	struct db *db = arg;
	char answer[4096], text[256];
	const char *messages;
	uint64_t count;

	ask(db, "$JS.API.STREAM.INFO.LOG", "", answer, sizeof(answer));
	if ((messages = strstr(answer, "\"messages\":")) == NULL)
		measure_fail(answer, "STREAM.INFO");
	count = strtoull(messages + 11, NULL, 10);
	scans++;
	(void)snprintf(text, sizeof(text), "SUB _D%d 2\r\n", (int)scans);
	put_text(db, text);
	(void)snprintf(text, sizeof(text),
	    "{\"stream_name\":\"LOG\",\"config\":{\"deliver_subject\":\"_D%d\","
	    "\"deliver_policy\":\"all\",\"ack_policy\":\"none\"}}",
	    (int)scans);
	publish(db, "$JS.API.CONSUMER.CREATE.LOG", text, strlen(text));
	flush(db);
	/* One of the messages is the answer to that. */
	for (bool answered = false; sum.records < count || !answered;) {
		size_t len;
		const char *data = message(db, &len);

		if (!answered && len > HEAD && data[0] == '{' &&
		    memmem(data, len, "consumer_create_response", 24) != NULL)
			answered = true;
		else
			peer_see(&sum, data, len);
	}
	put_text(db, "UNSUB 2\r\n");
	flush(db);
	return sum;
}

int
main(int argc, char **argv)
{
	static const struct peer peer = {
		.name = "nats",
		.crew = CREW_PROCESSES,
		.open = nats_begin,
		.close = nats_end,
		.append = nats_append,
		.scan = nats_scan,
	};

	return peer_main(argc, argv, &peer);
}
