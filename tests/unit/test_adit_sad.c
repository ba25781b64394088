/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_adit_sad.c: the charon plugin's table of SAs, with the installed
 * libstrongswan: an SPI that a peer chooses takes nobody's place, order of a
 * replay, moves, counters. In strongSwan's world, but with our own format.
 */
#include <library.h>

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "charon-plugin/adit_sad.h"

#ifdef ADIT_STRONGSWAN_6
#define SYMBOL_OTHER "diffie_hellman_init"
#else
#define SYMBOL_OTHER "key_exchange_init"
#endif

static struct charon_sa
an_sa(
    uint32_t spi, bool inbound, const char *peer, uint16_t port, uint32_t mark)
{
	struct charon_sa sa = {
	    .spi = spi,
	    .inbound = inbound,
	    .encap = true,
	    .mark = mark,
	};

	assert_true(endpoint_parse("198.51.100.1", 4500, &sa.local));
	assert_true(endpoint_parse(peer, port, &sa.peer));
	return sa;
}

static host_t *
host(const char *address, uint16_t port)
{
	return host_create_from_string((char *)address, port);
}

static int
setup(void **state)
{
	*state = adit_sad_create();
	return 0;
}

static int
teardown(void **state)
{
	adit_sad_t *sad = *state;

	sad->destroy(sad);
	return 0;
}

static void
test_spi_is_not_taken_over(void **state)
{
	adit_sad_t *sad = *state;
	struct charon_sa victim = an_sa(77, false, "203.0.113.9", 4500, 1),
			 thief = an_sa(77, false, "203.0.113.9", 61234, 2),
			 elsewhere = an_sa(77, false, "203.0.113.8", 4500, 3);

	assert_true(sad->add(sad, &victim));
	/* a neighbour behind the same NAT saw the SPI, and asks for it too */
	assert_false(sad->add(sad, &thief));
	/* behind another address it is another SA */
	assert_true(sad->add(sad, &elsewhere));
	/* the same client may say it again */
	assert_true(sad->add(sad, &victim));
}

static void
test_moves(void **state)
{
	adit_sad_t *sad = *state;
	struct charon_sa a = an_sa(77, false, "203.0.113.9", 4500, 1),
			 b = an_sa(77, false, "203.0.113.8", 4500, 2);
	host_t *us = host("198.51.100.1", 4500),
	       *at9 = host("203.0.113.9", 4500),
	       *at8 = host("203.0.113.8", 4500),
	       *at7 = host("203.0.113.7", 1024);
	struct charon_sa_update u;
	struct charon_sa_del d;
	bool larval;

	assert_true(sad->add(sad, &a) && sad->add(sad, &b));
	/* not onto another's place */
	assert_false(sad->update(sad, 77, us, at9, us, at8, TRUE, &u));
	assert_true(sad->update(sad, 77, us, at9, us, at7, TRUE, &u));
	assert_true(endpoint_equal(&u.old_peer, &a.peer));
	assert_int_equal(u.peer.port, 1024);
	assert_false(u.inbound);
	/* it is not where it was */
	assert_false(sad->remove(sad, 77, us, at9, &larval, &d));
	assert_true(sad->remove(sad, 77, us, at7, &larval, &d));
	assert_false(larval);
	assert_int_equal(d.peer.port, 1024);
	assert_false(sad->update(sad, 77, us, at7, us, at9, TRUE, &u));
	us->destroy(us);
	at9->destroy(at9);
	at8->destroy(at8);
	at7->destroy(at7);
}

static void
test_direction_is_found(void **state)
{
	adit_sad_t *sad = *state;
	struct charon_sa in = an_sa(77, true, "203.0.113.9", 4500, 1),
			 out = an_sa(77, false, "203.0.113.9", 4500, 1);
	host_t *us = host("198.51.100.1", 4500),
	       *peer = host("203.0.113.9", 4500);
	struct charon_sa_del d;
	adit_sad_use_t use;
	bool larval;

	/* the peer may choose the number that we chose */
	assert_true(sad->add(sad, &in) && sad->add(sad, &out));
	sad->set_use(sad, 77, TRUE, 1000, 10);
	sad->set_use(sad, 77, FALSE, 5, 1);
	sad->set_use(sad, 78, TRUE, 1, 1); /* unknown: nothing happens */
	assert_true(sad->query(sad, 77, peer, us, &use));
	assert_int_equal(use.bytes, 1000);
	assert_true(use.time != 0);
	assert_true(sad->query(sad, 77, us, peer, &use));
	assert_int_equal(use.bytes, 5);
	assert_true(sad->remove(sad, 77, peer, us, &larval, &d));
	assert_true(d.inbound);
	assert_true(sad->remove(sad, 77, us, peer, &larval, &d));
	assert_false(d.inbound);
	us->destroy(us);
	peer->destroy(peer);
}

static void
test_larval_spis(void **state)
{
	adit_sad_t *sad = *state;
	host_t *us = host("198.51.100.1", 4500),
	       *peer = host("203.0.113.9", 4500);
	struct charon_sa sa, *copies;
	struct charon_sa_del d;
	struct endpoint local;
	uint32_t first, second;
	u_int n_larval, count;
	bool larval;

	assert_true(sad->alloc_spi(sad, peer, &first));
	assert_true(sad->alloc_spi(sad, peer, &second));
	assert_true(first != second);
	assert_int_equal(first & 0xff, second & 0xff);
	assert_int_equal(first >> 28, 0xc);
	assert_int_equal(second >> 28, 0xc);
	assert_false(sad->get_local(sad, first, &local));
	sa = an_sa(first, true, "203.0.113.9", 4500, 1);
	assert_true(sad->add(sad, &sa));
	assert_true(sad->get_local(sad, first, &local));
	copies = sad->copy(sad, &n_larval, &count);
	assert_int_equal(n_larval, 1);
	assert_int_equal(count, 2);
	assert_int_equal(copies[0].spi, second);
	assert_int_equal(copies[1].spi, first);
	adit_sad_free_copies(copies, count);
	assert_true(sad->remove(sad, second, peer, us, &larval, &d));
	assert_true(larval);
	us->destroy(us);
	peer->destroy(peer);
}

static void
test_order_of_a_replay(void **state)
{
	adit_sad_t *sad = *state;
	struct charon_sa sa, *copies;
	u_int i, larval, count;

	copies = sad->copy(sad, &larval, &count);
	assert_null(copies);
	assert_int_equal(count, 0);
	for (i = 0; i < 3000; i++) {
		sa = an_sa(i * 7919 + 1, i & 1, "203.0.113.9", 4500, i);
		sa.enc_key[0] = (uint8_t)i;
		assert_true(sad->add(sad, &sa));
	}
	copies = sad->copy(sad, &larval, &count);
	assert_int_equal(larval, 0);
	assert_int_equal(count, 3000);
	for (i = 0; i < count; i++) {
		assert_int_equal(copies[i].mark, i);
		assert_int_equal(copies[i].enc_key[0], (uint8_t)i);
	}
	adit_sad_free_copies(copies, count);
}

#define SAD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* OpenSSL 3.5 leaves some of its own behind when strongSwan unloads it. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libcrypto.so\n";
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SAD(test_spi_is_not_taken_over),
	    SAD(test_moves),
	    SAD(test_direction_is_found),
	    SAD(test_larval_spis),
	    SAD(test_order_of_a_replay),
	};
	char empty[] = "/tmp/test_adit_sad.XXXXXX";
	bool ready;
	int rc, fd;

	if (dlsym(RTLD_DEFAULT, SYMBOL_OTHER) != NULL)
		return 77;   /* headers of another release than the library */
	fd = mkstemp(empty); /* not the system's configuration */
	if (fd < 0)
		return 1;
	ready = library_init(empty, "test") &&
	    lib->plugins->load(lib->plugins, "random openssl");
	close(fd);
	unlink(empty);
	if (!ready)
		return 1;
	dbg_default_set_level(0);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	library_deinit();
	return rc;
}
