/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adit_plugin.c: libstrongswan-adit.so, the entry point.
 *
 * Puts charon's ESP SAs into l2tpd's user plane (adit_kernel_ipsec), takes IKE
 * from l2tpd (adit_socket), and tells it who was refused (adit_listener), all
 * over one channel (adit_channel). Configuration, credentials and events go
 * over vici and need no plugin.
 *
 * One source for strongSwan 5.9.8 and 6.0.1; an object fits only the release
 * whose headers it was built with, so it looks for symbols of the daemon
 * before it does anything.
 */
#include "charon-plugin/adit_channel.h"
#include "charon-plugin/adit_kernel_ipsec.h"
#include "charon-plugin/adit_listener.h"
#include "charon-plugin/adit_natd.h"
#include "charon-plugin/adit_socket.h"

#include <daemon.h>
#include <plugins/plugin.h>

#include <dlfcn.h>
#include <sys/un.h>

/** Symbol that only the release has that this was built for, and vice versa */
#ifdef ADIT_STRONGSWAN_6
#define SYMBOL_OURS "key_exchange_init"
#define SYMBOL_OTHER "diffie_hellman_init"
#else
#define SYMBOL_OURS "diffie_hellman_init"
#define SYMBOL_OTHER "key_exchange_init"
#endif

/** Symbol of libcharon if it was built with ME */
#define SYMBOL_ME "connect_manager_create"

#define EXPORT __attribute__((visibility("default")))

typedef struct private_adit_plugin_t private_adit_plugin_t;

struct private_adit_plugin_t
{
	/** public interface */
	plugin_t public;
	/** hears about refused peers */
	listener_t *listener;
	/** brings clients to UDP 4500; NULL if they are left alone */
	listener_t *natd;
};

/**
 * The channel; the constructors of features get no argument.
 */
static adit_channel_t *channel;

static kernel_ipsec_t *create_kernel_ipsec()
{
	return adit_kernel_ipsec_create(channel);
}

static socket_t *create_socket()
{
	return adit_socket_create(channel);
}

/**
 * Register the listeners, when there is a bus.
 */
static bool listen_cb(private_adit_plugin_t *this, plugin_feature_t *feature,
					  bool reg, void *data)
{
	if (reg)
	{
		this->listener = adit_listener_create(channel);
		charon->bus->add_listener(charon->bus, this->listener);
		if (lib->settings->get_bool(lib->settings, "%s.plugins.adit.force_udp",
									FALSE, lib->ns))
		{
			this->natd = adit_natd_create();
			charon->bus->add_listener(charon->bus, this->natd);
		}
	}
	else if (this->listener)
	{
		if (this->natd)
		{
			charon->bus->remove_listener(charon->bus, this->natd);
			adit_natd_destroy(this->natd);
			this->natd = NULL;
		}
		charon->bus->remove_listener(charon->bus, this->listener);
		adit_listener_destroy(this->listener);
		this->listener = NULL;
	}
	return TRUE;
}

METHOD(plugin_t, get_name, char *, private_adit_plugin_t *this)
{
	return "adit";
}

METHOD(plugin_t, get_features, int, private_adit_plugin_t *this,
	   plugin_feature_t *features[])
{
	/* clang-format off */
	static plugin_feature_t f[] = {
		PLUGIN_CALLBACK(kernel_ipsec_register, create_kernel_ipsec),
			PLUGIN_PROVIDE(CUSTOM, "kernel-ipsec"),
		PLUGIN_CALLBACK(socket_register, create_socket),
			PLUGIN_PROVIDE(CUSTOM, "socket"),
				PLUGIN_DEPENDS(CUSTOM, "kernel-ipsec"),
		PLUGIN_CALLBACK((plugin_feature_callback_t)listen_cb, NULL),
			PLUGIN_PROVIDE(CUSTOM, "adit-alerts"),
				PLUGIN_DEPENDS(CUSTOM, "libcharon"),
	};
	/* clang-format on */
	*features = f;
	return countof(f);
}

METHOD(plugin_t, destroy, void, private_adit_plugin_t *this)
{
	channel->destroy(channel);
	channel = NULL;
	free(this);
}

/**
 * Is this the daemon that we were built for? Guessing wrong would call through
 * the wrong members of vtables.
 */
static bool daemon_fits()
{
	if (!dlsym(RTLD_DEFAULT, SYMBOL_OURS) || dlsym(RTLD_DEFAULT, SYMBOL_OTHER))
	{
		DBG1(DBG_LIB, "plugin adit was built for strongSwan " VERSION
					  ", this is another one; install the matching package");
		return FALSE;
	}
	if (!dlsym(RTLD_DEFAULT, SYMBOL_ME))
	{
		DBG1(DBG_LIB, "plugin adit needs a strongSwan that was built with "
					  "--enable-mediation, as Debian's is");
		return FALSE;
	}
	return TRUE;
}

/**
 * From 6.0.3 on the loader compares this with its own version.
 */
EXPORT const char *adit_plugin_version = VERSION;

EXPORT plugin_t *adit_plugin_create(void);

plugin_t *adit_plugin_create(void)
{
	private_adit_plugin_t *this;
	char *path;

	if (!daemon_fits())
	{
		return NULL;
	}
	path = lib->settings->get_str(lib->settings, "%s.plugins.adit.socket", NULL,
								  lib->ns);
	if (!path || !*path ||
		strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
	{
		DBG1(DBG_LIB,
			 "plugin adit: set %s.plugins.adit.socket to the path of "
			 "l2tpd's plane.sock (at most 107 characters)",
			 lib->ns);
		return NULL;
	}
	channel = adit_channel_create(path);
	INIT(this,
		 .public = {
			 .get_name = _get_name,
			 .get_features = _get_features,
			 .destroy = _destroy,
		 }, );
	return &this->public;
}
