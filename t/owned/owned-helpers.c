/* SPDX-License-Identifier: ISC */
/*
 * What an owned session may try with the auth service, with the process
 * that holds the keys, and with its master.
 */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "keys/keys_proto.h"
#include "lib/chan.h"
#include "lib/ctl.h"
#include "lib/ipc.h"
#include "lib/str.h"
#include "smtpd/driver.h"
#include "t/owned/owned.h"

#define FLOOD	400000

static struct auth_start start;
static struct keys_request request;

static int
auth_fd(const struct owned *o)
{
	return chan_fd(o->driver->auth);
}

static size_t
fill_start(uint32_t id)
{
	static const char plain[] = "\0alice@example.test\0alice-secret";

	start = (struct auth_start){ .type = AUTH_START, .id = id,
		.service = AUTH_SMTP, .initial = 1, .mechanism = "PLAIN",
		.address = { [10] = 0xff, 0xff, 127, 0, 0, 1 },
		.len = sizeof(plain) - 1 };
	memcpy(start.data, plain, sizeof(plain) - 1);
	return offsetof(struct auth_start, data) + start.len;
}

int
owned_login(struct owned *o, uint32_t id, unsigned char nonce[AUTH_NONCE])
{
	static struct auth_reply r;
	size_t len = fill_start(id);

	if (owned_send(auth_fd(o), &start, len, -1) == -1 ||
	    owned_receive(auth_fd(o), AUTH_REPLY, &r, sizeof(r)) <
	    (ssize_t)offsetof(struct auth_reply, data) ||
	    r.status != AUTH_OK)
		return -1;
	memcpy(nonce, r.nonce, AUTH_NONCE);
	return 0;
}

enum form {
	FORM_TYPE, FORM_TICKET, FORM_TINY, FORM_SHORT, FORM_LIE,
	FORM_OVER, FORM_SERVICE, FORM_INITIAL, FORM_NUL, FORM_FD, FORM_TWICE,
	FORM_EMPTY, FORM_EXPORTER, FORM_ENDPOINT, FORM_NAMES, FORM_NO_END
};

static const char *
bad_login(struct owned *o, int form)
{
	unsigned char nonce[AUTH_NONCE];
	size_t len = fill_start(1);

	switch (form) {
	case FORM_TYPE:
		start.type = AUTH_TYPE_COUNT;
		break;
	case FORM_TICKET:
		start.type = AUTH_TICKET;
		len = sizeof(struct auth_ticket);
		break;
	case FORM_TINY:
		len = 2;
		break;
	case FORM_SHORT:
		len = offsetof(struct auth_start, data) - 1;
		break;
	case FORM_LIE:
		start.len++;
		break;
	case FORM_OVER:
		start.len = UINT32_MAX;
		break;
	case FORM_SERVICE:
		start.service = AUTH_HTTP;
		break;
	case FORM_INITIAL:
		start.initial = 0;
		break;
	case FORM_NUL:
		memset(start.mechanism, 'A', sizeof(start.mechanism));
		break;
	case FORM_EXPORTER:
		start.channel.exporter_len = AUTH_EXPORTER + 1;
		break;
	case FORM_ENDPOINT:
		start.channel.endpoint_len = UINT32_MAX;
		break;
	case FORM_NAMES:
		strcpy(start.channel.names, "alice@example.test");
		break;
	case FORM_NO_END:
		memset(start.channel.names, 'a', sizeof(start.channel.names));
		break;
	case FORM_FD:
		return owned_closes(auth_fd(o), &start, len, o->ctl);
	case FORM_TWICE:	/* an id that a login has */
		if (owned_login(o, 1, nonce) == -1)
			return "no login";
		break;
	default:
		return "no such form";
	}
	return owned_closes(auth_fd(o), &start, len, -1);
}

/* The conf does not list EXTERNAL: a session cannot name who logs in. */
static const char *
name_user(struct owned *o, int arg)
{
	static struct auth_reply r;

	(void)arg;
	fill_start(1);
	strcpy(start.mechanism, "EXTERNAL");
	strcpy(start.channel.names, "alice@example.test\n");
	start.len = 0;
	if (owned_send(auth_fd(o), &start, offsetof(struct auth_start, data),
	    -1) == -1 ||
	    owned_receive(auth_fd(o), AUTH_REPLY, &r, sizeof(r)) <
	    (ssize_t)offsetof(struct auth_reply, data))
		return "no answer";
	return r.status == AUTH_NO_MECHANISM ? NULL : "it was heard";
}

/* What a master says of a store, from a session: no tickets come of it. */
static const char *
other_role(struct owned *o, int arg)
{
	struct ctl hello = { .type = CTL_PEER, .what = ROLE_SMTPD_STORE };
	size_t len = fill_start(1);
	uint32_t type = AUTH_MECHS;

	(void)arg;
	if (owned_send(auth_fd(o), &hello, sizeof(hello), -1) == -1)
		return "it could not be sent";
	/* The channel may be closed by now. */
	if (owned_send(auth_fd(o), &start, len, -1) == -1)
		return NULL;
	while (type == AUTH_MECHS)
		if (owned_receive(auth_fd(o), 0, &type, sizeof(type)) <= 0)
			return NULL;
	return type == AUTH_REPLY ? NULL : "a ticket came";
}

/* Dialogues without number, no answer read. */
static const char *
flood_auth(struct owned *o, int arg)
{
	struct auth_start m = { .type = AUTH_START, .service = AUTH_SMTP,
		.mechanism = "WAFFLE" };
	uint32_t i;

	(void)arg;
	for (i = 1; i < FLOOD; i++) {
		m.id = i;
		if (owned_send(auth_fd(o), &m,
		    offsetof(struct auth_start, data), -1) == -1)
			return NULL;
	}
	return "the auth service bore it";
}

static size_t
fill_request(size_t len)
{
	request = (struct keys_request){ .type = KEYS_SIGN, .id = 1,
		.algorithm = TLS_ALG_ECDSA, .len = (uint32_t)len };
	return offsetof(struct keys_request, data) + len;
}

/* Requests in form that must not be signed; arg: octets of data. */
static const char *
not_signed(struct owned *o, int arg)
{
	struct keys_reply r;
	int fd = o->driver->keys.fd;
	size_t len = fill_request(arg < 0 ? 32 : (size_t)arg);

	if (arg == -1)
		request.number = 1;
	if (arg == -2)
		request.number = UINT32_MAX;
	if (arg == -3)
		request.algorithm = TLS_ALG_RSA;
	if (arg == -4)
		request.algorithm = TLS_ALG_COUNT;
	if (owned_send(fd, &request, len, -1) == -1 ||
	    owned_receive(fd, 0, &r, sizeof(r)) !=
	    (ssize_t)offsetof(struct keys_reply, sig))
		return "another answer than a refusal";
	return r.status == KEYS_NO_KEY || r.status == KEYS_REFUSED ? NULL :
	    "it was not refused";
}

static const char *
bad_request(struct owned *o, int form)
{
	int fd = o->driver->keys.fd;
	size_t len = fill_request(32);

	switch (form) {
	case FORM_TYPE:
		request.type = KEYS_TYPE_COUNT;
		break;
	case FORM_TINY:
		len = 1;
		break;
	case FORM_LIE:
		request.len++;
		break;
	case FORM_OVER:
		request.len = UINT32_MAX;
		break;
	case FORM_EMPTY:
		len = fill_request(0);
		break;
	case FORM_FD:
		return owned_closes(fd, &request, len, o->ctl);
	default:
		return "no such form";
	}
	return owned_closes(fd, &request, len, -1);
}

static const char *
flood_keys(struct owned *o, int arg)
{
	size_t len = fill_request((size_t)arg);
	int i;

	for (i = 0; i < FLOOD; i++)
		if (owned_send(o->driver->keys.fd, &request, len, -1) == -1)
			return NULL;
	return "it bore it";
}

/* The master kills who does not speak its language. */
static const char *
bad_control(struct owned *o, int arg)
{
	struct ctl m = { .type = CTL_READY };

	(void)arg;
	if (owned_send(o->ctl, &m, sizeof(m) - 1, -1) == -1)
		return "it could not be sent";
	poll(NULL, 0, 20000);
	return "the master bore it";
}

/* How many datagrams have come by now? */
static int
drain(int fd)
{
	struct ctl m;
	int n = 0;

	while (ipc_recv(fd, &m, sizeof(m), NULL) > 0)
		n++;
	return n;
}

/*
 * Ask for channels to auth without end: each would cost the master and auth
 * a descriptor.
 */
static const char *
want_peers(struct owned *o, int most)
{
	struct ctl m = { .type = CTL_WANT_PEER, .what = ROLE_AUTH_SERVER };
	struct pollfd p = { .fd = o->ctl, .events = POLLIN };
	int i, got = 0;

	for (i = 0; i < FLOOD; i++) {
		if (owned_send(o->ctl, &m, sizeof(m), -1) == -1)
			return "the control channel broke";
		got += drain(o->ctl);
	}
	while (got <= most && poll(&p, 1, 1000) == 1 && got > 0)
		got += drain(o->ctl);
	return got <= most ? NULL : "they come without end";
}

#define REFUSED(name, fn, arg)	{ name, FATE_REFUSED, fn, arg }

const struct attempt owned_helpers[] = {
	REFUSED("auth: unknown type", bad_login, FORM_TYPE),
	REFUSED("auth: a ticket of one's own", bad_login, FORM_TICKET),
	REFUSED("auth: another role", other_role, 0),
	REFUSED("auth: less than a type", bad_login, FORM_TINY),
	REFUSED("auth: too short", bad_login, FORM_SHORT),
	REFUSED("auth: a length that lies", bad_login, FORM_LIE),
	REFUSED("auth: a length over the end", bad_login, FORM_OVER),
	REFUSED("auth: another service", bad_login, FORM_SERVICE),
	REFUSED("auth: data that is no initial response", bad_login,
	    FORM_INITIAL),
	REFUSED("auth: a name without end", bad_login, FORM_NUL),
	REFUSED("auth: an exporter too long", bad_login, FORM_EXPORTER),
	REFUSED("auth: an end point over the end", bad_login, FORM_ENDPOINT),
	REFUSED("auth: half a certificate's name", bad_login, FORM_NAMES),
	REFUSED("auth: certificate's names without end", bad_login,
	    FORM_NO_END),
	REFUSED("auth: a user of its choice", name_user, 0),
	REFUSED("auth: a descriptor", bad_login, FORM_FD),
	REFUSED("auth: an id that is taken", bad_login, FORM_TWICE),
	REFUSED("auth: a flood without reading", flood_auth, 0),
	REFUSED("keys: no digest", not_signed, 31),
	REFUSED("keys: text", not_signed, 1000),
	REFUSED("keys: the key of another certificate", not_signed, -1),
	REFUSED("keys: a number far too high", not_signed, -2),
	REFUSED("keys: another kind of key", not_signed, -3),
	REFUSED("keys: unknown algorithm", not_signed, -4),
	REFUSED("keys: unknown type", bad_request, FORM_TYPE),
	REFUSED("keys: less than a type", bad_request, FORM_TINY),
	REFUSED("keys: a length that lies", bad_request, FORM_LIE),
	REFUSED("keys: a length over the end", bad_request, FORM_OVER),
	REFUSED("keys: nothing to sign", bad_request, FORM_EMPTY),
	REFUSED("keys: a descriptor", bad_request, FORM_FD),
	REFUSED("keys: a flood without reading", flood_keys, 31),
	{ "master: a datagram out of form", FATE_MASTER, bad_control, 0 },
	REFUSED("master: channels without end", want_peers, 100),
	REFUSED(NULL, NULL, 0)
};
