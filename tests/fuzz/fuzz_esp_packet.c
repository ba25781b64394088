/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_esp_packet.c: what anybody can send to the server's ports, and what only
 * a client with a key can. First byte of the input:
 *   bits 0-1  0: a datagram on port 4500; 1: on the raw socket; 2: ESP text
 *             (payload and trailer) that gets a valid ICV; 3: an IKE datagram
 *   bit 2     AES-GCM instead of AES-CBC with HMAC-SHA1
 *   bit 3     in a callback, delete the SA
 */
#include <stdlib.h>
#include <string.h>

#include "l2tpd/esp/sa.h"
#include "l2tpd/plane/user/user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SPI_CBC 0xc0000001u
#define SPI_GCM 0xc0000002u

static struct user_plane *u;
static struct esp_table *keys; /* the client's */
static bool want_delete;
static volatile uint8_t sink;

static void
touch(struct rd r)
{
	uint8_t byte;

	while (rd_u8(&r, &byte))
		sink ^= byte;
	if (want_delete) {
		plane_sa_del(&u->base, SPI_CBC, true, NULL);
		plane_sa_del(&u->base, SPI_GCM, true, NULL);
	}
}

static void
on_ike(void *ctx, const struct endpoint *peer, const struct endpoint *local,
    struct rd data)
{
	(void)ctx, (void)peer, (void)local;
	touch(data);
}

static void
on_l2tp(void *ctx, uint32_t association, const struct endpoint *peer,
    uint16_t peer_port, struct rd data)
{
	(void)ctx, (void)peer, (void)peer_port;
	if (association != 1)
		abort();
	touch(data);
}

static void
on_ppp(void *ctx, uint32_t session, struct rd frame)
{
	(void)ctx;
	if (session != 1)
		abort();
	touch(frame);
}

static void
on_moved(void *ctx, uint32_t association, uint32_t spi_in,
    const struct endpoint *peer)
{
	(void)ctx, (void)association, (void)spi_in, (void)peer;
	touch(rd_init(NULL, 0));
}

static void
on_expired(void *ctx, uint32_t spi, bool inbound)
{
	(void)ctx, (void)spi, (void)inbound;
}

static void
on_unknown(void *ctx, const struct endpoint *peer, uint32_t spi)
{
	(void)ctx, (void)peer, (void)spi;
}

static void
on_offload_off(void *ctx, enum plane_offload what)
{
	(void)ctx, (void)what;
}

static const struct esp_sa_params *
sa_params(bool gcm, bool inbound)
{
	static struct esp_sa_params p;

	memset(&p, 0, sizeof(p));
	p.spi = gcm ? SPI_GCM : SPI_CBC;
	p.inbound = inbound;
	p.encap = true;
	p.association = 1;
	p.enc_alg = gcm ? ESP_ENC_AES_GCM_16 : ESP_ENC_AES_CBC;
	p.int_alg = gcm ? ESP_INT_NONE : ESP_INT_HMAC_SHA1_96;
	p.enc_key_bytes = gcm ? 20 : 16;
	p.int_key_bytes = gcm ? 0 : 20;
	memset(p.enc_key, 1, sizeof(p.enc_key));
	memset(p.int_key, 2, sizeof(p.int_key));
	return &p;
}

static void
start(void)
{
	const struct plane_config cfg = {
	    .udp500_fd = -1,
	    .udp4500_fd = -1,
	    .esp_fd = -1,
	    .tun_fd = -1,
	    .inner_mtu = 1400,
	    .outer_mtu = 1500,
	    .gateway = {10, 0, 0, 254},
	};
	const struct plane_events events = {
	    .ike = on_ike,
	    .l2tp = on_l2tp,
	    .ppp = on_ppp,
	    .service = on_ppp,
	    .moved = on_moved,
	    .expired = on_expired,
	    .unknown_spi = on_unknown,
	    .offload_off = on_offload_off,
	};
	const struct plane_session ps = {
	    1, 1, 0x0102, 0x0304, 0x0506, 0x0708, 1701};
	const uint8_t address[4] = {10, 0, 0, 1};

	u = (struct user_plane *)plane_user_new(
	    loop_new(), &cfg, &events, NULL);
	keys = esp_table_new();
	if (u == NULL || keys == NULL)
		abort();
	plane_session_add(&u->base, &ps);
	plane_session_open_ipv4(&u->base, 1, address, 1400);
}

/* ESP of the text as it stands: its trailer is the fuzzer's. */
static uint8_t *
seal(bool gcm, const uint8_t *text, size_t n, size_t *ret_bytes)
{
	struct transform_job j, *jp = &j;
	const struct esp_alg *alg;
	struct esp_sa *sa;
	uint8_t *p;
	size_t pad;

	if (esp_sa_add(keys, sa_params(gcm, false), 0, &sa) < 0)
		abort();
	alg = sa->alg;
	pad = (alg->align_bytes - n % alg->align_bytes) % alg->align_bytes;
	*ret_bytes = 8 + alg->iv_bytes + pad + n + alg->icv_bytes;
	p = calloc(1, *ret_bytes);
	if (p == NULL)
		abort();
	memcpy(p, gcm ? "\xc0\0\0\2\0\0\0\1" : "\xc0\0\0\1\0\0\0\1", 8);
	if (n > 0)
		memcpy(p + 8 + alg->iv_bytes + pad, text, n);
	j = (struct transform_job){.key = sa->key,
	    .head = p,
	    .text = p + 8 + alg->iv_bytes,
	    .text_bytes = pad + n};
	transform_encrypt(sa->via, alg, &jp, 1);
	return p;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;
	size_t n;
	bool gcm;

	if (u == NULL)
		start();
	if (size == 0 || size > 4096)
		return 0;
	gcm = (data[0] & 4) != 0;
	want_delete = (data[0] & 8) != 0;
	/* fresh SAs: no number was seen yet */
	plane_sa_add(&u->base, sa_params(gcm, true));
	if ((data[0] & 3) == 2) {
		copy = seal(gcm, data + 1, size - 1, &n);
	} else {
		n = size - 1;
		copy = malloc(n > 0 ? n : 1);
		if (copy == NULL)
			abort();
		memcpy(copy, data + 1, n);
	}
	u->rx.messages[0] = (struct io_message){
	    .data = copy, .len = n, .segment_bytes = n, .peer = {.family = 4}};
	rx_messages(u,
	    (data[0] & 3) == 1       ? PATH_ESP
		: (data[0] & 3) == 3 ? PATH_UDP500
				     : PATH_UDP4500,
	    1);
	free(copy);
	return 0;
}
