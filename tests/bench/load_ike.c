/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_ike.c: SAs by IKE (ikev1.h), beginning on port 500 and going on on
 * 4500, as clients behind a NAT do. Owns the socket of port 500, the key pair
 * that all clients share, and the rhythm of retransmissions.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/load.h"

#define SPI_CLIENT 0x20000000u /* + mark: inbound of the client */
#define T_AGAIN_MS 2000

static void
on_readable(void *ctx, int events)
{
	static uint8_t buf[LOAD_BUF_BYTES];
	struct load *l = ctx;
	ssize_t n;
	int i;

	(void)events;
	for (i = 0; i < LOAD_BATCH; i++) {
		n = recv(l->udp_ike, buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0)
			break;
		load_ike_input(l, rd_init(buf, (size_t)n));
	}
	l->changed(l);
}

int
load_ike_open(struct load *l)
{
	l->ike = (struct ikev1_config){
	    .psk = l->opt.psk,
	    .dh = ikev1_dh_new(l->opt.ike_suite),
	    .server = l->opt.server,
	    .gcm = strcmp(l->opt.suite, "aes256gcm16") == 0,
	    .tunnel = l->opt.ike_tunnel,
	};
	l->ike.server.port = LOAD_PORT_IKE;
	if (l->ike.dh == NULL) {
		fprintf(stderr, "load: no such suite: %s\n", l->opt.ike_suite);
		return -EINVAL;
	}
	l->udp_ike = wire_socket(LOAD_PORT_IKE);
	if (l->udp_ike < 0)
		return l->udp_ike;
	l->udp_ike_watch =
	    loop_fd_new(l->loop, l->udp_ike, LOOP_READ, on_readable, l);
	return l->udp_ike_watch != NULL ? 0 : -ENOMEM;
}

void
load_ike_close(struct load *l)
{
	loop_fd_free(l->udp_ike_watch);
	if (l->udp_ike >= 0)
		close(l->udp_ike);
	ikev1_dh_free(l->ike.dh);
}

static void
wait_for_answer(struct load_client *c)
{
	c->load->deadlines[c->number] = loop_now_ms(c->load->loop) + T_AGAIN_MS;
}

void
load_ike_start(struct load_client *c)
{
	struct load *l = c->load;

	c->spi_own = SPI_CLIENT + l->epoch_marks + c->number + 1;
	c->ike = ikev1_new(&l->ike, &c->address, c->number, c->spi_own);
	if (c->ike == NULL) {
		client_end(c, CLIENT_FAILED, "no-memory");
		return;
	}
	wire_ike(c, false, ikev1_start(c->ike));
	wait_for_answer(c);
}

void
load_ike_tick(struct load_client *c)
{
	struct load *l = c->load;

	l->ike_again++;
	wire_ike(c, ikev1_is_on_4500(c->ike), ikev1_again(c->ike));
	wait_for_answer(c);
}

static void
secured(struct load_client *c)
{
	struct esp_sa_params in = {.spi = 0}, out = {.spi = 0};

	ikev1_sa(c->ike, true, &in);
	ikev1_sa(c->ike, false, &out);
	c->spi_server = out.spi;
	c->has_sas = true;
	if (wire_install(c, &in) < 0 || wire_install(c, &out) < 0) {
		client_end(c, CLIENT_FAILED, "sa-refused");
		return;
	}
	client_secured(c);
}

void
load_ike_input(struct load *l, struct rd message)
{
	struct load_client *c;
	struct rd answer;
	uint32_t number;

	if (!ikev1_number_of(message, &number) || number >= l->opt.clients)
		return;
	c = &l->clients[number];
	if (c->ike == NULL || c->state != CLIENT_STARTING || c->has_sas)
		return;
	answer = ikev1_input(c->ike, message);
	if (ikev1_state_of(c->ike) == IKEV1_FAILED) {
		client_end(c, CLIENT_FAILED, ikev1_why(c->ike));
		return;
	}
	if (answer.left == 0)
		return;
	wire_ike(c, ikev1_is_on_4500(c->ike), answer);
	wait_for_answer(c);
	if (ikev1_state_of(c->ike) == IKEV1_UP)
		secured(c);
}

void
load_ike_end(struct load_client *c)
{
	struct rd message;

	if (c->ike == NULL)
		return;
	message = ikev1_delete(c->ike);
	if (message.left > 0)
		wire_ike(c, true, message);
	ikev1_free(c->ike);
	c->ike = NULL;
}
