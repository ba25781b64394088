/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adit_kernel_ipsec.c: SAs for l2tpd (contract in adit_kernel_ipsec.h).
 *
 * The vtable is the same in strongSwan 5.9.8 and 6.0.1. Lifetimes are watched
 * by the engine, which sees the packets; it says when one is over.
 */
#include "charon-plugin/adit_kernel_ipsec.h"
#include "charon-plugin/adit_convert.h"

#include <daemon.h>

typedef struct private_adit_kernel_ipsec_t private_adit_kernel_ipsec_t;

struct private_adit_kernel_ipsec_t
{
	/** public interface */
	kernel_ipsec_t public;
	/** channel to the engine */
	adit_channel_t *channel;
};

METHOD(kernel_ipsec_t, get_features, kernel_feature_t,
	   private_adit_kernel_ipsec_t *this)
{
#ifdef ADIT_STRONGSWAN_6
	/* query_sa() tells the time of use: no query_policy() needed */
	return KERNEL_ESP_V3_TFC | KERNEL_SA_USE_TIME;
#else
	return KERNEL_ESP_V3_TFC;
#endif
}

METHOD(kernel_ipsec_t, get_spi, status_t, private_adit_kernel_ipsec_t *this,
	   host_t *src, host_t *dst, uint8_t protocol, uint32_t *spi)
{
	uint32_t allocated;

	if (protocol != IPPROTO_ESP)
	{
		return NOT_SUPPORTED;
	}
	if (!this->channel->alloc_spi(this->channel, src, &allocated))
	{
		DBG1(DBG_KNL, "no SPI for %#H: no random numbers", src);
		return FAILED;
	}
	*spi = htonl(allocated);
	return SUCCESS;
}

METHOD(kernel_ipsec_t, get_cpi, status_t, private_adit_kernel_ipsec_t *this,
	   host_t *src, host_t *dst, uint16_t *cpi)
{
	return NOT_SUPPORTED;
}

/**
 * Port of the peer's traffic selector, 0 if it is not a single one.
 */
static uint16_t selector_port(linked_list_t *list)
{
	traffic_selector_t *ts;
	uint16_t port;

	if (!list || list->get_first(list, (void **)&ts) != SUCCESS)
	{
		return 0;
	}
	port = ts->get_from_port(ts);
	return port == ts->get_to_port(ts) ? port : 0;
}

/**
 * Copy a key; an SA without one (AEAD's integrity) has length 0.
 */
static bool copy_key(chunk_t key, uint8_t *dst, uint8_t *len)
{
	if (key.len > CHARON_MSG_KEY_MAX)
	{
		return FALSE;
	}
	memcpy(dst, key.ptr, key.len);
	*len = (uint8_t)key.len;
	return TRUE;
}

METHOD(kernel_ipsec_t, add_sa, status_t, private_adit_kernel_ipsec_t *this,
	   kernel_ipsec_sa_id_t *id, kernel_ipsec_add_sa_t *data)
{
	struct charon_sa sa = {
		.spi = ntohl(id->spi),
		.inbound = data->inbound,
		.encap = data->encap,
		/* in: what the SA sets (set_mark_in=%same), out: what selects it */
		.mark = data->inbound ? data->mark.value : id->mark.value,
		.reqid = data->reqid,
		.local = adit_endpoint(data->inbound ? id->dst : id->src, data->encap),
		.peer = adit_endpoint(data->inbound ? id->src : id->dst, data->encap),
		.enc_alg = data->enc_alg,
		.int_alg = data->int_alg == AUTH_UNDEFINED ? 0 : data->int_alg,
		.hard_time_s = data->lifetime->time.life,
		.hard_bytes = data->lifetime->bytes.life,
		.hard_packets = data->lifetime->packets.life,
		.peer_port = selector_port(data->inbound ? data->src_ts : data->dst_ts),
	};
	status_t status = FAILED;

	if (id->proto != IPPROTO_ESP || data->mode != MODE_TRANSPORT || data->esn ||
		data->ipcomp)
	{
		DBG1(DBG_KNL, "only ESP in transport mode without ESN and IPComp "
					  "can be installed in l2tpd");
		return NOT_SUPPORTED;
	}
	if (copy_key(data->enc_key, sa.enc_key, &sa.enc_key_bytes) &&
		copy_key(data->int_key, sa.int_key, &sa.int_key_bytes) &&
		this->channel->add_sa(this->channel, &sa))
	{
		status = SUCCESS;
	}
	else
	{
		DBG1(DBG_KNL,
			 "SA %.8x of %#H refused: key too long, or the SPI is "
			 "in use by another client of that address",
			 sa.spi, data->inbound ? id->src : id->dst);
	}
	memwipe(&sa, sizeof(sa));
	return status;
}

METHOD(kernel_ipsec_t, update_sa, status_t, private_adit_kernel_ipsec_t *this,
	   kernel_ipsec_sa_id_t *id, kernel_ipsec_update_sa_t *data)
{
	/* not NOT_SUPPORTED: charon would start a rekey, that no client expects */
	return this->channel->update_sa(this->channel, ntohl(id->spi), id->src,
									id->dst, data->new_src, data->new_dst,
									data->new_encap)
			   ? SUCCESS
			   : FAILED;
}

METHOD(kernel_ipsec_t, query_sa, status_t, private_adit_kernel_ipsec_t *this,
	   kernel_ipsec_sa_id_t *id, kernel_ipsec_query_sa_t *data, uint64_t *bytes,
	   uint64_t *packets, time_t *time)
{
	adit_sad_use_t use;

	if (!this->channel->query_sa(this->channel, ntohl(id->spi), id->src,
								 id->dst, &use))
	{
		return NOT_FOUND;
	}
	if (bytes)
	{
		*bytes = use.bytes;
	}
	if (packets)
	{
		*packets = use.packets;
	}
	if (time)
	{
		*time = use.time;
	}
	return SUCCESS;
}

METHOD(kernel_ipsec_t, del_sa, status_t, private_adit_kernel_ipsec_t *this,
	   kernel_ipsec_sa_id_t *id, kernel_ipsec_del_sa_t *data)
{
	return this->channel->del_sa(this->channel, ntohl(id->spi), id->src,
								 id->dst)
			   ? SUCCESS
			   : NOT_FOUND;
}

METHOD(kernel_ipsec_t, add_policy, status_t, private_adit_kernel_ipsec_t *this,
	   kernel_ipsec_policy_id_t *id, kernel_ipsec_manage_policy_t *data)
{
	return SUCCESS;
}

METHOD(kernel_ipsec_t, query_policy, status_t,
	   private_adit_kernel_ipsec_t *this, kernel_ipsec_policy_id_t *id,
	   kernel_ipsec_query_policy_t *data, time_t *use_time)
{
	*use_time = 0;
	return SUCCESS;
}

METHOD(kernel_ipsec_t, del_policy, status_t, private_adit_kernel_ipsec_t *this,
	   kernel_ipsec_policy_id_t *id, kernel_ipsec_manage_policy_t *data)
{
	return SUCCESS;
}

METHOD(kernel_ipsec_t, flush, status_t, private_adit_kernel_ipsec_t *this)
{
	return SUCCESS;
}

METHOD(kernel_ipsec_t, bypass_socket, bool, private_adit_kernel_ipsec_t *this,
	   int fd, int family)
{
	return TRUE;
}

METHOD(kernel_ipsec_t, enable_udp_decap, bool,
	   private_adit_kernel_ipsec_t *this, int fd, int family, uint16_t port)
{
	return TRUE;
}

METHOD(kernel_ipsec_t, destroy, void, private_adit_kernel_ipsec_t *this)
{
	free(this);
}

kernel_ipsec_t *adit_kernel_ipsec_create(adit_channel_t *channel)
{
	private_adit_kernel_ipsec_t *this;

	INIT(this,
		 .public =
			 {
				 .get_features = _get_features,
				 .get_spi = _get_spi,
				 .get_cpi = _get_cpi,
				 .add_sa = _add_sa,
				 .update_sa = _update_sa,
				 .query_sa = _query_sa,
				 .del_sa = _del_sa,
				 .flush_sas = _flush,
				 .add_policy = _add_policy,
				 .query_policy = _query_policy,
				 .del_policy = _del_policy,
				 .flush_policies = _flush,
				 .bypass_socket = _bypass_socket,
				 .enable_udp_decap = _enable_udp_decap,
				 .destroy = _destroy,
			 },
		 .channel = channel, );
	return &this->public;
}
