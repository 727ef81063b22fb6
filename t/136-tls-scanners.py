# SPDX-License-Identifier: ISC
# What scanners of TLS say about both SMTP ports: sslscan and testssl.sh find
# nothing that they call a weakness, but what lies with the test's own CA.
import shutil

from lib import *

# Of the certificate, which a site may have from whom it likes.
OF_THE_CA = ("cert_chain_of_trust", "cert_revocation", "OCSP_stapling",
             "cert_crlDistributionPoints", "DNS_CAArecord", "cert_trust",
             "cert_ocspURL")
# Of the scanner's own openssl, and of its being for HTTP above all.
OF_THE_SCANNER = ("engine_problem", "service")
FINE = ("OK", "INFO")


def sslscan(what, args):
    if shutil.which("sslscan") is None:
        skip("sslscan is missing", 3)
        return
    out = subprocess.run(["sslscan", "--no-colour"] + args, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         timeout=600, stdin=subprocess.DEVNULL).stdout
    found = dict(re.findall(r"^((?:SSL|TLS)v[\d.]+) +(en|dis)abled$", out,
                            re.M))
    eq(found, {"SSLv2": "dis", "SSLv3": "dis", "TLSv1.0": "dis",
               "TLSv1.1": "dis", "TLSv1.2": "en", "TLSv1.3": "en"},
       "sslscan, %s: TLS 1.2 and 1.3 alone" % what)
    ciphers = re.findall(r"^(?:Preferred|Accepted) +\S+ +\d+ bits +(\S+)",
                         out, re.M)
    ok(len(ciphers) >= 6 and all(re.fullmatch(
        r"(TLS_|ECDHE-).*(GCM|CHACHA20).*", c) for c in ciphers),
        "sslscan, %s: AEAD suites with forward secrecy alone" % what, out)
    ok("Session renegotiation not supported" in out and
       re.search(r"^TLSv.* vulnerable to heartbleed", out, re.M) and
       not re.search(r"(?<!not) vulnerable", out),
       "sslscan, %s: no renegotiation, no heartbleed" % what, out)


def testssl(f, what, args):
    program = shutil.which("testssl") or shutil.which("testssl.sh")
    if program is None:
        skip("testssl.sh is missing")
        return
    report = "%s/testssl-%s.json" % (f.dir, args[-1].split(":")[1])
    p = subprocess.run(
        [program, "--quiet", "--color", "0", "--warnings", "batch",
         "--openssl", shutil.which("openssl"), "--add-ca", f.ca,
         "--ip", "127.0.0.1", "--jsonfile", report,
         "-p", "-s", "-f", "-P", "-S", "-U"] + args, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1200,
        stdin=subprocess.DEVNULL)
    try:
        with open(report) as r:
            rows = json.load(r)
    except (OSError, ValueError):
        rows = []
    bad = ["%s %s: %s" % (r["severity"], r["id"], r["finding"]) for r in rows
           if r["severity"] not in FINE and
           not r["id"].startswith(OF_THE_CA + OF_THE_SCANNER)]
    ok(len(rows) > 60 and bad == [], "testssl.sh, %s: no weakness" % what,
       len(rows), "\n".join(bad), p.stdout[-3000:] if len(rows) <= 60 else "")


def test():
    f = start("", "postern-auth", "postern-smtpd")
    sslscan("submission", ["--starttls-smtp", "localhost:%d" % f.smtp])
    sslscan("submissions", ["localhost:%d" % f.smtps])
    testssl(f, "submission", ["-t", "smtp", "localhost:%d" % f.smtp])
    testssl(f, "submissions", ["localhost:%d" % f.smtps])


run(8, test)
