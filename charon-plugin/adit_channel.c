/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adit_channel.c: the plugin's end of the channel (contract in
 * adit_channel.h).
 *
 * Locks: `mutex` serialises what is sent, and holds during a change of the
 * table together with its record, so that the engine sees changes in the order
 * in which they were made and none between a replay and its end. The table has
 * its own lock inside, for query_sa(). Only the receiving thread opens and
 * closes the descriptor; others shut it down when the engine does not keep up,
 * which the receiver sees as its end. Then everything is told again.
 */
#include "charon-plugin/adit_channel.h"
#include "charon-plugin/adit_convert.h"

#include <daemon.h>
#include <threading/mutex.h>
#include <threading/thread.h>

#include <errno.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/** Pause between attempts to connect, while the engine is away */
#define CONNECT_PAUSE_MS 100

/** How long an engine may stop reading during a replay */
#define REPLAY_PATIENCE_MS 5000

/** Room for records on their way to the engine */
#define SEND_BUFFER_BYTES (4 * 1024 * 1024)

/** Type, id and the largest payload: IKE message with two endpoints */
#define RECORD_MAX (8 + 64 + CHARON_MSG_IKE_MAX)

/** RFC 3948 2.2 */
#define MARKER_BYTES 4

typedef struct private_adit_channel_t private_adit_channel_t;

struct private_adit_channel_t
{
	/** public interface */
	adit_channel_t public;
	/** SAs and SPIs */
	adit_sad_t *sad;
	/** serialises sending */
	mutex_t *mutex;
	/** where the engine listens */
	struct sockaddr_un addr;
	/** connection, -1 if none */
	int fd;
	/** the absence of the engine has been logged */
	bool missing;
	/** drawn once per life of this process */
	uint64_t epoch;
};

/**
 * Start a record.
 */
static struct wr record(uint8_t *buf, size_t len, enum charon_msg_type type)
{
	struct wr w = wr_init(buf, len);

	wr_be32(&w, type);
	wr_be32(&w, 0);
	return w;
}

/**
 * Send a record, waiting for room up to a number of milliseconds. The mutex
 * is held. If it gets lost, it depends on what it was: see give_up().
 */
static bool send_record(private_adit_channel_t *this, const struct wr *w,
						int patience_ms)
{
	struct pollfd pfd = {.fd = this->fd, .events = POLLOUT};
	ssize_t len;

	if (this->fd == -1 || !wr_ok(w))
	{
		return FALSE;
	}
	while (TRUE)
	{
		len = send(this->fd, w->buf, w->len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (len == (ssize_t)w->len)
		{
			return TRUE;
		}
		if (len < 0 && errno == EINTR)
		{
			continue;
		}
		if (len >= 0 || errno != EAGAIN || !patience_ms ||
			poll(&pfd, 1, patience_ms) != 1)
		{
			return FALSE;
		}
	}
}

/**
 * The engine missed something that it has to know: make it start again.
 */
static void give_up(private_adit_channel_t *this)
{
	if (this->fd != -1)
	{
		shutdown(this->fd, SHUT_RDWR);
	}
}

/**
 * Send a record that carries only an SPI. The mutex is held.
 */
static bool send_spi(private_adit_channel_t *this, enum charon_msg_type type,
					 uint32_t spi, int patience_ms)
{
	uint8_t buf[16];
	struct wr w = record(buf, sizeof(buf), type);

	wr_be32(&w, spi);
	return send_record(this, &w, patience_ms);
}

/**
 * Send an SA with its keys. The mutex is held.
 */
static bool send_sa(private_adit_channel_t *this, const struct charon_sa *sa,
					int patience_ms)
{
	uint8_t buf[512];
	struct wr w = record(buf, sizeof(buf), CHARON_MSG_SA_ADD);
	bool sent;

	sent = charon_msg_put_sa(&w, sa) && send_record(this, &w, patience_ms);
	memwipe(buf, sizeof(buf));
	return sent;
}

/**
 * Tell a new engine everything. The mutex is held.
 */
static bool replay(private_adit_channel_t *this)
{
	struct charon_sa *copies;
	uint8_t buf[32];
	struct wr w;
	u_int i, larval, count;
	bool sent;

	w = record(buf, sizeof(buf), CHARON_MSG_HELLO);
	wr_be32(&w, CHARON_MSG_VERSION);
	wr_be64(&w, this->epoch);
	sent = send_record(this, &w, REPLAY_PATIENCE_MS);
	copies = this->sad->copy(this->sad, &larval, &count);
	for (i = 0; sent && i < count; i++)
	{
		sent = i < larval ? send_spi(this, CHARON_MSG_SPI_NEW, copies[i].spi,
									 REPLAY_PATIENCE_MS)
						  : send_sa(this, &copies[i], REPLAY_PATIENCE_MS);
	}
	adit_sad_free_copies(copies, count);
	w = record(buf, sizeof(buf), CHARON_MSG_SYNC_END);
	if (sent && send_record(this, &w, REPLAY_PATIENCE_MS))
	{
		DBG1(DBG_DMN, "connected to l2tpd, %u SAs told", count - larval);
		return TRUE;
	}
	DBG1(DBG_DMN, "l2tpd does not read what charon says: %s", strerror(errno));
	return FALSE;
}

/**
 * Try to connect and to tell everything.
 */
static bool attach(private_adit_channel_t *this)
{
	int fd, size = SEND_BUFFER_BYTES;
	bool attached;

	/* non-blocking: connect() would wait for an engine that hangs */
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
	{
		return FALSE;
	}
	if (connect(fd, (struct sockaddr *)&this->addr, sizeof(this->addr)))
	{
		if (!this->missing)
		{
			DBG1(DBG_DMN, "waiting for l2tpd at %s: %s", this->addr.sun_path,
				 strerror(errno));
			this->missing = TRUE;
		}
		close(fd);
		return FALSE;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
	{
		DBG2(DBG_DMN, "SO_SNDBUFFORCE: %s", strerror(errno));
	}
	this->missing = FALSE;
	this->mutex->lock(this->mutex);
	this->fd = fd;
	attached = replay(this);
	if (!attached)
	{
		this->fd = -1;
	}
	this->mutex->unlock(this->mutex);
	if (!attached)
	{
		close(fd);
	}
	return attached;
}

/**
 * Close the connection.
 */
static void detach(private_adit_channel_t *this, const char *why)
{
	DBG1(DBG_DMN, "connection to l2tpd ended: %s", why);
	this->mutex->lock(this->mutex);
	close(this->fd);
	this->fd = -1;
	this->mutex->unlock(this->mutex);
}

/**
 * Does charon expect the non-ESP marker between these ports? The rule of its
 * sender and receiver, not that of RFC 3948.
 */
static bool has_marker(uint16_t port, uint16_t other)
{
	return port != IKEV2_UDP_PORT && other != IKEV2_UDP_PORT;
}

/**
 * An IKE message from the engine: what charon's receiver expects of a socket.
 */
static bool handle_ike(struct rd *r, packet_t **packet)
{
	static const uint8_t marker[MARKER_BYTES] = {};
	struct charon_ike ike;
	host_t *local, *peer;
	chunk_t data;

	if (!charon_msg_get_ike(r, &ike))
	{
		return FALSE;
	}
	local = adit_host(&ike.local);
	peer = adit_host(&ike.peer);
	if (!local || !peer)
	{
		DESTROY_IF(local);
		DESTROY_IF(peer);
		return FALSE;
	}
	data = chunk_create((u_char *)ike.data.p, ike.data.left);
	if (has_marker(ike.local.port, ike.peer.port))
	{
		data = chunk_cat("cc", chunk_from_thing(marker), data);
	}
	else
	{
		data = chunk_clone(data);
	}
	*packet = packet_create_from_data(peer, local, data);
	return TRUE;
}

/**
 * The engine saw authenticated ESP from another address.
 */
static bool handle_mapping(private_adit_channel_t *this, struct rd *r)
{
	struct endpoint local, peer;
	host_t *dst, *remote;
	uint32_t spi;

	if (!rd_be32(r, &spi) || !charon_msg_get_endpoint(r, &peer) || !rd_end(r))
	{
		return FALSE;
	}
	if (this->sad->get_local(this->sad, spi, &local))
	{
		dst = adit_host(&local);
		remote = adit_host(&peer);
		if (dst && remote)
		{
			charon->kernel->mapping(charon->kernel, IPPROTO_ESP, htonl(spi),
									dst, remote);
		}
		DESTROY_IF(dst);
		DESTROY_IF(remote);
	}
	return TRUE;
}

/**
 * The engine says that an SA reached a limit.
 */
static bool handle_expire(private_adit_channel_t *this, struct rd *r)
{
	struct endpoint local;
	uint32_t spi;
	uint8_t hard;
	host_t *dst;

	if (!rd_be32(r, &spi) || !rd_u8(r, &hard) ||
		!charon_msg_get_endpoint(r, &local) || !rd_end(r))
	{
		return FALSE;
	}
	if (this->sad->get_local(this->sad, spi, &local))
	{
		dst = adit_host(&local);
		if (dst)
		{
			charon->kernel->expire(charon->kernel, IPPROTO_ESP, htonl(spi), dst,
								   hard != 0);
			dst->destroy(dst);
		}
	}
	return TRUE;
}

/**
 * Counters.
 */
static bool handle_use(private_adit_channel_t *this, struct rd *r)
{
	uint64_t bytes, packets;
	uint32_t spi;
	uint8_t inbound;

	if (!rd_be32(r, &spi) || !rd_u8(r, &inbound) || !rd_be64(r, &bytes) ||
		!rd_be64(r, &packets) || !rd_end(r))
	{
		return FALSE;
	}
	this->sad->set_use(this->sad, spi, inbound != 0, bytes, packets);
	return TRUE;
}

/**
 * Carry out one record; packet is set if it was an IKE message.
 */
static bool handle(private_adit_channel_t *this, struct rd *r,
				   packet_t **packet)
{
	uint32_t type, id;

	if (!rd_be32(r, &type) || !rd_be32(r, &id))
	{
		return FALSE;
	}
	switch (type)
	{
		case CHARON_MSG_IKE_IN:
			return handle_ike(r, packet);
		case CHARON_MSG_MAPPING:
			return handle_mapping(this, r);
		case CHARON_MSG_EXPIRE:
			return handle_expire(this, r);
		case CHARON_MSG_USE:
			return handle_use(this, r);
		default:
			return FALSE;
	}
}

METHOD(adit_channel_t, receive, void, private_adit_channel_t *this,
	   packet_t **packet)
{
	uint8_t buf[RECORD_MAX + 1];
	struct pollfd pfd = {.events = POLLIN};
	struct rd r;
	ssize_t len;
	bool old;

	*packet = NULL;
	while (!*packet)
	{
		if (this->fd == -1 && !attach(this))
		{
			old = thread_cancelability(TRUE);
			poll(NULL, 0, CONNECT_PAUSE_MS);
			thread_cancelability(old);
			continue;
		}
		pfd.fd = this->fd;
		old = thread_cancelability(TRUE);
		poll(&pfd, 1, -1);
		thread_cancelability(old);
		len = recv(this->fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (len < 0 && (errno == EAGAIN || errno == EINTR))
		{
			continue;
		}
		if (len <= 0)
		{
			detach(this, len ? strerror(errno) : "closed");
			continue;
		}
		r = rd_init(buf, (size_t)len);
		if (len == sizeof(buf) || !handle(this, &r, packet))
		{
			detach(this, "it sent a malformed record");
		}
	}
}

METHOD(adit_channel_t, send_ike, bool, private_adit_channel_t *this,
	   const struct charon_ike *ike)
{
	uint8_t buf[RECORD_MAX];
	struct wr w = record(buf, sizeof(buf), CHARON_MSG_IKE_OUT);
	bool sent;

	if (!charon_msg_put_ike(&w, ike))
	{
		return FALSE;
	}
	this->mutex->lock(this->mutex);
	sent = send_record(this, &w, 0);
	this->mutex->unlock(this->mutex);
	return sent;
}

METHOD(adit_channel_t, send_alert, void, private_adit_channel_t *this,
	   const struct charon_alert *alert)
{
	uint8_t buf[2 * CHARON_MSG_TEXT_MAX + 128];
	struct wr w = record(buf, sizeof(buf), CHARON_MSG_ALERT);

	if (charon_msg_put_alert(&w, alert))
	{
		this->mutex->lock(this->mutex);
		send_record(this, &w, 0);
		this->mutex->unlock(this->mutex);
	}
}

METHOD(adit_channel_t, send_child, void, private_adit_channel_t *this,
	   const struct charon_child *child)
{
	uint8_t buf[2 * CHARON_MSG_TEXT_MAX + 128];
	struct wr w = record(buf, sizeof(buf), CHARON_MSG_CHILD);

	if (charon_msg_put_child(&w, child))
	{
		this->mutex->lock(this->mutex);
		send_record(this, &w, 0);
		this->mutex->unlock(this->mutex);
	}
}

METHOD(adit_channel_t, alloc_spi, bool, private_adit_channel_t *this,
	   host_t *peer, uint32_t *spi)
{
	bool done;

	this->mutex->lock(this->mutex);
	done = this->sad->alloc_spi(this->sad, peer, spi);
	if (done && this->fd != -1 && !send_spi(this, CHARON_MSG_SPI_NEW, *spi, 0))
	{
		give_up(this);
	}
	this->mutex->unlock(this->mutex);
	return done;
}

METHOD(adit_channel_t, add_sa, bool, private_adit_channel_t *this,
	   const struct charon_sa *sa)
{
	bool done;

	this->mutex->lock(this->mutex);
	done = this->sad->add(this->sad, sa);
	if (done && this->fd != -1 && !send_sa(this, sa, 0))
	{
		give_up(this);
	}
	this->mutex->unlock(this->mutex);
	return done;
}

METHOD(adit_channel_t, update_sa, bool, private_adit_channel_t *this,
	   uint32_t spi, host_t *src, host_t *dst, host_t *new_src, host_t *new_dst,
	   bool encap)
{
	struct charon_sa_update update;
	uint8_t buf[128];
	struct wr w = record(buf, sizeof(buf), CHARON_MSG_SA_UPDATE);
	bool done;

	this->mutex->lock(this->mutex);
	done = this->sad->update(this->sad, spi, src, dst, new_src, new_dst, encap,
							 &update);
	if (done && this->fd != -1 &&
		!(charon_msg_put_sa_update(&w, &update) && send_record(this, &w, 0)))
	{
		give_up(this);
	}
	this->mutex->unlock(this->mutex);
	return done;
}

METHOD(adit_channel_t, del_sa, bool, private_adit_channel_t *this, uint32_t spi,
	   host_t *src, host_t *dst)
{
	struct charon_sa_del del;
	uint8_t buf[64];
	struct wr w = record(buf, sizeof(buf), CHARON_MSG_SA_DEL);
	bool done, larval, sent;

	this->mutex->lock(this->mutex);
	done = this->sad->remove(this->sad, spi, src, dst, &larval, &del);
	if (done && this->fd != -1)
	{
		if (larval)
		{
			sent = send_spi(this, CHARON_MSG_SPI_FREE, spi, 0);
		}
		else
		{
			sent = charon_msg_put_sa_del(&w, &del) && send_record(this, &w, 0);
		}
		if (!sent)
		{
			give_up(this);
		}
	}
	this->mutex->unlock(this->mutex);
	return done;
}

METHOD(adit_channel_t, query_sa, bool, private_adit_channel_t *this,
	   uint32_t spi, host_t *src, host_t *dst, adit_sad_use_t *use)
{
	return this->sad->query(this->sad, spi, src, dst, use);
}

METHOD(adit_channel_t, destroy, void, private_adit_channel_t *this)
{
	if (this->fd != -1)
	{
		close(this->fd);
	}
	this->sad->destroy(this->sad);
	this->mutex->destroy(this->mutex);
	free(this);
}

adit_channel_t *adit_channel_create(const char *path)
{
	private_adit_channel_t *this;

	INIT(this,
		 .public =
			 {
				 .receive = _receive,
				 .send_ike = _send_ike,
				 .send_alert = _send_alert,
				 .send_child = _send_child,
				 .alloc_spi = _alloc_spi,
				 .add_sa = _add_sa,
				 .update_sa = _update_sa,
				 .del_sa = _del_sa,
				 .query_sa = _query_sa,
				 .destroy = _destroy,
			 },
		 .sad = adit_sad_create(), .mutex = mutex_create(MUTEX_TYPE_DEFAULT),
		 .addr = {.sun_family = AF_UNIX}, .fd = -1, );
	snprintf(this->addr.sun_path, sizeof(this->addr.sun_path), "%s", path);
	if (getrandom(&this->epoch, sizeof(this->epoch), 0) != sizeof(this->epoch))
	{
		this->epoch = (uint64_t)time_monotonic(NULL);
	}
	return &this->public;
}
