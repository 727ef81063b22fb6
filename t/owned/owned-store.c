/* SPDX-License-Identifier: ISC */
/*
 * What an owned session may try with the store: others' logins, others'
 * names, messages that are delivered already, datagrams out of form.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/chan.h"
#include "lib/str.h"
#include "smtpd/driver.h"
#include "t/owned/owned.h"

#define TXN	7
#define FLOOD	400000

static struct store_begin mail;
static struct store_rcpt to;
static struct store_open head;
static struct store_body text;
static struct store_commit commit;
static unsigned char nonce[AUTH_NONCE];

static int
store_fd(const struct owned *o)
{
	return chan_fd(o->driver->store);
}

/* Datagrams as an honest session would send them. */
static void
fill(const char *from, const char *body)
{
	mail = (struct store_begin){ .type = STORE_BEGIN, .txn = TXN };
	memcpy(mail.nonce, nonce, sizeof(mail.nonce));
	str_copy(mail.reverse_path, sizeof(mail.reverse_path), from);
	to = (struct store_rcpt){ .type = STORE_RCPT, .txn = TXN,
		.forward_path = "bob@example.test" };
	head = (struct store_open){ .type = STORE_OPEN, .txn = TXN,
		.helo = "owned.test", .client = "192.0.2.1",
		.protocol = "ESMTPSA", .tls_version = "TLSv1.3",
		.tls_cipher = "TLS_AES_256_GCM_SHA384", .tls_bits = 256 };
	text.type = STORE_BODY;
	text.txn = TXN;
	text.len = (uint32_t)strlen(body);
	memcpy(text.data, body, text.len);
	commit = (struct store_commit){ .type = STORE_COMMIT, .txn = TXN,
		.size = text.len };
}

/* The status of the answer, STORE_STATUS_NONE where none came. */
static uint32_t
ask(struct owned *o, const void *msg, size_t len)
{
	struct store_reply r;

	if (owned_send(store_fd(o), msg, len, -1) == -1 ||
	    owned_receive(store_fd(o), STORE_REPLY, &r, sizeof(r)) !=
	    sizeof(r))
		return STORE_STATUS_NONE;
	return r.status;
}

static int
send_body(struct owned *o)
{
	return owned_send(store_fd(o), &text,
	    offsetof(struct store_body, data) + text.len, -1);
}

/* As alice, up to the state in which BODY is due. 0, or -1. */
static int
open_message(struct owned *o)
{
	if (owned_login(o, TXN, nonce) == -1)
		return -1;
	fill("alice@example.test", "Subject: owned\r\n\r\nas sent\r\n");
	return ask(o, &mail, sizeof(mail)) == STORE_OK &&
	    ask(o, &to, sizeof(to)) == STORE_OK &&
	    ask(o, &head, sizeof(head)) == STORE_OK ? 0 : -1;
}

static const char *
made_up(struct owned *o, int arg)
{
	memset(nonce, arg, sizeof(nonce));
	fill("alice@example.test", "");
	return ask(o, &mail, sizeof(mail)) == STORE_NO_TICKET ? NULL :
	    "the store took it";
}

/* Give a ticket of one's own away; it must go on working here alone. */
static const char *
give_ticket(struct owned *o, int arg)
{
	unsigned char c;

	(void)arg;
	if (owned_login(o, TXN, nonce) == -1)
		return "no login";
	if (write(o->files[OWNED_NONCE], nonce, sizeof(nonce)) == -1 ||
	    owned_await(o->files[OWNED_TRIED], &c, 1) == -1)
		return "nobody tried it";
	fill("alice@example.test", "");
	return ask(o, &mail, sizeof(mail)) == STORE_OK ? NULL :
	    "it does not work for its owner";
}

static const char *
use_given(struct owned *o, int arg)
{
	uint32_t r;

	(void)arg;
	if (owned_await(o->files[OWNED_NONCE], nonce, sizeof(nonce)) == -1)
		return "no ticket was given";
	fill("alice@example.test", "");
	r = ask(o, &mail, sizeof(mail));
	if (write(o->files[OWNED_TRIED], "x", 1) == -1)
		return "no file for reports";
	return r == STORE_NO_TICKET ? NULL : "the store took it";
}

/* A login that was ended is worth nothing. */
static const char *
after_logout(struct owned *o, int arg)
{
	struct auth_id end = { .type = AUTH_END, .id = TXN };
	unsigned char old[AUTH_NONCE];

	(void)arg;
	if (owned_login(o, TXN, old) == -1 ||
	    owned_send(chan_fd(o->driver->auth), &end, sizeof(end), -1) == -1)
		return "no login and logout";
	/* what the store knows of the second login came behind that */
	if (owned_login(o, TXN + 1, nonce) == -1)
		return "no second login";
	fill("alice@example.test", "");
	if (ask(o, &mail, sizeof(mail)) != STORE_OK)
		return "the second login does not work";
	memcpy(mail.nonce, old, sizeof(old));
	mail.txn++;
	return ask(o, &mail, sizeof(mail)) == STORE_NO_TICKET ? NULL :
	    "the store took it";
}

static const char *
other_sender(struct owned *o, int arg)
{
	(void)arg;
	if (owned_login(o, TXN, nonce) == -1)
		return "no login";
	fill("bob@example.test", "");
	return ask(o, &mail, sizeof(mail)) == STORE_NOT_SENDER ? NULL :
	    "the store took it";
}

/* What the engine would not have passed on. */
static const char *
bad_message(struct owned *o, int arg)
{
	static const struct {
		const char		*text;
		enum store_status	 want;
	} cases[] = {
		{ "From: bob@example.test\r\n\r\nx\r\n", STORE_NOT_AUTHOR },
		{ "From: alice@example.test\r\nFrom: bob@example.test\r\n"
		    "\r\nx\r\n", STORE_BAD_HEADER },
		{ "Subject: x\nFrom: bob@example.test\n\nx\r\n",
		    STORE_BAD_HEADER },
		{ "Subject: x\rFrom: bob@example.test\r\n\r\nx\r\n",
		    STORE_BAD_HEADER },
	};

	if (open_message(o) == -1)
		return "no message begun";
	fill("alice@example.test", cases[arg].text);
	if (send_body(o) == -1)
		return "no body sent";
	return ask(o, &commit, sizeof(commit)) == cases[arg].want ? NULL :
	    "the store answered otherwise";
}

/* After the answer to COMMIT a message is out of reach. */
static const char *
delivered(struct owned *o, int arg)
{
	(void)arg;
	if (open_message(o) == -1 || send_body(o) == -1 ||
	    ask(o, &commit, sizeof(commit)) != STORE_OK)
		return "no message delivered";
	fill("alice@example.test", "changed\r\n");
	if (send_body(o) == -1)
		return "no body sent";
	return ask(o, &commit, sizeof(commit)) == STORE_FAILED ? NULL :
	    "the store answered otherwise";
}

enum form {
	FORM_TYPE, FORM_TINY, FORM_SHORT, FORM_LONG, FORM_NUL, FORM_CONTROL,
	FORM_DOMAIN, FORM_FORWARD, FORM_REPLY, FORM_FD, FORM_LENGTH,
	FORM_TWICE, FORM_EARLY, FORM_LATE, FORM_HELO, FORM_SIZE
};

static const char *
bad_form(struct owned *o, int form)
{
	static unsigned char big[sizeof(struct store_begin) + 1];
	size_t len = sizeof(mail);
	int pass = -1;

	memset(nonce, 1, sizeof(nonce));
	fill("alice@example.test", "x\r\n");
	switch (form) {
	case FORM_TYPE:
		mail.type = STORE_TYPE_COUNT;
		break;
	case FORM_REPLY:
		mail.type = STORE_REPLY;
		break;
	case FORM_TINY:
		len = 3;
		break;
	case FORM_SHORT:
		len--;
		break;
	case FORM_LONG:
		memcpy(big, &mail, len);
		return owned_closes(store_fd(o), big, sizeof(big), -1);
	case FORM_NUL:
		memset(mail.reverse_path, 'a', sizeof(mail.reverse_path));
		break;
	case FORM_CONTROL:
		mail.reverse_path[1] = '\n';
		break;
	case FORM_DOMAIN:
		str_copy(mail.reverse_path, sizeof(mail.reverse_path), "a@");
		break;
	case FORM_FORWARD:
		str_copy(to.forward_path, sizeof(to.forward_path), "bob");
		return owned_closes(store_fd(o), &to, sizeof(to), -1);
	case FORM_FD:
		pass = o->ctl;
		break;
	case FORM_LENGTH:
		return owned_closes(store_fd(o), &text,
		    offsetof(struct store_body, data) + text.len + 1, -1);
	default:
		return "no such form";
	}
	return owned_closes(store_fd(o), &mail, len, pass);
}

/* Datagrams out of order, in a transaction that is sound so far. */
static const char *
bad_order(struct owned *o, int form)
{
	if (open_message(o) == -1)
		return "no message begun";
	switch (form) {
	case FORM_TWICE:
		return owned_closes(store_fd(o), &mail, sizeof(mail), -1);
	case FORM_LATE:
		return owned_closes(store_fd(o), &to, sizeof(to), -1);
	case FORM_HELO:
		memcpy(head.helo, "a\r\nb", 5);
		return owned_closes(store_fd(o), &head, sizeof(head), -1);
	case FORM_SIZE:
		return owned_closes(store_fd(o), &commit, sizeof(commit), -1);
	case FORM_EARLY:
		mail.txn = to.txn = text.txn = TXN + 1;
		if (ask(o, &mail, sizeof(mail)) != STORE_OK)
			return "no second message begun";
		return owned_closes(store_fd(o), &text,
		    offsetof(struct store_body, data) + text.len, -1);
	default:
		return "no such form";
	}
}

/* Ask and ask, never read: the store must not keep all the answers. */
static const char *
flood(struct owned *o, int arg)
{
	int i;

	memset(nonce, arg, sizeof(nonce));
	fill("alice@example.test", "");
	for (i = 0; i < FLOOD; i++)
		if (owned_send(store_fd(o), &mail, sizeof(mail), -1) == -1)
			return NULL;
	return "the store bore it";
}

#define REFUSED(name, fn, arg)	{ name, FATE_REFUSED, fn, arg }

const struct attempt owned_store[] = {
	REFUSED("a ticket that is made up", made_up, 0x5a),
	REFUSED("a ticket of zeros", made_up, 0),
	REFUSED("a ticket given to another works for its owner",
	    give_ticket, 0),
	REFUSED("another process's ticket", use_given, 0),
	REFUSED("a ticket after its end", after_logout, 0),
	REFUSED("another's reverse-path", other_sender, 0),
	REFUSED("another's From field", bad_message, 0),
	REFUSED("two From fields", bad_message, 1),
	REFUSED("LF in a header", bad_message, 2),
	REFUSED("CR in a header", bad_message, 3),
	REFUSED("change a delivered message", delivered, 0),
	REFUSED("store: unknown type", bad_form, FORM_TYPE),
	REFUSED("store: a type of its own", bad_form, FORM_REPLY),
	REFUSED("store: less than a type", bad_form, FORM_TINY),
	REFUSED("store: too short", bad_form, FORM_SHORT),
	REFUSED("store: too long", bad_form, FORM_LONG),
	REFUSED("store: a path without end", bad_form, FORM_NUL),
	REFUSED("store: LF in a path", bad_form, FORM_CONTROL),
	REFUSED("store: no domain behind the @", bad_form, FORM_DOMAIN),
	REFUSED("store: a recipient without domain", bad_form, FORM_FORWARD),
	REFUSED("store: a descriptor", bad_form, FORM_FD),
	REFUSED("store: a length that lies", bad_form, FORM_LENGTH),
	REFUSED("store: BEGIN twice", bad_order, FORM_TWICE),
	REFUSED("store: BODY too early", bad_order, FORM_EARLY),
	REFUSED("store: RCPT too late", bad_order, FORM_LATE),
	REFUSED("store: CRLF in a name", bad_order, FORM_HELO),
	REFUSED("store: COMMIT of another size", bad_order, FORM_SIZE),
	REFUSED("store: a flood without reading", flood, 0x33),
	REFUSED(NULL, NULL, 0)
};
