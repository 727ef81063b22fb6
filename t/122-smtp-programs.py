# SPDX-License-Identifier: ISC
# More programs that people send with: s-nail, git send-email, Perl's
# Net::SMTP, and GNU SASL's own client, which is nobody's mail program but
# speaks SCRAM, with channel binding too, by a library that is not ours.
import shutil
import threading

from lib import *

home = "/nonexistent"
BODY = "a line\n.a line with a dot\nthe last line\n"


def message(subject, to="bob@" + DOMAIN):
    return "From: alice@%s\nTo: %s\nSubject: %s\n\n%s" % (
        DOMAIN, to, subject, BODY)


def box(user):
    """{subject: text} of what is there."""
    found = {}
    new = maildir(user) + "/new/"
    for name in os.listdir(new):
        with open(new + name) as m:
            text = m.read()
        subject = re.search(r"^Subject: (.*)$", text, re.M)
        found[subject.group(1) if subject else name] = text
    return found


def call(args, text="", **env):
    p = subprocess.run(args, input=text, text=True, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=PATIENCE,
                       env=dict(os.environ, HOME=home, **env))
    return p.returncode, p.stdout


def sends(what, subject, args, text="", code=0, **env):
    """Does the command end well, and is its message there, whole?"""
    if shutil.which(args[0]) is None:
        skip(args[0] + " is missing")
        return
    got, out = call(args, text, **env)
    there = box("bob").get(subject, "")
    ok(got == code and there.endswith("\n\n" + BODY), what, got, out, there)


def snail(f):
    rc = f.dir + "/nailrc"
    with open(rc, "w") as c:
        c.write("set v15-compat sendwait\n"
                "set tls-ca-file=%s tls-ca-no-defaults\n"
                "set tls-verify=strict\n"
                "set from=alice@%s\nset hostname=client.test\n"
                % (f.ca, DOMAIN))
    for what, subject, url, more in (
            ("implicit TLS", "nail-tls", "smtps://%s@localhost:%d" % (
                "alice%40" + DOMAIN + ":alice-secret", f.smtps), []),
            ("STARTTLS", "nail-starttls", "smtp://%s@localhost:%d" % (
                "alice%40" + DOMAIN + ":alice-secret", f.smtp),
             ["-S", "smtp-use-starttls"])):
        for mechanism in ("plain", "login"):
            name = subject + "-" + mechanism
            sends("s-nail, %s, %s" % (what, mechanism.upper()), name,
                  ["s-nail", "-:u", "-S", "mta=" + url,
                   "-S", "smtp-auth=" + mechanism, *more, "-s", name,
                   "bob@" + DOMAIN], BODY, MAILRC=rc)


def git(f):
    if shutil.which("git") is None or call(
            ["git", "send-email", "-h"])[1].find("--smtp-server") < 0 or \
            call(["perl", "-MMail::Address", "-MIO::Socket::SSL", "-e",
                  "1"])[0] != 0:
        skip("git send-email or what it needs is missing", 2)
        return
    for what, port, encryption in (("STARTTLS", f.smtp, "tls"),
                                   ("implicit TLS", f.smtps, "ssl")):
        subject = "git-" + encryption
        patch = "%s/%s.patch" % (f.dir, subject)
        with open(patch, "w") as p:
            p.write(message(subject))
        sends("git send-email, " + what, subject,
              ["git", "-c", "sendemail.suppresscc=all",
               "-c", "core.quotepath=no", "send-email", "--confirm=never",
               "--quiet", "--to=bob@" + DOMAIN, "--from=alice@" + DOMAIN,
               "--no-thread", "--no-xmailer", "--8bit-encoding=UTF-8",
               "--transfer-encoding=8bit",
               "--smtp-server=localhost", "--smtp-server-port=%d" % port,
               "--smtp-encryption=" + encryption,
               "--smtp-ssl-cert-path=" + f.ca,
               "--smtp-user=alice@" + DOMAIN, "--smtp-pass=alice-secret",
               "--smtp-auth=PLAIN", patch],
              GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null",
              GIT_AUTHOR_NAME="alice", GIT_AUTHOR_EMAIL="alice@" + DOMAIN,
              GIT_COMMITTER_NAME="alice",
              GIT_COMMITTER_EMAIL="alice@" + DOMAIN)


NET_SMTP = r"""
use strict; use warnings;
use Net::SMTP;
my ($kind, $port, $ca, $subject) = @ARGV;
my @tls = (SSL_ca_file => $ca, SSL_verifycn_name => "localhost");
my $s = Net::SMTP->new("localhost", Port => $port, Hello => "client.test",
    Timeout => 60, SSL => $kind eq "tls", $kind eq "tls" ? @tls : ())
    or die "connect: $@";
if ($kind ne "tls") { $s->starttls(@tls) or die "starttls: $@"; }
$s->auth('alice@example.test', "alice-secret") or die $s->message;
$s->mail('alice@example.test', Size => 200, Bits => 8) or die $s->message;
my @good = $s->recipient('bob@example.test', 'nobody@example.test',
    { SkipBad => 1 });
die "recipients: @good" unless "@good" eq 'bob@example.test';
my $text = join "", <STDIN>;
$text =~ s/\n/\r\n/g;
$s->data($text) or die $s->message;
die "not delivered" unless $s->code == 250;
$s->mail('bob@example.test') and die "another's sender was taken";
die $s->code unless $s->code == 553;
$s->quit or die;
"""


def perl(f):
    if shutil.which("perl") is None or call(
            ["perl", "-MNet::SMTP", "-MIO::Socket::SSL", "-MAuthen::SASL",
             "-e", "1"])[0] != 0:
        skip("Perl's Net::SMTP, IO::Socket::SSL, Authen::SASL missing", 2)
        return
    for what, kind, port in (("STARTTLS", "starttls", f.smtp),
                             ("implicit TLS", "tls", f.smtps)):
        subject = "net-smtp-" + kind
        sends("Net::SMTP, " + what, subject,
              ["perl", "-e", NET_SMTP, kind, str(port), f.ca, subject],
              message(subject))


def copy(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def with_hello(port):
    """A port whose connections go to that one, EHLO being said for them:
    gsasl says STARTTLS first of all. TLS goes through as it is."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            a = listener.accept()[0]
            b = socket.create_connection(("127.0.0.1", port))
            lines = b.makefile("rb")
            greeting = lines.readline()
            b.sendall(b"EHLO client.test\r\n")
            while lines.readline()[3:4] == b"-":
                pass
            a.sendall(greeting)
            for pair in ((a, b), (b, a)):
                threading.Thread(target=copy, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def gsasl_login(f, port, mechanism, password="alice-secret"):
    if mechanism == "SCRAM-SHA-256":
        more = ["--no-cb"]      # else it binds, and then refuses itself
    else:
        more = [] if "SCRAM" in mechanism else ["--authorization-id="]
    return call(["gsasl", "--smtp", "--connect=localhost:%d" % port,
                 "--starttls", "--x509-ca-file=" + f.ca,
                 "--mechanism=" + mechanism, "--hostname=localhost",
                 "--service=smtp", "--authentication-id=alice@" + DOMAIN,
                 "--password=" + password, *more])


def gsasl(f):
    if shutil.which("gsasl") is None:
        skip("gsasl is missing", 8)
        return
    port = with_hello(f.smtp)
    for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "PLAIN",
                      "LOGIN"):
        code, out = gsasl_login(f, port, mechanism)
        ok(code == 0, "gsasl logs in by " + mechanism, code, out)
        code, out = gsasl_login(f, port, mechanism, "wrong")
        ok(code != 0, "and not with a wrong password", code, out)


def test():
    global home
    f = start("auth { failure_delay = 0 }", "postern-auth", "postern-smtpd")
    home = f.dir
    snail(f)
    git(f)
    perl(f)
    gsasl(f)


run(16, test)
