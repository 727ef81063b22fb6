/* SPDX-License-Identifier: ISC */
/*
 * The program tls-keys, confined as in service, with this test for its
 * master and for the sessions: its start with good and bad files, what it
 * signs, what it does about those who break the rules, its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "keys/client.h"
#include "keys/keys_proto.h"
#include "lib/ctl.h"
#include "lib/ipc.h"
#include "lib/log.h"
#include "lib/role.h"
#include "t/unit/pki.h"

#define DAY	86400
#define NOBODY	65534

static EVP_PKEY *ec, *rsa;
static X509 *ec_cert, *rsa_cert;

struct program {
	pid_t	 pid;
	int	 ctl;
	int	 out;		/* what it logs */
};

static void
start(struct program *p)
{
	char path[4096];
	int sv[2], out[2];

	snprintf(path, sizeof(path), "%s/tls-keys",
	    getenv("BUILDDIR") != NULL ? getenv("BUILDDIR") : ".");
	assert_int_equal(ipc_pair(sv), 0);
	assert_int_equal(pipe(out), 0);
	p->pid = fork();
	assert_true(p->pid != -1);
	if (p->pid == 0) {
		/* A role refuses to be root. */
		if (geteuid() == 0 && (setgid(NOBODY) == -1 ||
		    setuid(NOBODY) == -1))
			_exit(99);
		dup2(out[1], 2);
		if (sv[1] == CTL_FD)
			fcntl(CTL_FD, F_SETFD, 0);
		else
			dup2(sv[1], CTL_FD);
		closefrom(CTL_FD + 1);
		/* Not being dumpable, it cannot look for leaks. */
		setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
		execl(path, "tls-keys", (char *)NULL);
		_exit(98);
	}
	close(sv[1]);
	close(out[1]);
	p->ctl = sv[0];
	p->out = out[0];
}

static void
tell(const struct program *p, enum ctl_type type, uint32_t what,
    uint32_t number, int fd)
{
	struct ctl c = { .type = type, .what = what, .number = number };

	assert_int_equal(ipc_send(p->ctl, &c, sizeof(c), fd), 0);
	if (fd != -1)
		close(fd);
}

static void
tell_conf(const struct program *p)
{
	int fd = pki_text_fd(
	    "hostname = \"mail.example.test\"\n"
	    "domains = { \"example.test\" }\n"
	    "tls {\n"
	    "certificates = { \"/etc/a.crt\", \"/etc/b.crt\" }\n"
	    "keys = { \"/etc/a.key\", \"/etc/b.key\" }\n"
	    "}\n");

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	tell(p, CTL_CONF, 0, 0, fd);
}

static void
tell_pair(const struct program *p, uint32_t number, X509 *cert, EVP_PKEY *key,
    const char *passphrase)
{
	tell(p, CTL_FILE, ROLE_FILE_CERT, number, pki_cert_fd(cert, NULL));
	tell(p, CTL_FILE, ROLE_FILE_KEY, number, pki_key_fd(key, passphrase));
}

/* A channel for a session; the other end of it. */
static int
tell_session(const struct program *p, enum role role)
{
	int sv[2];

	assert_int_equal(ipc_pair(sv), 0);
	tell(p, CTL_PEER, role, 1, sv[0]);
	return sv[1];
}

/* Wait until there is something to read; false after 10 s. */
static bool
readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 10000) == 1;
}

static void
await_ready(const struct program *p)
{
	struct ctl c;

	assert_true(readable(p->ctl));
	assert_int_equal(ipc_recv(p->ctl, &c, sizeof(c), NULL), sizeof(c));
	assert_int_equal(c.type, CTL_READY);
}

/* Its exit status, and what it logged. */
static int
await_end(struct program *p, char *text, size_t size)
{
	size_t len = 0;
	int status;
	ssize_t n;

	while ((n = read(p->out, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	close(p->ctl);
	close(p->out);
	if (!WIFEXITED(status))
		print_message("# signal %d: %s\n", WTERMSIG(status), text);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Has the other end hung up? */
static bool
is_gone(int fd)
{
	char c;

	return readable(fd) && ipc_recv(fd, &c, 1, NULL) == 0;
}

static void
sign_both(struct keys_client *k)
{
	static const unsigned char info[] = { 0x30, 0x31, 0x30, 0x0d, 0x06,
	    0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
	    0x00, 0x04, 0x20 };
	unsigned char block[256], sig[TLS_SIGN_MAX];
	EVP_PKEY_CTX *ctx;
	size_t len;

	memset(block, 0xff, sizeof(block));
	assert_int_equal(keys_client_sign(k, 0, TLS_ALG_ECDSA, block, 32, sig,
	    &len), 0);
	ctx = EVP_PKEY_CTX_new(ec, NULL);
	assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
	assert_int_equal(EVP_PKEY_verify(ctx, sig, len, block, 32), 1);
	EVP_PKEY_CTX_free(ctx);
	block[0] = 0;
	block[1] = 1;
	block[256 - 52] = 0;
	memcpy(block + 256 - 51, info, sizeof(info));
	assert_int_equal(keys_client_sign(k, 1, TLS_ALG_RSA, block, 256, sig,
	    &len), 0);
	assert_int_equal(len, 256);
	/* Refusals; the channel stays. */
	assert_int_equal(keys_client_sign(k, 0, TLS_ALG_RSA, block, 256, sig,
	    &len), -1);
	assert_int_equal(keys_client_sign(k, 1, TLS_ALG_RSA, sig, 256, sig,
	    &len), -1);
	assert_int_equal(keys_client_sign(k, 2, TLS_ALG_ECDSA, block, 32, sig,
	    &len), -1);
	assert_int_equal(keys_client_sign(k, UINT32_MAX, TLS_ALG_ECDSA, block,
	    32, sig, &len), -1);
	assert_int_equal(keys_client_sign(k, 0, TLS_ALG_ECDSA, block, 32, sig,
	    &len), 0);
}

static void
test_service(void **state)
{
	struct keys_client smtp, http;
	struct program p;
	char text[4096];

	(void)state;
	start(&p);
	tell_conf(&p);
	tell_pair(&p, 0, ec_cert, ec, NULL);
	tell_pair(&p, 1, rsa_cert, rsa, "open sesame");
	tell(&p, CTL_FILE, ROLE_FILE_PASSPHRASE, 0,
	    pki_text_fd("open sesame\nmore\n"));
	keys_client_init(&smtp);
	keys_client_init(&http);
	keys_client_set(&smtp, tell_session(&p, ROLE_SMTPD_SESSION));
	tell(&p, CTL_START, 0, 0, -1);
	await_ready(&p);
	sign_both(&smtp);
	/* Sessions come and go. */
	keys_client_set(&http, tell_session(&p, ROLE_RETRIEVE_SESSION));
	keys_client_close(&smtp);
	keys_client_set(&smtp, tell_session(&p, ROLE_SMTPD_SESSION));
	sign_both(&http);
	sign_both(&smtp);
	/* Drained, it ends with the last session, not before. */
	tell(&p, CTL_DRAIN, 0, 0, -1);
	sign_both(&http);
	keys_client_close(&http);
	sign_both(&smtp);
	keys_client_close(&smtp);
	assert_int_equal(await_end(&p, text, sizeof(text)), EX_OK);
}

/* Each of these costs the sender its channel, and no one else's. */
static void
test_rules(void **state)
{
	const size_t head = offsetof(struct keys_request, data);
	struct keys_request good = { .type = KEYS_SIGN, .len = 32,
	    .algorithm = TLS_ALG_ECDSA };
	struct keys_client k;
	struct program p;
	char text[8192];
	int fd;

	(void)state;
	start(&p);
	tell_conf(&p);
	tell_pair(&p, 0, ec_cert, ec, NULL);
	tell_pair(&p, 1, rsa_cert, rsa, NULL);
	tell(&p, CTL_START, 0, 0, -1);
	await_ready(&p);
	keys_client_init(&k);
	keys_client_set(&k, tell_session(&p, ROLE_SMTPD_SESSION));
	fd = tell_session(&p, ROLE_SMTPD_STORE);
	assert_true(is_gone(fd));
	close(fd);
	for (int i = 0; i < 7; i++) {
		struct keys_request r = good;
		size_t len = head + r.len;
		int pass = -1;

		fd = tell_session(&p, ROLE_SMTPD_SESSION);
		switch (i) {
		case 0: r.type = KEYS_NONE; break;
		case 1: r.type = KEYS_TYPE_COUNT; break;
		case 2: r.len = 0; len = head; break;
		case 3: r.len++; break;
		case 4: r.len = TLS_SIGN_MAX + 1; len = sizeof(r); break;
		case 5: len = head - 1; break;
		case 6: pass = fd; break;
		}
		assert_int_equal(ipc_send(fd, &r, len, pass), 0);
		assert_true(is_gone(fd));
		close(fd);
		sign_both(&k);
	}
	/* Without its master it ends. */
	shutdown(p.ctl, SHUT_RDWR);
	assert_int_equal(await_end(&p, text, sizeof(text)), EX_OK);
	assert_non_null(strstr(text, "bad request from=smtpd-session"));
	keys_client_close(&k);
}

static void
expect_refusal(X509 *cert, EVP_PKEY *key, const char *sealed,
    const char *passphrase, const char *what)
{
	struct program p;
	char text[4096];

	start(&p);
	tell_conf(&p);
	tell_pair(&p, 0, ec_cert, ec, NULL);
	if (cert != NULL)
		tell_pair(&p, 1, cert, key, sealed);
	if (passphrase != NULL)
		tell(&p, CTL_FILE, ROLE_FILE_PASSPHRASE, 0,
		    pki_text_fd(passphrase));
	tell(&p, CTL_START, 0, 0, -1);
	assert_int_equal(await_end(&p, text, sizeof(text)), EX_CONFIG);
	assert_non_null(strstr(text, what));
	assert_non_null(strstr(text, "/etc/b.key"));
	assert_non_null(strstr(text, "/etc/b.crt"));
	assert_null(strstr(text, "/etc/a.key, "));
	assert_null(strstr(text, "sesame"));
}

static void
test_bad_start(void **state)
{
	(void)state;
	expect_refusal(rsa_cert, ec, NULL, NULL,
	    "the key does not belong to the certificate");
	expect_refusal(rsa_cert, rsa, "open sesame", NULL,
	    "the key is encrypted and there is no passphrase");
	expect_refusal(rsa_cert, rsa, "open sesame", "sesame",
	    "the passphrase does not open the key");
	expect_refusal(NULL, NULL, NULL, NULL,
	    "the master sent no certificate or no key");
}

static int
set_up(void **state)
{
	(void)state;
	ec = pki_key("P-256", 0);
	rsa = pki_key("rsa", 2048);
	ec_cert = pki_cert(ec, "a", -DAY, DAY, NULL, NULL);
	rsa_cert = pki_cert(rsa, "b", -DAY, DAY, NULL, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	X509_free(ec_cert);
	X509_free(rsa_cert);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(rsa);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_service),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_bad_start),
	};

	log_open("test-tls-keys", -1, false);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
