/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adit_listener.c: refused peers, and who is behind a mark (contract in
 * adit_listener.h).
 *
 * charon raises alerts for what fails in authentication, but none when an
 * IKEv1 peer offers no acceptable proposal or selector: there we look at the
 * error that charon is about to send. All hooks are called with the bus' mutex
 * held, one at a time, so the fields below need no lock of their own.
 */
#include "charon-plugin/adit_listener.h"
#include "charon-plugin/adit_convert.h"

#include <daemon.h>
#include <encoding/payloads/notify_payload.h>
#include <encoding/payloads/sa_payload.h>

/** Refusals that are remembered, to tell each of them once */
#define RECENT 64

typedef struct private_adit_listener_t private_adit_listener_t;

struct private_adit_listener_t
{
	/** public interface */
	listener_t public;
	/** channel to the engine */
	adit_channel_t *channel;
	/** what was told: unique id of the IKE_SA and kind (0: free) */
	struct
	{
		uint32_t id;
		enum charon_alert_kind kind;
	} recent[RECENT];
	/** place of the next one */
	u_int next;
	/** what was found in certificates, until the peer is refused for it */
	struct
	{
		uint32_t id;
		enum charon_alert_kind kind;
		char detail[CHARON_MSG_TEXT_MAX];
	} found[RECENT];
	/** place of the next one */
	u_int next_found;
};

/**
 * The message that this thread is processing, to see the proposals in it.
 * Valid between the hooks for that message, in the same thread.
 */
static __thread message_t *processing;

/**
 * Has this been told of this IKE_SA? A peer repeats a message that was not
 * answered.
 */
static bool is_repeated(private_adit_listener_t *this, uint32_t id,
						enum charon_alert_kind kind)
{
	u_int i;

	for (i = 0; i < RECENT; i++)
	{
		if (this->recent[i].kind == kind && this->recent[i].id == id)
		{
			return TRUE;
		}
	}
	this->recent[this->next].id = id;
	this->recent[this->next].kind = kind;
	this->next = (this->next + 1) % RECENT;
	return FALSE;
}

/**
 * Tell the engine that the peer of an IKE_SA was refused.
 */
static void refuse(private_adit_listener_t *this, ike_sa_t *ike_sa,
				   enum charon_alert_kind kind, const char *detail)
{
	struct charon_alert alert = {.kind = (uint8_t)kind};
	identification_t *id;

	if (is_repeated(this, ike_sa->get_unique_id(ike_sa), kind))
	{
		return;
	}
	alert.peer = adit_endpoint(ike_sa->get_other_host(ike_sa), TRUE);
	id = ike_sa->get_other_id(ike_sa);
	if (id && id->get_type(id) != ID_ANY)
	{
		snprintf(alert.identity, sizeof(alert.identity), "%Y", id);
	}
	snprintf(alert.detail, sizeof(alert.detail), "%s", detail);
	this->channel->send_alert(this->channel, &alert);
}

/**
 * Something is wrong with a certificate. That alone is no refusal: there may be
 * another one, and an unknown revocation status is accepted. What is found
 * first is the reason, unless it was only the status.
 */
static void found(private_adit_listener_t *this, ike_sa_t *ike_sa,
				  enum charon_alert_kind kind, certificate_t *cert)
{
	uint32_t id = ike_sa->get_unique_id(ike_sa);
	u_int i, place = this->next_found;

	for (i = 0; i < RECENT; i++)
	{
		if (this->found[i].kind && this->found[i].id == id)
		{
			if (this->found[i].kind != CHARON_ALERT_AUTH_FAILED)
			{
				return;
			}
			place = i;
		}
	}
	if (place == this->next_found)
	{
		this->next_found = (this->next_found + 1) % RECENT;
	}
	this->found[place].id = id;
	this->found[place].kind = kind;
	snprintf(
		this->found[place].detail, sizeof(this->found[place].detail), "%s%Y",
		kind == CHARON_ALERT_AUTH_FAILED ? "revocation status unknown: " : "",
		cert->get_subject(cert));
}

/**
 * The peer failed to authenticate; the reason may have been found before.
 */
static void refuse_auth(private_adit_listener_t *this, ike_sa_t *ike_sa)
{
	uint32_t id = ike_sa->get_unique_id(ike_sa);
	u_int i;

	for (i = 0; i < RECENT; i++)
	{
		if (this->found[i].kind && this->found[i].id == id)
		{
			refuse(this, ike_sa, this->found[i].kind, this->found[i].detail);
			this->found[i].kind = 0;
			return;
		}
	}
	refuse(this, ike_sa, CHARON_ALERT_AUTH_FAILED, "");
}

/**
 * Did we begin, as a client?
 */
static bool is_initiator(ike_sa_t *ike_sa)
{
	ike_sa_id_t *id = ike_sa->get_id(ike_sa);

	return id->is_initiator(id);
}

/**
 * A message that could not be parsed. In main mode an encrypted one means that
 * the keys differ, and those depend on the PSK (RFC 2409 5).
 */
static void refuse_body(private_adit_listener_t *this, ike_sa_t *ike_sa,
						message_t *message, status_t status)
{
	char detail[64];

	if (message->get_exchange_type(message) == INFORMATIONAL_V1 &&
		ike_sa->get_state(ike_sa) == IKE_CONNECTING && is_initiator(ike_sa))
	{ /* the server could not read us and says so with the keys it has */
		refuse(this, ike_sa, CHARON_ALERT_WRONG_PSK, "");
		return;
	}
	if (message->get_exchange_type(message) == ID_PROT &&
		ike_sa->get_state(ike_sa) == IKE_CONNECTING &&
		message->get_first_payload_type(message) != PLV1_SECURITY_ASSOCIATION &&
		message->is_encoded(message) &&
		(status == PARSE_ERROR || status == VERIFY_ERROR))
	{
		refuse(this, ike_sa, CHARON_ALERT_WRONG_PSK, "");
		return;
	}
	snprintf(detail, sizeof(detail), "malformed %N message",
			 exchange_type_names, message->get_exchange_type(message));
	refuse(this, ike_sa, CHARON_ALERT_OTHER, detail);
}

METHOD(listener_t, alert, bool, private_adit_listener_t *this, ike_sa_t *ike_sa,
	   alert_t alert, va_list args)
{
	message_t *message;

	if (!ike_sa)
	{
		return TRUE;
	}
	switch (alert)
	{
		case ALERT_PARSE_ERROR_BODY:
			message = va_arg(args, message_t *);
			refuse_body(this, ike_sa, message, va_arg(args, status_t));
			break;
		case ALERT_PEER_AUTH_FAILED:
			refuse_auth(this, ike_sa);
			break;
		case ALERT_LOCAL_AUTH_FAILED:
			refuse(this, ike_sa, CHARON_ALERT_OTHER,
				   "this server could not authenticate itself");
			break;
		case ALERT_CERT_EXPIRED:
			found(this, ike_sa, CHARON_ALERT_CERT_EXPIRED,
				  va_arg(args, certificate_t *));
			break;
		case ALERT_CERT_REVOKED:
			found(this, ike_sa, CHARON_ALERT_CERT_REVOKED,
				  va_arg(args, certificate_t *));
			break;
		case ALERT_CERT_VALIDATION_FAILED:
			found(this, ike_sa, CHARON_ALERT_AUTH_FAILED,
				  va_arg(args, certificate_t *));
			break;
		case ALERT_CERT_NO_ISSUER:
		case ALERT_CERT_UNTRUSTED_ROOT:
		case ALERT_CERT_EXCEEDED_PATH_LEN:
		case ALERT_CERT_POLICY_VIOLATION:
			found(this, ike_sa, CHARON_ALERT_CERT_UNTRUSTED,
				  va_arg(args, certificate_t *));
			break;
		default:
			break;
	}
	return TRUE;
}

/**
 * Proposals of the message that this thread is processing, as text.
 */
static void offered(char *text, size_t len)
{
	sa_payload_t *sa = NULL;
	linked_list_t *proposals;

	*text = '\0';
	if (processing)
	{
		sa = (sa_payload_t *)processing->get_payload(processing,
													 PLV1_SECURITY_ASSOCIATION);
	}
	if (sa)
	{
		proposals = sa->get_proposals(sa);
		snprintf(text, len, "%#P", proposals);
		proposals->destroy_offset(proposals, offsetof(proposal_t, destroy));
	}
}

/**
 * An error that charon is about to send.
 */
static void refuse_notify(private_adit_listener_t *this, ike_sa_t *ike_sa,
						  notify_type_t type)
{
	bool established = ike_sa->get_state(ike_sa) == IKE_ESTABLISHED;
	char detail[CHARON_MSG_TEXT_MAX];

	switch (type)
	{
		case NO_PROPOSAL_CHOSEN:
			offered(detail, sizeof(detail));
			refuse(this, ike_sa,
				   established					 ? CHARON_ALERT_NO_ESP_PROPOSAL
				   : ike_sa->get_ike_cfg(ike_sa) ? CHARON_ALERT_NO_IKE_PROPOSAL
												 : CHARON_ALERT_NO_CONFIG,
				   detail);
			break;
		case INVALID_ID_INFORMATION:
			refuse(this, ike_sa,
				   established ? CHARON_ALERT_TS_MISMATCH : CHARON_ALERT_OTHER,
				   "selectors or mode");
			break;
		case INVALID_KEY_INFORMATION:
			refuse(this, ike_sa, CHARON_ALERT_OTHER,
				   "no PSK for it, or a group that is not available");
			break;
		default:
			break;
	}
}

METHOD(listener_t, message, bool, private_adit_listener_t *this,
	   ike_sa_t *ike_sa, message_t *message, bool incoming, bool plain)
{
	enumerator_t *enumerator;
	payload_t *payload;

	if (incoming)
	{
		processing = plain ? message : NULL;
		return TRUE;
	}
	if (!plain || message->get_exchange_type(message) != INFORMATIONAL_V1)
	{
		return TRUE;
	}
	enumerator = message->create_payload_enumerator(message);
	while (enumerator->enumerate(enumerator, &payload))
	{
		if (payload->get_type(payload) == PLV1_NOTIFY)
		{
			refuse_notify(this, ike_sa,
						  ((notify_payload_t *)payload)
							  ->get_notify_type((notify_payload_t *)payload));
		}
	}
	enumerator->destroy(enumerator);
	return TRUE;
}

/**
 * The certificate that the peer proved to have; NULL: none.
 */
static certificate_t *peer_certificate(ike_sa_t *ike_sa)
{
	certificate_t *cert = NULL;
	enumerator_t *enumerator;
	auth_cfg_t *auth;

	enumerator = ike_sa->create_auth_cfg_enumerator(ike_sa, FALSE);
	while (!cert && enumerator->enumerate(enumerator, &auth))
	{
		cert = auth->get(auth, AUTH_RULE_SUBJECT_CERT);
	}
	enumerator->destroy(enumerator);
	return cert;
}

/**
 * A client: the certificate must be for the name that was dialled; any other
 * of the same CA belongs to another client. IKEv1 sends some identity of the
 * server, mostly its subject, so that charon cannot compare it with a name.
 */
METHOD(listener_t, authorize, bool, private_adit_listener_t *this,
	   ike_sa_t *ike_sa, bool final, bool *success)
{
	certificate_t *cert;
	identification_t *wanted;
	char *name;

	name = lib->settings->get_str(lib->settings, "%s.plugins.adit.server_name",
								  NULL, lib->ns);
	if (!name || !*name)
	{
		return TRUE;
	}
	cert = peer_certificate(ike_sa);
	wanted = identification_create_from_string(name);
	if (!cert || !cert->has_subject(cert, wanted))
	{
		refuse(this, ike_sa, CHARON_ALERT_CERT_UNTRUSTED,
			   "the certificate is for another name");
		*success = FALSE;
	}
	wanted->destroy(wanted);
	return TRUE;
}

/**
 * Tell the engine who the SAs of this child belong to.
 */
static void name_child(private_adit_listener_t *this, ike_sa_t *ike_sa,
					   child_sa_t *child_sa)
{
	struct charon_child child = {
		.mark = child_sa->get_mark(child_sa, TRUE).value,
		.ike_id = ike_sa->get_unique_id(ike_sa),
	};

	snprintf(child.identity, sizeof(child.identity), "%Y",
			 ike_sa->get_other_id(ike_sa));
	snprintf(child.connection, sizeof(child.connection), "%s",
			 ike_sa->get_name(ike_sa));
	this->channel->send_child(this->channel, &child);
}

METHOD(listener_t, child_updown, bool, private_adit_listener_t *this,
	   ike_sa_t *ike_sa, child_sa_t *child_sa, bool up)
{
	if (up)
	{
		name_child(this, ike_sa, child_sa);
	}
	return TRUE;
}

METHOD(listener_t, child_rekey, bool, private_adit_listener_t *this,
	   ike_sa_t *ike_sa, child_sa_t *old, child_sa_t *new)
{
	name_child(this, ike_sa, new);
	return TRUE;
}

/**
 * A peer that authenticated again: its children have another IKE_SA now.
 */
METHOD(listener_t, children_migrate, bool, private_adit_listener_t *this,
	   ike_sa_t *ike_sa, ike_sa_id_t *to, uint32_t unique)
{
	enumerator_t *enumerator;
	child_sa_t *child_sa;

	if (to)
	{
		return TRUE;
	}
	enumerator = ike_sa->create_child_sa_enumerator(ike_sa);
	while (enumerator->enumerate(enumerator, &child_sa))
	{
		name_child(this, ike_sa, child_sa);
	}
	enumerator->destroy(enumerator);
	return TRUE;
}

listener_t *adit_listener_create(adit_channel_t *channel)
{
	private_adit_listener_t *this;

	INIT(this,
		 .public =
			 {
				 .alert = _alert,
				 .authorize = _authorize,
				 .message = _message,
				 .child_updown = _child_updown,
				 .child_rekey = _child_rekey,
				 .children_migrate = _children_migrate,
			 },
		 .channel = channel, );
	return &this->public;
}

void adit_listener_destroy(listener_t *listener)
{
	free(listener);
}
