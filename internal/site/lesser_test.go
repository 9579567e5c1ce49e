package site_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/imports"
	"petschaft/internal/mailbox"
	"petschaft/internal/pgtest"
	"petschaft/internal/portal"
	"petschaft/internal/postgres"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// lesser makes the portal's role one that may serve and nothing else.
func lesser(t *testing.T) func(*portal.Config) {
	return func(c *portal.Config) {
		t.Helper()
		role := "run_" + strings.ToLower(rand.Text())
		owner := trial.Must(pgx.Connect(t.Context(), c.DatabaseURL))
		trial.Must(owner.Exec(t.Context(), "create role "+role+" login"))
		trial.Must(0, postgres.Grant(t.Context(), pgtest.Open(t, c.DatabaseURL), role))
		t.Cleanup(func() {
			ctx := context.Background() // t's is over
			if _, err := owner.Exec(ctx, "drop owned by "+role+"; drop role "+role); err != nil {
				t.Errorf("drop the role: %v", err)
			}
			owner.Close(ctx)
		})
		c.DatabaseURL = strings.Replace(c.DatabaseURL, "postgres://postgres@", "postgres://"+role+"@", 1)
	}
}

// TestThePortalWalksUnderALesserRole: signing in, a row, its challenge, a file of
// rows, client and server certificates, with all jobs.
func TestThePortalWalksUnderALesserRole(t *testing.T) {
	t.Parallel()
	r := sitetest.New(t, lesser(t))
	r.StartJobs()
	if _, err := r.DB.Exec(t.Context(), "create table mine (id int)"); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Fatalf("the role is not a lesser one: create table says %v", err)
	}
	nora, ada := r.As("nora"), r.As("ada")
	id, row := r.AddRow(mailbox.Input{Kind: mailbox.Personal, Name: sitetest.People["ada"], Primary: "ada.adler@uni.example"})
	nora.Post(row + "/challenges").Is(http.StatusSeeOther)
	ada.Post(ada.Get(r.Link("ada.adler@uni.example", 0)).To() + "/confirm").Is(http.StatusSeeOther)

	file := nora.Csv(sitetest.ImportsOfUni, "people.csv", "Anzeigename;Primäre E-Mail;Postfachtyp\r\nBach, Bob;bob@uni.example;persönlich\r\nClasen, Cem;cem@uni.example;persönlich\r\n").Is(http.StatusSeeOther).To()
	nora.Post(file + "/plan").Is(http.StatusSeeOther)
	arrives(r, file, imports.Planned)
	nora.Post(file + "/apply").Is(http.StatusSeeOther)
	arrives(r, file, imports.Applied)
	nora.Get("/email-domains/uni.example/export.csv").Is(http.StatusOK).Has("cem@uni.example")

	r.Applied("ada", id)
	reference := r.Ordered("www.uni.example")
	trial.Must(0, r.Order.Approve(t.Context(), r.Actors["rita"], reference, 1))
	r.Until("both certificates are issued", func() bool { return r.Count(`select count(*) from certificate`) == 2 })
	nora.Get("/orders/" + reference).Is(http.StatusOK)
	nora.Get("/certificates").Is(http.StatusOK).Has("www.uni.example")
	ada.Get("/client-certificates").Is(http.StatusOK).Has("ada.adler@uni.example")
	for _, bad := range []string{"permission denied", "must be owner", "level=ERROR"} {
		if strings.Contains(r.Logged.String(), bad) {
			t.Errorf("the log holds %q", bad)
		}
	}
}
