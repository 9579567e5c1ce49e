package servers

import (
	"context"
	"strings"

	"petschaft/internal/cert"
	"petschaft/internal/site/page"
	"petschaft/web/view/serverview"
)

// The lines that a server needs. FULL is the file with the chain without the
// root, CHAIN the one with it, P7B the PKCS#7 file, KEY the file of the private
// key as the browser saves it, NAMES all names, FIRST the first. Whatever holds the
// key is never readable for others, not even for a moment.
const (
	installLines = `sudo install -m 644 FULL /etc/ssl/FULL
sudo install -D -m 600 KEY /etc/ssl/private/KEY`
	nginxLines = `server {
    listen 443 ssl;
    server_name NAMES;
    ssl_certificate     /etc/ssl/FULL;
    ssl_certificate_key /etc/ssl/private/KEY;
}`
	apacheLines = `<VirtualHost *:443>
    ServerName SERVER
ALIASES    SSLEngine on
    SSLCertificateFile    /etc/ssl/FULL
    SSLCertificateKeyFile /etc/ssl/private/KEY
</VirtualHost>`
	bundleLines = `(umask 077; cat FULL KEY > BUNDLE)
sudo install -D -m 600 BUNDLE /etc/haproxy/certs/BUNDLE
rm BUNDLE`
	haproxyLines = `frontend https
    bind :443 ssl crt /etc/haproxy/certs/BUNDLE`
	iisLines = `certreq -accept -machine P7B
Import-Module WebAdministration
$c = Get-ChildItem Cert:\LocalMachine\My | Where-Object Thumbprint -eq "THUMB"
New-Item IIS:\SslBindings\0.0.0.0!443 -Value $c -Force`
	javaLines = `keytool -importcert -alias FIRST -file CHAIN \
    -keystore keystore.p12 -storetype PKCS12 -noprompt`
)

// snippets are the lines for common servers, with the names of c filled in.
func snippets(ctx context.Context, c cert.ServerCertificate) []serverview.SnippetModel {
	base := cert.FileBase(c.Reference, c.CommonName)
	server, aliases := c.CommonName, ""
	if rest, wildcard := strings.CutPrefix(server, "*."); wildcard { // ServerName takes no wildcard
		server, aliases = rest, "    ServerAlias "+strings.Join(c.Names, " ")+"\n"
	} else if len(c.Names) > 1 {
		aliases = "    ServerAlias " + strings.Join(c.Names[1:], " ") + "\n"
	}
	fill := strings.NewReplacer(
		"NAMES", strings.Join(c.Names, " "), "FULL", base+"-fullchain.pem", "CHAIN", base+"-x509chain.pem", "P7B", base+".p7b",
		"KEY", strings.TrimPrefix(base, c.Reference+"-")+".key.pem", "BUNDLE", base+"-haproxy.pem", "FIRST", c.CommonName, "SERVER", server,
		"ALIASES", aliases, "THUMB", thumbprint(c),
	).Replace
	return []serverview.SnippetModel{
		{ID: "nginx", Title: "nginx", Shell: fill(installLines), Config: fill(nginxLines)},
		{ID: "apache", Title: "Apache", Shell: fill(installLines), Config: fill(apacheLines)},
		{ID: "haproxy", Title: "HAProxy", Shell: fill(bundleLines), Config: fill(haproxyLines), Hint: page.T(ctx, "server.haproxy_hint")},
		{ID: "iis", Title: "IIS (PowerShell)", Shell: fill(iisLines), Hint: page.T(ctx, "server.iis_hint")},
		{ID: "java", Title: "Java (keytool)", Shell: fill(javaLines), Hint: page.T(ctx, "server.java_hint")},
	}
}
