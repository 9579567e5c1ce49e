package site_test

import (
	"bytes"
	"context"
	"crypto"
	"fmt"
	"html"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"petschaft/internal/lane"
	"petschaft/internal/pki"
	"petschaft/internal/trial"
)

// fetched are the files of a certificate in a directory, by the names that the
// portal gives them, fetched as the technical contact.
func (r *rig) fetched(dir, reference, base string) {
	r.t.Helper()
	nora := r.as("nora")
	for path, ending := range map[string]string{
		"certificate.pem": ".pem", "x509chain.pem": "-x509chain.pem", "fullchain.pem": "-fullchain.pem", "issuers.pem": "-issuers.pem",
		"certificate.cer": ".cer", "certificate.p7b": ".p7b",
	} {
		a := nora.get("/certificates/" + reference + "/" + path).status(http.StatusOK)
		name := reference + "-" + base + ending
		if got, want := a.Header.Get("Content-Disposition"), `attachment; filename="`+name+`"`; got != want {
			r.t.Errorf("%s: got Content-Disposition %q, want %q", path, got, want)
		}
		must(0, os.WriteFile(filepath.Join(dir, name), []byte(a.body), 0o600))
	}
}

// run runs a program in dir and returns what it says.
func run(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "LC_ALL=C")
	out, err := c.CombinedOutput()
	return string(out), err
}

func says(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	out, err := run(t, dir, name, args...)
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return out
}

func TestFilesOfAServerCertificateSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	reference := r.served(r.organisation, rsaKey().Public(), 90, "*.shop.uni.example", "shop.uni.example")
	c := must(r.Cert.Server(t.Context(), r.actors["nora"], reference))
	root, tls := r.CA.Certificates()[0].DER, r.CA.Chain("tls")[0]
	nora := r.as("nora")
	page := nora.get("/certificates/" + reference).status(http.StatusOK)
	for path, want := range map[string]struct {
		kind, ending string
		blocks       [][]byte
	}{
		"certificate.pem": {"application/x-pem-file", ".pem", [][]byte{c.DER}},
		"x509chain.pem":   {"application/pem-certificate-chain", "-x509chain.pem", [][]byte{c.DER, tls, root}},
		"fullchain.pem":   {"application/pem-certificate-chain", "-fullchain.pem", [][]byte{c.DER, tls}},
		"issuers.pem":     {"application/pem-certificate-chain", "-issuers.pem", [][]byte{tls, root}},
		"certificate.cer": {"application/pkix-cert", ".cer", nil},
		"certificate.p7b": {"application/x-pkcs7-certificates", ".p7b", nil},
	} {
		a := nora.get("/certificates/" + reference + "/" + path).status(http.StatusOK)
		file := reference + "-wildcard.shop.uni.example" + want.ending
		for header, w := range map[string]string{
			"Content-Type": want.kind, "Content-Disposition": `attachment; filename="` + file + `"`, "X-Content-Type-Options": "nosniff",
			"Cache-Control": "no-store", "Content-Length": fmt.Sprint(len(a.body)),
		} {
			if got := a.Header.Get(header); got != w {
				t.Errorf("%s: %s: got %q, want %q", path, header, got, w)
			}
		}
		if want.blocks != nil && a.body != string(pki.PEM(want.blocks...)) {
			t.Errorf("%s: got\n%s\nwant these %d certificates in this order and nothing else", path, a.body, len(want.blocks))
		}
		page.has(`href="/certificates/`+reference+"/"+path+`"`, file)
	}
	if a := nora.get("/certificates/" + reference + "/certificate.cer"); a.body != string(c.DER) {
		t.Error("the DER file is not the certificate")
	}
	for _, bad := range []string{"/x509chain", "/chain.pem", "/key.pem", "/certificate.p12"} {
		nora.get("/certificates/" + reference + bad).status(http.StatusNotFound)
	}
	spoken := strings.ToLower(strings.Replace(reference, "-", "", 1))
	nora.get("/certificates/" + spoken + "/certificate.pem").status(http.StatusOK)
	for _, who := range []string{"sven", "bob", "niko"} {
		r.as(who).get("/certificates/" + reference + "/x509chain.pem").status(http.StatusNotFound)
	}
	r.anonymous().get("/certificates/" + reference + "/x509chain.pem").status(http.StatusSeeOther)
	r.as("rita").get("/certificates/" + reference + "/x509chain.pem").status(http.StatusOK)
}

// snippet is the text of a piece of configuration on the page.
func (a answer) snippet(id string) string {
	a.b.r.t.Helper()
	m := regexp.MustCompile(`(?s)<code id="` + id + `">(.*?)</code>`).FindStringSubmatch(a.body)
	if m == nil {
		a.b.r.t.Fatalf("the page has no snippet %q", id)
	}
	return html.UnescapeString(m[1])
}

// freePort is a port that nobody listened on a moment ago.
func freePort() string {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// startNginx serves with a configuration until the test ends.
func startNginx(t *testing.T, dir, servers, port string) {
	t.Helper()
	conf := `daemon off; master_process off; pid ` + dir + `/pid; error_log stderr; events {}
http { access_log off; `
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		conf += kind + "_temp_path " + dir + "/" + kind + "; "
	}
	must(0, os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(conf+"\n"+servers+"\n}\n"), 0o600))
	var out bytes.Buffer
	c := exec.Command(lane.Find("nginx"), "-e", "stderr", "-p", dir, "-c", filepath.Join(dir, "nginx.conf"))
	c.Stderr = &out
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		t.Fatalf("start nginx: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	t.Cleanup(func() {
		c.Process.Kill()
		<-done
	})
	trial.Until(t, "nginx listens", func() bool {
		select {
		case err := <-done:
			done <- err
			t.Fatalf("nginx ended: %v\n%s\n%s", err, out.String(), servers)
		default:
		}
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

// TestPeerNginxServesWhatWasDownloaded, with the lines that the page gives for
// it, and curl, which trusts the root and nothing else, fetches from it.
func TestPeerNginxServesWhatWasDownloaded(t *testing.T) {
	t.Parallel()
	lane.Peer(t, "nginx")
	r := rigAt(t, trial.Machine())
	dir, port := t.TempDir(), freePort()
	must(0, os.WriteFile(filepath.Join(dir, "root.pem"), pki.PEM(r.CA.Certificates()[0].DER), 0o600))
	var servers strings.Builder
	type fetch struct {
		host string
		good bool
	}
	var fetches []fetch
	for kind, key := range map[string]crypto.Signer{"rsa": rsaKey(), "ec": ecKey()} {
		for base, c := range map[string]struct {
			names  []string
			hosts  []string
			others []string
		}{
			"single.": {[]string{"single." + kind + ".uni.example"}, []string{"single." + kind + ".uni.example"}, nil},
			"multi.": {
				[]string{"multi." + kind + ".uni.example", "zwei." + kind + ".uni.example", "xn--drei-5qa." + kind + ".uni.example"},
				[]string{"multi." + kind + ".uni.example", "zwei." + kind + ".uni.example", "xn--drei-5qa." + kind + ".uni.example"},
				nil,
			},
			"wildcard.": {
				[]string{"*.wild-" + kind + ".uni.example"},
				[]string{"a.wild-" + kind + ".uni.example", "irgendwas.wild-" + kind + ".uni.example"},
				[]string{"a.b.wild-" + kind + ".uni.example"},
			},
		} {
			reference := r.served(r.organisation, key.Public(), 90, c.names...)
			first := strings.Replace(c.names[0], "*", "wildcard", 1)
			r.fetched(dir, reference, first)
			must(0, os.WriteFile(filepath.Join(dir, first+".key"), keyPEM(key), 0o600))
			lines := r.as("nora").get("/certificates/" + reference).snippet("nginx")
			lines = strings.NewReplacer("/etc/ssl/private/", dir+"/", "/etc/ssl/", dir+"/", "listen 443 ssl", "listen 127.0.0.1:"+port+" ssl").Replace(lines)
			servers.WriteString(strings.TrimSuffix(lines, "}") + "    return 200 'served by " + base + kind + "';\n}\n")
			for _, h := range c.hosts {
				fetches = append(fetches, fetch{h, true})
			}
			for _, h := range c.others {
				fetches = append(fetches, fetch{h, false})
			}
		}
	}
	startNginx(t, dir, servers.String(), port)
	curl := func(host string) (string, error) {
		return run(t, dir, "curl", "-q", "--silent", "--show-error", "--noproxy", "*", "--max-time", "20", "--cacert", "root.pem", "--capath", "/nowhere",
			"--resolve", host+":"+port+":127.0.0.1", "https://"+host+":"+port+"/")
	}
	for _, f := range fetches {
		out, err := curl(f.host)
		if f.good && (err != nil || !strings.HasPrefix(out, "served by ")) {
			t.Errorf("%s: got %q, %v; want it served", f.host, out, err)
		}
		if !f.good && err == nil {
			t.Errorf("%s: got %q, want curl to refuse a name that no certificate has", f.host, out)
		}
	}
	if len(fetches) != 14 {
		t.Errorf("%d fetches were tried, want 14", len(fetches))
	}
	must(0, os.WriteFile(filepath.Join(dir, "root.pem"), pki.PEM(r.CA.Chain("mail")[0]), 0o600))
	if out, err := curl(fetches[0].host); err == nil {
		t.Errorf("trusting another authority: got %q, want curl to refuse", out)
	}
}

// TestPeerNginxServesTheWholeChainToo: whoever takes the file with the root is served as
// well, and the certificate alone is not enough.
func TestPeerNginxServesTheWholeChainToo(t *testing.T) {
	t.Parallel()
	lane.Peer(t, "nginx")
	r := rigAt(t, trial.Machine())
	key := ecKey()
	for ending, good := range map[string]bool{"-x509chain.pem": true, ".pem": false} {
		dir, port := t.TempDir(), freePort()
		must(0, os.WriteFile(filepath.Join(dir, "root.pem"), pki.PEM(r.CA.Certificates()[0].DER), 0o600))
		must(0, os.WriteFile(filepath.Join(dir, "key"), keyPEM(key), 0o600))
		reference := r.served(r.organisation, key.Public(), 90, "www.uni.example")
		r.fetched(dir, reference, "www.uni.example")
		startNginx(t, dir, fmt.Sprintf("server { listen 127.0.0.1:%s ssl; ssl_certificate %s/%s-www.uni.example%s; ssl_certificate_key %s/key; return 200 ok; }",
			port, dir, reference, ending, dir), port)
		out, err := run(t, dir, "curl", "-q", "-sS", "--noproxy", "*", "--cacert", "root.pem", "--capath", "/nowhere", "--resolve", "www.uni.example:"+port+":127.0.0.1",
			"https://www.uni.example:"+port+"/")
		if (err == nil) != good {
			t.Errorf("with the file %q: got %q, %v; want it served: %v", ending, out, err, good)
		}
	}
}

// TestPeersGnuTLSAndOpenSSLReadTheFiles as they were downloaded.
func TestPeersGnuTLSAndOpenSSLReadTheFiles(t *testing.T) {
	t.Parallel()
	lane.Peer(t, "certtool")
	r := rigAt(t, trial.Machine())
	for _, key := range []crypto.Signer{rsaKey(), ecKey()} {
		dir := t.TempDir()
		reference := r.served(r.organisation, key.Public(), 90, "www.uni.example", "uni.example")
		r.fetched(dir, reference, "www.uni.example")
		must(0, os.WriteFile(filepath.Join(dir, "root.pem"), pki.PEM(r.CA.Certificates()[0].DER), 0o600))
		file := func(ending string) string { return reference + "-www.uni.example" + ending }
		if out := says(t, dir, "certtool", "--verify-chain", "--infile", file("-x509chain.pem")); !strings.Contains(out, "Verified. The certificate is trusted.") {
			t.Errorf("GnuTLS says of the chain\n%s\nwant it trusted", out)
		}
		for _, ending := range []string{"-fullchain.pem", "-x509chain.pem"} {
			out := says(t, dir, "certtool", "--verify", "--load-ca-certificate", "root.pem", "--verify-hostname", "uni.example", "--verify-purpose", "1.3.6.1.5.5.7.3.1", "--infile", file(ending))
			if !strings.Contains(out, "The certificate is trusted.") {
				t.Errorf("GnuTLS says of %s\n%s\nwant it trusted", ending, out)
			}
		}
		if out, err := run(t, dir, "certtool", "--verify", "--load-ca-certificate", "root.pem", "--infile", file(".pem")); err == nil && strings.Contains(out, "The certificate is trusted.") {
			t.Errorf("GnuTLS trusts the certificate without its chain:\n%s", out)
		}
		if out := says(t, dir, "certtool", "--p7-info", "--inder", "--infile", file(".p7b")); !strings.Contains(out, "Number of certificates: 3") {
			t.Errorf("GnuTLS says of the PKCS#7 file\n%s\nwant three certificates", out)
		}
		if out := says(t, dir, "openssl", "pkcs7", "-inform", "DER", "-in", file(".p7b"), "-print_certs", "-noout"); strings.Count(out, "subject=") != 3 {
			t.Errorf("OpenSSL says of the PKCS#7 file\n%s\nwant three certificates", out)
		}
		if out := says(t, dir, "openssl", "x509", "-inform", "DER", "-in", file(".cer"), "-noout", "-ext", "subjectAltName"); !strings.Contains(out, "DNS:www.uni.example, DNS:uni.example") {
			t.Errorf("OpenSSL says of the DER file\n%s\nwant its names", out)
		}
		if out := says(t, dir, "openssl", "verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", file("-issuers.pem"), "-purpose", "sslserver", "-verify_hostname", "www.uni.example", file(".pem")); !strings.Contains(out, "OK") {
			t.Errorf("OpenSSL says %s, want OK", out)
		}
	}
}

// TestPeerJavaTakesTheChain: a key made by keytool, its request, and the file with
// the chain imported by the line that the page gives.
func TestPeerJavaTakesTheChain(t *testing.T) {
	t.Parallel()
	lane.Peer(t, "keytool")
	r := rigAt(t, trial.Machine())
	for _, alg := range [][]string{{"-keyalg", "EC", "-groupname", "secp256r1"}, {"-keyalg", "RSA", "-keysize", "2048"}} {
		dir := t.TempDir()
		store := []string{"-keystore", "keystore.p12", "-storetype", "PKCS12", "-storepass", "geheim1", "-alias", "java.uni.example"}
		says(t, dir, "keytool", append(append([]string{"-genkeypair", "-dname", "CN=java.uni.example"}, alg...), store...)...)
		request := says(t, dir, "keytool", append([]string{"-certreq"}, store...)...)
		csr, err := pki.ReadCSR([]byte(request[strings.Index(request, "-----BEGIN"):]))
		if err != nil {
			t.Fatal(err)
		}
		reference := r.servedKey(csr.Key, "java.uni.example", "www.java.uni.example")
		r.fetched(dir, reference, "java.uni.example")
		lines := r.as("nora").get("/certificates/" + reference).snippet("java")
		if out, err := run(t, dir, "sh", "-c", lines+" -storepass geheim1"); err != nil {
			t.Fatalf("%s: %v\n%s", lines, err, out)
		}
		out := says(t, dir, "keytool", append([]string{"-list", "-v"}, store...)...)
		if !strings.Contains(out, "Certificate chain length: 3") {
			t.Errorf("Java says\n%s\nwant a chain of three", out)
		}
	}
}
