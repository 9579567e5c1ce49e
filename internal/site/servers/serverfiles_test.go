package servers_test

import (
	"bytes"
	"crypto"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"petschaft/internal/lane"
	"petschaft/internal/pki"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// fetched are the files of a certificate in a directory, by the names that the
// portal gives them, fetched as the technical contact.
func fetched(r *sitetest.Rig, dir, reference, base string) {
	r.T.Helper()
	nora := r.As("nora")
	for path, ending := range map[string]string{
		"certificate.pem": ".pem", "x509chain.pem": "-x509chain.pem", "fullchain.pem": "-fullchain.pem", "issuers.pem": "-issuers.pem",
		"certificate.cer": ".cer", "certificate.p7b": ".p7b",
	} {
		a := nora.Get("/certificates/" + reference + "/" + path).Is(http.StatusOK)
		name := reference + "-" + base + ending
		if got, want := a.Header.Get("Content-Disposition"), `attachment; filename="`+name+`"`; got != want {
			r.T.Errorf("%s: got Content-Disposition %q, want %q", path, got, want)
		}
		trial.Must(0, os.WriteFile(filepath.Join(dir, name), []byte(a.Content), 0o600))
	}
}

func TestFilesOfAServerCertificateSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	reference := r.Served(r.Organisation, sitetest.RSAKey().Public(), 90, "*.shop.uni.example", "shop.uni.example")
	c := trial.Must(r.Cert.Server(t.Context(), r.Actors["nora"], reference))
	root, tls := r.CA.Certificates()[0].DER, r.CA.Chain("tls")[0]
	nora := r.As("nora")
	page := nora.Get("/certificates/" + reference).Is(http.StatusOK)
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
		a := nora.Get("/certificates/" + reference + "/" + path).Is(http.StatusOK)
		file := reference + "-wildcard.shop.uni.example" + want.ending
		for header, w := range map[string]string{
			"Content-Type": want.kind, "Content-Disposition": `attachment; filename="` + file + `"`, "X-Content-Type-Options": "nosniff",
			"Cache-Control": "no-store", "Content-Length": fmt.Sprint(len(a.Content)),
		} {
			if got := a.Header.Get(header); got != w {
				t.Errorf("%s: %s: got %q, want %q", path, header, got, w)
			}
		}
		if want.blocks != nil && a.Content != string(pki.PEM(want.blocks...)) {
			t.Errorf("%s: got\n%s\nwant these %d certificates in this order and nothing else", path, a.Content, len(want.blocks))
		}
		page.Has(`href="/certificates/`+reference+"/"+path+`"`, file)
	}
	if a := nora.Get("/certificates/" + reference + "/certificate.cer"); a.Content != string(c.DER) {
		t.Error("the DER file is not the certificate")
	}
	for _, bad := range []string{"/x509chain", "/chain.pem", "/key.pem", "/certificate.p12"} {
		nora.Get("/certificates/" + reference + bad).Is(http.StatusNotFound)
	}
	spoken := strings.ToLower(strings.Replace(reference, "-", "", 1))
	nora.Get("/certificates/" + spoken + "/certificate.pem").Is(http.StatusOK)
	for _, who := range []string{"sven", "bob", "niko"} {
		r.As(who).Get("/certificates/" + reference + "/x509chain.pem").Is(http.StatusNotFound)
	}
	r.Anonymous().Get("/certificates/" + reference + "/x509chain.pem").Is(http.StatusSeeOther)
	r.As("rita").Get("/certificates/" + reference + "/x509chain.pem").Is(http.StatusOK)
}

// TestAKeyIsInstalledSoThatNobodyElseReadsIt: the lines for the shell, run as they
// stand where everybody may read new files and no directory is there yet, with the
// file that the browser saves.
func TestAKeyIsInstalledSoThatNobodyElseReadsIt(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	reference := r.Served(r.Organisation, sitetest.ECKey().Public(), 90, "*.uni.example")
	page := r.As("nora").Get("/certificates/" + reference)
	for id, made := range map[string]string{"nginx-shell": "private/wildcard.uni.example.key.pem", "haproxy-shell": "certs/" + reference + "-wildcard.uni.example-haproxy.pem"} {
		dir := t.TempDir()
		trial.Must(0, os.WriteFile(filepath.Join(dir, reference+"-wildcard.uni.example-fullchain.pem"), []byte("chain\n"), 0o644))
		trial.Must(0, os.WriteFile(filepath.Join(dir, "wildcard.uni.example.key.pem"), []byte("key\n"), 0o600))
		lines := strings.NewReplacer("sudo ", "", "/etc/ssl/", dir+"/", "/etc/haproxy/", dir+"/").Replace(page.Code(id))
		sitetest.Says(t, dir, "sh", "-c", "umask 022\n"+lines)
		info := trial.Must(os.Stat(filepath.Join(dir, made)))
		if content := trial.Must(os.ReadFile(filepath.Join(dir, made))); info.Mode().Perm() != 0o600 || !strings.HasSuffix(string(content), "key\n") {
			t.Errorf("%s: got %q with mode %v, want the key for nobody else", id, content, info.Mode())
		}
	}
	page.Has("heißt nach dem Servernamen, für den Sie ihn erzeugt haben").Lacks("wie der Browser ihn gespeichert hat") // which need not be the first here
	if lines := page.Code("haproxy"); strings.Contains(lines, "cat ") {
		t.Errorf("the configuration holds commands: %s", lines)
	}
}

// freePort is a port that nobody listened on a moment ago.
func freePort() string {
	l := trial.Must(net.Listen("tcp", "127.0.0.1:0"))
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
	trial.Must(0, os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(conf+"\n"+servers+"\n}\n"), 0o600))
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
	r := sitetest.NewOn(t, trial.Machine())
	dir, port := t.TempDir(), freePort()
	trial.Must(0, os.WriteFile(filepath.Join(dir, "root.pem"), pki.PEM(r.CA.Certificates()[0].DER), 0o600))
	var servers strings.Builder
	type fetch struct {
		host string
		good bool
	}
	var fetches []fetch
	for kind, key := range map[string]crypto.Signer{"rsa": sitetest.RSAKey(), "ec": sitetest.ECKey()} {
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
			reference := r.Served(r.Organisation, key.Public(), 90, c.names...)
			first := strings.Replace(c.names[0], "*", "wildcard", 1)
			fetched(r, dir, reference, first)
			trial.Must(0, os.WriteFile(filepath.Join(dir, first+".key.pem"), sitetest.KeyPEM(key), 0o600))
			lines := r.As("nora").Get("/certificates/" + reference).Code("nginx")
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
		return sitetest.Run(t, dir, "curl", "-q", "--silent", "--show-error", "--noproxy", "*", "--max-time", "20", "--cacert", "root.pem", "--capath", "/nowhere",
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
	trial.Must(0, os.WriteFile(filepath.Join(dir, "root.pem"), pki.PEM(r.CA.Chain("mail")[0]), 0o600))
	if out, err := curl(fetches[0].host); err == nil {
		t.Errorf("trusting another authority: got %q, want curl to refuse", out)
	}
}

// TestPeerNginxServesTheWholeChainToo: whoever takes the file with the root is served as
// well, and the certificate alone is not enough.
func TestPeerNginxServesTheWholeChainToo(t *testing.T) {
	t.Parallel()
	lane.Peer(t, "nginx")
	r := sitetest.NewOn(t, trial.Machine())
	key := sitetest.ECKey()
	for ending, good := range map[string]bool{"-x509chain.pem": true, ".pem": false} {
		dir, port := t.TempDir(), freePort()
		trial.Must(0, os.WriteFile(filepath.Join(dir, "root.pem"), pki.PEM(r.CA.Certificates()[0].DER), 0o600))
		trial.Must(0, os.WriteFile(filepath.Join(dir, "key"), sitetest.KeyPEM(key), 0o600))
		reference := r.Served(r.Organisation, key.Public(), 90, "www.uni.example")
		fetched(r, dir, reference, "www.uni.example")
		startNginx(t, dir, fmt.Sprintf("server { listen 127.0.0.1:%s ssl; ssl_certificate %s/%s-www.uni.example%s; ssl_certificate_key %s/key; return 200 ok; }",
			port, dir, reference, ending, dir), port)
		out, err := sitetest.Run(t, dir, "curl", "-q", "-sS", "--noproxy", "*", "--cacert", "root.pem", "--capath", "/nowhere", "--resolve", "www.uni.example:"+port+":127.0.0.1",
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
	r := sitetest.NewOn(t, trial.Machine())
	for _, key := range []crypto.Signer{sitetest.RSAKey(), sitetest.ECKey()} {
		dir := t.TempDir()
		reference := r.Served(r.Organisation, key.Public(), 90, "www.uni.example", "uni.example")
		fetched(r, dir, reference, "www.uni.example")
		trial.Must(0, os.WriteFile(filepath.Join(dir, "root.pem"), pki.PEM(r.CA.Certificates()[0].DER), 0o600))
		file := func(ending string) string { return reference + "-www.uni.example" + ending }
		if out := sitetest.Says(t, dir, "certtool", "--verify-chain", "--infile", file("-x509chain.pem")); !strings.Contains(out, "Verified. The certificate is trusted.") {
			t.Errorf("GnuTLS says of the chain\n%s\nwant it trusted", out)
		}
		for _, ending := range []string{"-fullchain.pem", "-x509chain.pem"} {
			out := sitetest.Says(t, dir, "certtool", "--verify", "--load-ca-certificate", "root.pem", "--verify-hostname", "uni.example", "--verify-purpose", "1.3.6.1.5.5.7.3.1", "--infile", file(ending))
			if !strings.Contains(out, "The certificate is trusted.") {
				t.Errorf("GnuTLS says of %s\n%s\nwant it trusted", ending, out)
			}
		}
		if out, err := sitetest.Run(t, dir, "certtool", "--verify", "--load-ca-certificate", "root.pem", "--infile", file(".pem")); err == nil && strings.Contains(out, "The certificate is trusted.") {
			t.Errorf("GnuTLS trusts the certificate without its chain:\n%s", out)
		}
		if out := sitetest.Says(t, dir, "certtool", "--p7-info", "--inder", "--infile", file(".p7b")); !strings.Contains(out, "Number of certificates: 3") {
			t.Errorf("GnuTLS says of the PKCS#7 file\n%s\nwant three certificates", out)
		}
		if out := sitetest.Says(t, dir, "openssl", "pkcs7", "-inform", "DER", "-in", file(".p7b"), "-print_certs", "-noout"); strings.Count(out, "subject=") != 3 {
			t.Errorf("OpenSSL says of the PKCS#7 file\n%s\nwant three certificates", out)
		}
		if out := sitetest.Says(t, dir, "openssl", "x509", "-inform", "DER", "-in", file(".cer"), "-noout", "-ext", "subjectAltName"); !strings.Contains(out, "DNS:www.uni.example, DNS:uni.example") {
			t.Errorf("OpenSSL says of the DER file\n%s\nwant its names", out)
		}
		if out := sitetest.Says(t, dir, "openssl", "verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", file("-issuers.pem"), "-purpose", "sslserver", "-verify_hostname", "www.uni.example", file(".pem")); !strings.Contains(out, "OK") {
			t.Errorf("OpenSSL says %s, want OK", out)
		}
	}
}

// TestPeerJavaTakesTheChain: a key made by keytool, its request, and the file with
// the chain imported by the line that the page gives.
func TestPeerJavaTakesTheChain(t *testing.T) {
	t.Parallel()
	lane.Peer(t, "keytool")
	r := sitetest.NewOn(t, trial.Machine())
	for _, alg := range [][]string{{"-keyalg", "EC", "-groupname", "secp256r1"}, {"-keyalg", "RSA", "-keysize", "2048"}} {
		dir := t.TempDir()
		store := []string{"-keystore", "keystore.p12", "-storetype", "PKCS12", "-storepass", "geheim1", "-alias", "java.uni.example"}
		sitetest.Says(t, dir, "keytool", append(append([]string{"-genkeypair", "-dname", "CN=java.uni.example"}, alg...), store...)...)
		request := sitetest.Says(t, dir, "keytool", append([]string{"-certreq"}, store...)...)
		csr, err := pki.ReadCSR([]byte(request[strings.Index(request, "-----BEGIN"):]))
		if err != nil {
			t.Fatal(err)
		}
		reference := r.ServedKey(csr.Key, "java.uni.example", "www.java.uni.example")
		fetched(r, dir, reference, "java.uni.example")
		lines := r.As("nora").Get("/certificates/" + reference).Code("java-shell")
		if out, err := sitetest.Run(t, dir, "sh", "-c", lines+" -storepass geheim1"); err != nil {
			t.Fatalf("%s: %v\n%s", lines, err, out)
		}
		out := sitetest.Says(t, dir, "keytool", append([]string{"-list", "-v"}, store...)...)
		if !strings.Contains(out, "Certificate chain length: 3") {
			t.Errorf("Java says\n%s\nwant a chain of three", out)
		}
	}
}
