package page

import (
	"net/http"
	"strconv"
	"strings"
)

// Attach sends a file to be kept (RFC 6266). name holds letters, digits, dots
// and dashes only.
func Attach(w http.ResponseWriter, kind, name string, content []byte) error {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+strings.ReplaceAll(name, `"`, "")+`"`)
	h.Set("Content-Length", strconv.Itoa(len(content)))
	_, err := w.Write(content)
	if err != nil {
		return nil //nolint:nilerr // the reader went away; there is nobody to tell
	}
	return nil
}
