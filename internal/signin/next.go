package signin

import "net/url"

// nextLimit is far above any page of ours.
const nextLimit = 2000

// OwnPath returns s when it leads to a page of this portal, rebuilt from its
// path and query, else "/". Backslashes, control characters, blanks and bare
// non-ASCII are refused rather than escaped, because browsers differ on them
// (WHATWG URL, 4.4).
func OwnPath(s string) string {
	if len(s) > nextLimit || !local(s) {
		return "/"
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || s[i] == '\\' {
			return "/"
		}
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "/"
	}
	own := url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}
	if t := own.String(); local(t) {
		return t
	}
	return "/"
}

func local(s string) bool {
	return s != "" && s[0] == '/' && (len(s) == 1 || s[1] != '/' && s[1] != '\\')
}
