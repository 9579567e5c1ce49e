package clients_test

import (
	"fmt"
	"net/http"
	"testing"

	"petschaft/internal/site/sitetest"
)

func TestARevocationThatIsSentTwiceByOneFormSucceedsTwice(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t)
	row := r.LinkRow("ada", "ada")
	path := fmt.Sprintf("/client-certificates/%d", r.Certified("ada", row))
	ada := r.As("ada")
	form := ada.FormOn(path + "/revoke")
	for range 2 {
		ada.Post(path+"/revoke", "form", form, "reason", "4").Is(http.StatusSeeOther)
	}
	ada.Post(path+"/revoke", "reason", "4").Is(http.StatusConflict)
	if n := r.Count(`select count(*) from audit_line where action = 'cert.revoked'`); n != 1 {
		t.Errorf("got %d revocations on record, want 1", n)
	}
}
