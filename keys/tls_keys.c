/* SPDX-License-Identifier: ISC */
/*
 * The process that holds the private keys of TLS. Reads them once, at its
 * start, sees that each fits its certificate, then signs what sessions ask
 * for. It has no network and no files. Requests are hostile: what breaks the
 * protocol costs the session its channel.
 */
#include <openssl/evp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/check.h"
#include "keys/keys_proto.h"
#include "keys/sign.h"
#include "lib/chan.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/priv.h"
#include "lib/role.h"
#include "lib/stats.h"
#include "lib/str.h"

#define KEYS_QUEUE_MAX	65536	/* octets of replies a session leaves */

struct keys_slot {
	EVP_PKEY	*key;
	int		 cert_fd;
	int		 key_fd;
};

struct keys {
	struct event_base	*base;
	struct keys_slot	 slots[CONF_CERTS_MAX];
	int			 passphrase_fd;	/* of all keys, or -1 */
	size_t			 nslots;
	unsigned		 sessions;
	bool			 draining;
};

struct keys_session {
	struct keys	*keys;
	struct chan	*chan;
	enum role	 role;
	uint32_t	 instance;
};

static const int keys_calls[] = { -1 };
static const struct priv_profile keys_profile = {
	.calls = keys_calls,
	.nofile = 1024,
};

static void
keys_put(int *slot, int fd)
{
	if (*slot != -1)
		close(*slot);
	*slot = fd;
}

static void
keys_file(void *arg, enum role_file what, uint32_t number, int fd)
{
	struct keys *k = arg;

	if (what == ROLE_FILE_PASSPHRASE)
		keys_put(&k->passphrase_fd, fd);
	else if (what == ROLE_FILE_CERT && number < CONF_CERTS_MAX)
		keys_put(&k->slots[number].cert_fd, fd);
	else if (what == ROLE_FILE_KEY && number < CONF_CERTS_MAX)
		keys_put(&k->slots[number].key_fd, fd);
	else
		close(fd);
}

/* Load the key number i. 0, or -1 when it was logged why not. */
static int
keys_load(struct keys *k, const struct conf *conf, size_t i)
{
	struct keys_slot *slot = &k->slots[i];
	const char *cert = conf->tls_certificates.item[i];
	const char *file = conf->tls_keys.item[i];
	char passphrase[KEYS_PASSPHRASE_MAX] = "";
	const char *why = NULL;
	int fd = k->passphrase_fd;
	struct stat st;

	if (fd != -1 && keys_load_passphrase(fd, passphrase, &why) == -1)
		goto out;
	why = "the master sent no certificate or no key";
	if (slot->cert_fd == -1 || slot->key_fd == -1)
		goto out;
	slot->key = keys_load_pair(slot->cert_fd, slot->key_fd,
	    fd == -1 ? NULL : passphrase, &why);
	if (slot->key == NULL)
		goto out;
	if ((why = keys_check_chain(slot->cert_fd)) != NULL)
		log_warn("keys: certificate %s: %s", cert, why);
	if (fstat(slot->key_fd, &st) == 0 && (st.st_mode & S_IRWXO) != 0)
		log_warn("keys: key %s: others may read it", file);
out:
	str_wipe(passphrase, sizeof(passphrase));
	if (slot->key == NULL) {
		log_err("keys: key %s, certificate %s: %s", file, cert, why);
		return -1;
	}
	log_info("keys: loaded certificate=%zu key=%s", i, file);
	return 0;
}

static int
keys_start(void *arg, struct event_base *base, const struct conf *conf)
{
	struct keys *k = arg;
	int r = 0;

	k->base = base;
	k->nslots = conf->tls_keys.n;
	if (k->nslots == 0 || k->nslots > CONF_CERTS_MAX ||
	    conf->tls_certificates.n != k->nslots) {
		log_err("keys: the conf names %zu keys for %zu certificates",
		    conf->tls_keys.n, conf->tls_certificates.n);
		return -1;
	}
	/* All faults are named, not the first alone. */
	for (size_t i = 0; i < k->nslots; i++)
		if (keys_load(k, conf, i) == -1)
			r = -1;
	for (size_t i = 0; i < CONF_CERTS_MAX; i++) {
		keys_put(&k->slots[i].cert_fd, -1);
		keys_put(&k->slots[i].key_fd, -1);
	}
	keys_put(&k->passphrase_fd, -1);
	return r;
}

static void
keys_forget(struct keys_session *s)
{
	struct keys *k = s->keys;

	chan_free(&s->chan);
	free(s);
	if (--k->sessions == 0 && k->draining)
		role_done();
}

/* A request as long as it says it is, of a known type. */
static bool
keys_is_request(const struct keys_request *request, size_t len)
{
	const size_t head = offsetof(struct keys_request, data);

	return len >= head && request->type == KEYS_SIGN &&
	    request->len > 0 && request->len <= TLS_SIGN_MAX &&
	    len == head + request->len;
}

static void
keys_input(struct chan *chan, void *arg, const void *msg, size_t len, int fd)
{
	const struct keys_request *request = msg;
	struct keys_session *s = arg;
	struct keys *k = s->keys;
	struct keys_reply reply;

	if (fd != -1)
		close(fd);
	if (fd != -1 || !keys_is_request(request, len)) {
		log_err("keys: bad request from=%s instance=%u",
		    role_name(s->role), s->instance);
		keys_forget(s);
		return;
	}
	reply.id = request->id;
	reply.status = KEYS_NO_KEY;
	reply.len = 0;
	if (request->number < k->nslots)
		keys_sign(k->slots[request->number].key, request, &reply);
	stats_add(STATS_SIGNATURES + (reply.status == KEYS_OK ? STATS_WELL :
	    STATS_FAILED), 1);
	if (reply.status != KEYS_OK)
		log_warn("keys: not signed from=%s instance=%u "
		    "certificate=%u status=%u", role_name(s->role),
		    s->instance, request->number, reply.status);
	if (chan_send(chan, &reply, offsetof(struct keys_reply, sig) +
	    reply.len, -1) == -1)
		keys_forget(s);
}

static void
keys_gone(struct chan *chan, void *arg)
{
	(void)chan;
	keys_forget(arg);
}

static void
keys_peer(void *arg, enum role role, uint32_t instance, int fd)
{
	static const struct chan_ops ops =
	    { .input = keys_input, .gone = keys_gone };
	struct keys *k = arg;
	struct keys_session *s;

	if ((role != ROLE_SMTPD_SESSION && role != ROLE_RETRIEVE_SESSION) ||
	    (s = calloc(1, sizeof(*s))) == NULL) {
		close(fd);
		return;
	}
	s->keys = k;
	s->role = role;
	s->instance = instance;
	if ((s->chan = chan_new(k->base, fd, &ops, s)) == NULL) {
		free(s);
		return;
	}
	chan_limit(s->chan, KEYS_QUEUE_MAX);
	k->sessions++;
}

static void
keys_drain(void *arg)
{
	struct keys *k = arg;

	k->draining = true;
	if (k->sessions == 0)
		role_done();
}

int
main(int argc, char **argv)
{
	static const struct role_ops ops = {
		.role = ROLE_TLS_KEYS,
		.profile = &keys_profile,
		.file = keys_file,
		.start = keys_start,
		.peer = keys_peer,
		.drain = keys_drain,
	};
	static struct keys keys;
	int r;

	for (size_t i = 0; i < CONF_CERTS_MAX; i++)
		keys.slots[i].cert_fd = keys.slots[i].key_fd = -1;
	keys.passphrase_fd = -1;
	r = role_main(argc, argv, &ops, &keys);
	for (size_t i = 0; i < keys.nslots; i++)
		EVP_PKEY_free(keys.slots[i].key);
	return r;
}
