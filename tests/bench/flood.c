/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flood.c: small UDP datagrams, as many as the sender's core can make, and the
 * counter at the other end; and a look at a link, whether these datagrams can
 * be read on it. A datagram begins with a mark and a number, so that what was
 * counted is known to be ours, each once, and in which order.
 *
 *   flood send ADDRESS PORT BYTES SECONDS [PACKETS-A-SECOND]
 *   flood sink ADDRESS PORT      until SIGTERM
 *   flood watch DEVICE           until SIGTERM: frames, and those with the mark
 *
 * Each prints one JSON line at its end; sink and watch print "ready" first.
 * Owns nothing but its socket; trusts nobody, as it only counts.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MARK        "adit-bench-flood"
#define MARK_BYTES  16
#define MIN_BYTES   (MARK_BYTES + 8)
#define MAX_BYTES   1400
#define BATCH       32
#define FRAME_BYTES 65536
#define SEQ_BITS    26 /* numbers that are remembered: 8 MiB */
#define SOCK_BYTES  (4 << 20)
#define NS_PER_S    1000000000ull

static volatile sig_atomic_t ended;

static void
on_end(int sig)
{
	(void)sig;
	ended = 1;
}

static void
die(const char *what)
{
	fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t
now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static double
cpu_s(void)
{
	return (double)now_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9;
}

/* SIGTERM interrupts a read; nothing is lost between check and read because
 * the read also ends by itself every 100 ms. */
static void
catch_end(int fd)
{
	struct sigaction act = {.sa_handler = on_end};
	struct timeval tick = {.tv_usec = 100000};

	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof(tick)))
		die("SO_RCVTIMEO");
	puts("ready");
	fflush(stdout);
}

static int
udp_socket(const char *address, const char *port, struct sockaddr_in *ret)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int bytes = SOCK_BYTES;

	memset(ret, 0, sizeof(*ret));
	ret->sin_family = AF_INET;
	ret->sin_port = htons((uint16_t)atoi(port));
	if (fd < 0 || inet_pton(AF_INET, address, &ret->sin_addr) != 1)
		die(address);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	return fd;
}

/* ---- send ---- */

static uint8_t packets[BATCH][MAX_BYTES];

static void
number(uint8_t *packet, uint64_t seq)
{
	memcpy(packet + MARK_BYTES, &seq, sizeof(seq));
}

/* Sends one batch; the number of those that the kernel took. */
static uint64_t
send_batch(int fd, struct mmsghdr *batch, unsigned int count, uint64_t seq)
{
	int n;

	for (unsigned int i = 0; i < count; i++)
		number(packets[i], seq + i);
	n = sendmmsg(fd, batch, count, 0);
	if (n >= 0)
		return (uint64_t)n;
	/* refused: an ICMP error of a sink that is not there (any more) */
	if (errno == EINTR || errno == ENOBUFS || errno == ECONNREFUSED)
		return 0;
	die("sendmmsg");
	return 0;
}

static void
wait_until(uint64_t start_ns, uint64_t sent, uint64_t rate)
{
	uint64_t due_ns = start_ns + sent * NS_PER_S / rate;
	struct timespec t = {.tv_sec = (time_t)(due_ns / NS_PER_S),
	    .tv_nsec = (long)(due_ns % NS_PER_S)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static int
do_send(char **argv, int argc)
{
	struct sockaddr_in to;
	struct mmsghdr batch[BATCH] = {0};
	struct iovec iov[BATCH];
	size_t bytes = (size_t)atoi(argv[2]);
	uint64_t sent = 0, start_ns, span_ns, rate = 0;
	int fd = udp_socket(argv[0], argv[1], &to);

	if (bytes < MIN_BYTES || bytes > MAX_BYTES) {
		fprintf(
		    stderr, "flood: bytes: %d to %d\n", MIN_BYTES, MAX_BYTES);
		return 2;
	}
	if (argc > 4)
		rate = strtoull(argv[4], NULL, 10);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("connect");
	for (int i = 0; i < BATCH; i++) {
		memcpy(packets[i], MARK, MARK_BYTES);
		iov[i] = (struct iovec){packets[i], bytes};
		batch[i].msg_hdr.msg_iov = &iov[i];
		batch[i].msg_hdr.msg_iovlen = 1;
	}
	start_ns = now_ns(CLOCK_MONOTONIC);
	span_ns = (uint64_t)(atof(argv[3]) * 1e9);
	while (now_ns(CLOCK_MONOTONIC) - start_ns < span_ns) {
		sent += send_batch(fd, batch, rate ? 1 : BATCH, sent);
		if (rate)
			wait_until(start_ns, sent, rate);
	}
	span_ns = now_ns(CLOCK_MONOTONIC) - start_ns;
	printf("{\"sent\": %llu, \"seconds\": %.6f, \"cpu_s\": %.6f}\n",
	    (unsigned long long)sent, (double)span_ns / 1e9, cpu_s());
	return 0;
}

/* ---- sink ---- */

struct sink {
	uint64_t got, bytes, twice, late, foreign, next;
	uint8_t *seen; /* a bit for each number */
};

static void
count_one(struct sink *s, const uint8_t *packet, size_t bytes)
{
	uint64_t seq;
	uint8_t bit;

	if (bytes < MIN_BYTES || memcmp(packet, MARK, MARK_BYTES) != 0) {
		s->foreign++;
		return;
	}
	memcpy(&seq, packet + MARK_BYTES, sizeof(seq));
	seq &= (1u << SEQ_BITS) - 1;
	bit = (uint8_t)(1u << (seq & 7));
	if (s->seen[seq >> 3] & bit) {
		s->twice++;
		return;
	}
	s->seen[seq >> 3] |= bit;
	s->got++;
	s->bytes += bytes;
	if (seq < s->next)
		s->late++;
	else
		s->next = seq + 1;
}

static int
do_sink(char **argv, int argc)
{
	struct sockaddr_in on;
	struct mmsghdr batch[BATCH] = {0};
	struct iovec iov[BATCH];
	struct sink s = {0};
	int n, fd = udp_socket(argv[0], argv[1], &on);

	(void)argc;
	s.seen = calloc(1, 1u << (SEQ_BITS - 3));
	if (!s.seen || bind(fd, (struct sockaddr *)&on, sizeof(on)))
		die("bind");
	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){packets[i], MAX_BYTES};
		batch[i].msg_hdr.msg_iov = &iov[i];
		batch[i].msg_hdr.msg_iovlen = 1;
	}
	catch_end(fd);
	while (!ended) {
		n = recvmmsg(fd, batch, BATCH, MSG_WAITFORONE, NULL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			die("recvmmsg");
		for (int i = 0; i < n; i++)
			count_one(&s, packets[i], batch[i].msg_len);
	}
	printf("{\"got\": %llu, \"bytes\": %llu, \"twice\": %llu, "
	       "\"late\": %llu, \"foreign\": %llu, \"cpu_s\": %.6f}\n",
	    (unsigned long long)s.got, (unsigned long long)s.bytes,
	    (unsigned long long)s.twice, (unsigned long long)s.late,
	    (unsigned long long)s.foreign, cpu_s());
	free(s.seen);
	return 0;
}

/* ---- watch ---- */

static int
do_watch(char **argv, int argc)
{
	static uint8_t frame[FRAME_BYTES];
	struct sockaddr_ll on = {.sll_family = AF_PACKET,
	    .sll_protocol = htons(ETH_P_ALL),
	    .sll_ifindex = (int)if_nametoindex(argv[0])};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	unsigned long long frames = 0, marked = 0;
	ssize_t n;

	(void)argc;
	if (fd < 0 || !on.sll_ifindex ||
	    bind(fd, (struct sockaddr *)&on, sizeof(on)))
		die(argv[0]);
	catch_end(fd);
	while (!ended) {
		n = recv(fd, frame, sizeof(frame), 0);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			die("recv");
		if (n <= 0)
			continue;
		frames++;
		if (memmem(frame, (size_t)n, MARK, MARK_BYTES))
			marked++;
	}
	printf("{\"frames\": %llu, \"marked\": %llu}\n", frames, marked);
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int min_args;
		int (*run)(char **argv, int argc);
	} modes[] = {
	    {"send", 4, do_send}, {"sink", 2, do_sink}, {"watch", 1, do_watch}};

	for (size_t i = 0; argc > 1 && i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(argv[1], modes[i].name) &&
		    argc - 2 >= modes[i].min_args)
			return modes[i].run(argv + 2, argc - 2);
	fputs("usage: flood send ADDRESS PORT BYTES SECONDS [RATE] |\n"
	      "       flood sink ADDRESS PORT | flood watch DEVICE\n",
	    stderr);
	return 2;
}
