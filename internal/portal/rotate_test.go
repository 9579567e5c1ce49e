package portal_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/ca"
	"petschaft/internal/pgtest"
	"petschaft/internal/portal"
	"petschaft/internal/postgres"
	"petschaft/internal/trial"
)

// Two secrets, in base64 as the settings have them.
var first, second = base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32)), base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{2}, 32))

func underSecret(database, secret, old string) portal.Config {
	c := onDatabase(database)
	c.Secret, c.SecretOld, c.PKIURL = secret, old, "http://pki.example"
	return c
}

// clear are the columns of bytes that hold nothing sealed. A new one stands either
// here or in portal.Sealed, or a rotation of the secret loses it.
var clear = []string{
	"api_answer.body", "api_answer.digest", "application.answer", "application.serial", "application.spki",
	"audit_key.public", "audit_line.digest", "audit_line.salt", "audit_seal.hash", "audit_seal.signature", "audit_watch.hash", "authority.certificate", "authority.crl", "blocked_key.key", "ca_issued.asked", "ca_issued.der", "ca_issued.serial",
	"certificate.der", "certificate.fingerprint", "certificate.issuer", "certificate.key", "certificate.serial", "certificate_import_line.der",
	"challenge.token", "challenge_token.hash", "deed.digest", "draft.body", "draft.token", "import_chunk.bytes", "intent.answer", "intent.csr", "intent.serial", "intent.spki",
	"key_challenge.hash", "key_challenge.key", "key_report.key", "logout_token.jti", "ocsp_answer.serial", "ocsp_answer.sha1", "ocsp_answer.sha256", "ocsp_signer.certificate",
	"revocation_list.der", "sealed_probe.sealed", "sealed_probe.was", "server_order.answer", "server_order.csr", "server_order.serial", "server_order.spki", "sessions.data", "token.hash", "withdrawal.der",
}

func TestEveryColumnOfBytesIsKnownAsSealedOrClear(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	rows := trial.Must(db.Query(t.Context(), `select c.relname || '.' || a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid
		where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.atttypid = 'bytea'::regtype and not a.attisdropped and c.relname not like 'river_%'`))
	columns := trial.Must(pgx.CollectRows(rows, pgx.RowTo[string]))
	var sealed []string
	for _, c := range portal.Sealed() {
		sealed = append(sealed, c.Name)
		if !slices.Contains(columns, c.Name) {
			t.Errorf("portal.Sealed has %s, which is no column of bytes", c.Name)
		}
	}
	for _, c := range columns {
		if slices.Contains(sealed, c) == slices.Contains(clear, c) {
			t.Errorf("%s: is it sealed? Then its room's Sealed has it, otherwise the list of this test", c)
		}
	}
	for _, c := range clear {
		if !slices.Contains(columns, c) {
			t.Errorf("%s is no column any more", c)
		}
	}
}

// before seals as the version before does, and opens what it could.
func before(secret string) (seal func(plain, purpose string) []byte, open func(sealed []byte, purpose string) error) {
	gcm := trial.Must(cipher.NewGCMWithRandomNonce(trial.Must(aes.NewCipher(trial.Must(base64.StdEncoding.DecodeString(secret))))))
	return func(plain, purpose string) []byte { return gcm.Seal(nil, nil, []byte(plain), []byte(purpose)) },
		func(sealed []byte, purpose string) error {
			_, err := gcm.Open(nil, nil, sealed, []byte(purpose))
			return err
		}
}

// asBefore is a database that the version before made, with authorities.
func asBefore(t *testing.T) (database string, db *postgres.DB) {
	t.Helper()
	database = pgtest.URL(t)
	db = pgtest.Open(t, database)
	seal, _ := before(first)
	trial.Must(db.Exec(t.Context(), `insert into sealed_probe (sealed) values ($1)`, seal("petschaft", "probe")))
	own, sealer, err := underSecret(database, first, "").Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	trial.Must(0, ca.Init(t.Context(), own, sealer, ca.Options{Organisation: "Uni", Country: "DE", Now: time.Now(), PKIURL: trial.Must(url.Parse("http://pki.example"))}))
	return database, db
}

// TestTheVersionBeforeOpensWhatThisOneSealsUntilARotation, so that both run side by side.
func TestTheVersionBeforeOpensWhatThisOneSealsUntilARotation(t *testing.T) {
	t.Parallel()
	database, db := asBefore(t)
	_, open := before(first)
	opens := func() error {
		var key []byte
		trial.Must(0, db.QueryRow(t.Context(), `select key from authority where name = 'mail'`).Scan(&key))
		return open(key, "authority mail")
	}
	if err := opens(); err != nil {
		t.Errorf("before a rotation: %v", err)
	}
	for range 2 { // the second time there is nothing to do
		if _, err := underSecret(database, first, "").Rotate(t.Context(), func(string, int) {}); err != nil {
			t.Fatalf("rotate under the same secret: %v", err)
		}
	}
	if opens() == nil {
		t.Error("after it the version before still opens it: no key was derived")
	}
}

// keeping is what a process seals and opens meanwhile.
type keeping struct{ Database, Secret, Old string }

// login keeps a token of somebody, as a sign-in does.
const login = `insert into login (account, started, seen, refreshed) select min(id), now(), now(), now() from account returning id`

func keepOne(ctx context.Context, db *postgres.DB, s *postgres.Sealer) error {
	return db.Tx(ctx, func(tx pgx.Tx) error {
		var id int64
		if err := tx.QueryRow(ctx, login).Scan(&id); err != nil {
			return err
		}
		key, err := s.Key(ctx, tx)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `update login set refresh = $1, id_token = $2 where id = $3`,
			key.Seal(fmt.Append(nil, id), fmt.Sprintf("login %d refresh", id)), key.Seal(fmt.Append(nil, id), fmt.Sprintf("login %d id_token", id)), id)
		return err
	})
}

// opensAll opens what lies there, under the secrets of c.
func opensAll(ctx context.Context, c portal.Config, most int) (int, error) {
	db, sealer, err := c.Database(ctx)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	if _, err := ca.Open(ctx, db, sealer, time.Now, nil); err != nil {
		return 0, err
	}
	rows, err := db.Query(ctx, `select id, refresh, id_token from login order by random() limit $1`, most)
	if err != nil {
		return 0, err
	}
	type kept struct {
		ID               int64
		Refresh, IDToken []byte
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[kept])
	for _, k := range all {
		a, err1 := sealer.Open(k.Refresh, fmt.Sprintf("login %d refresh", k.ID))
		b, err2 := sealer.Open(k.IDToken, fmt.Sprintf("login %d id_token", k.ID))
		if want := fmt.Sprint(k.ID); string(a) != want || string(b) != want {
			return 0, fmt.Errorf("login %d holds %q and %q: %w", k.ID, a, b, errors.Join(err1, err2))
		}
	}
	return len(all), err
}

// keepElsewhere is a process that seals and opens until it is told to end.
func keepElsewhere(ctx context.Context, k keeping) error {
	c := underSecret(k.Database, k.Secret, k.Old)
	db, sealer, err := c.Database(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	told := make(chan struct{})
	go func() {
		defer close(told)
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	}()
	for n := 0; ; n++ {
		if err := keepOne(ctx, db, sealer); err != nil {
			return err
		}
		if _, err := opensAll(ctx, c, 20); err != nil {
			return err
		}
		if n == 0 {
			fmt.Println("works")
		}
		select {
		case <-told:
			return nil
		default:
		}
	}
}

// rotateElsewhere is `petschaft secret rotate` that waits after each batch.
func rotateElsewhere(ctx context.Context, k keeping) error {
	in := bufio.NewReader(os.Stdin)
	_, err := underSecret(k.Database, k.Secret, k.Old).Rotate(ctx, func(column string, _ int) {
		fmt.Println(column)
		_, _ = in.ReadString('\n')
	})
	return err
}

// TestASecretIsRotatedUnderLoadAndAKillLosesNothing: three processes seal and open all
// the time, and the first rotation is killed halfway.
func TestASecretIsRotatedUnderLoadAndAKillLosesNothing(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	database, db := asBefore(t)
	trial.Must(db.Exec(ctx, `insert into account (issuer, subject, created, signed_in, refreshed) values ('i', 's', now(), now(), now())`))
	old := trial.Must(db.Sealer(ctx, bytes.Repeat([]byte{1}, 32)))
	for range 130 {
		trial.Must(0, keepOne(ctx, db, old))
	}
	both := keeping{database, second, first}
	var busy []*trial.Child
	for range 3 {
		c := trial.NewChild(t, "keep", both)
		c.Expect("works")
		busy = append(busy, c)
	}
	rotation := trial.NewChild(t, "rotate", both)
	for _, column := range []string{"authority.key", "login.id_token"} {
		rotation.Expect(column)
		rotation.Tell()
	}
	rotation.Expect("login.id_token")
	rotation.Kill()

	if _, err := opensAll(ctx, underSecret(database, second, ""), 1); !errors.Is(err, postgres.ErrRotating) {
		t.Errorf("the new secret alone, halfway: got %v, want %v", err, postgres.ErrRotating)
	}
	if _, err := opensAll(ctx, underSecret(database, first, ""), 1); !errors.Is(err, postgres.ErrWrongSecret) {
		t.Errorf("the old secret alone, halfway: got %v, want %v", err, postgres.ErrWrongSecret)
	}
	third := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{3}, 32))
	if _, err := underSecret(database, third, second).Rotate(ctx, func(string, int) {}); err == nil {
		t.Error("a third secret came in between")
	}
	did, err := underSecret(database, second, first).Rotate(ctx, func(string, int) {})
	if err != nil || did.Number != 1 || did.Sealed["login.refresh"] < 130 || did.Sealed["authority.key"] != 0 {
		t.Errorf("the second rotation: got %v and %v", did, err)
	}
	for _, c := range busy {
		c.Tell()
		if err := c.Wait(); err != nil {
			t.Errorf("a process that went on: %v", err)
		}
	}
	if n, err := opensAll(ctx, underSecret(database, second, ""), 1e6); n <= 133 || err != nil {
		t.Errorf("the new secret alone: opened %d, %v", n, err)
	}
	if _, err := opensAll(ctx, underSecret(database, first, ""), 1); !errors.Is(err, postgres.ErrWrongSecret) {
		t.Errorf("the old secret alone: got %v", err)
	}
	if err := keepOne(ctx, db, old); !errors.Is(err, postgres.ErrSealedAnew) {
		t.Errorf("a process that has the old secret only: got %v, want %v", err, postgres.ErrSealedAnew)
	}
}

// TestARotationWaitsForWhoStillSealsUnderTheKeyBefore: what their transaction wrote
// would be found by nobody later.
func TestARotationWaitsForWhoStillSealsUnderTheKeyBefore(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	database, db := asBefore(t)
	trial.Must(db.Exec(ctx, `insert into account (issuer, subject, created, signed_in, refreshed) values ('i', 's', now(), now(), now())`))
	sealer := trial.Must(db.Sealer(ctx, bytes.Repeat([]byte{1}, 32)))
	ended := make(chan error, 1)
	trial.Must(0, db.Tx(ctx, func(tx pgx.Tx) error {
		key := trial.Must(sealer.Key(ctx, tx))
		go func() {
			_, err := underSecret(database, second, first).Rotate(ctx, func(string, int) {})
			ended <- err
		}()
		trial.Until(t, "it waits", func() bool {
			var waits bool
			trial.Must(0, db.QueryRow(ctx, `select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')`).Scan(&waits))
			return waits
		})
		var id int64
		trial.Must(0, tx.QueryRow(ctx, login).Scan(&id))
		_, err := tx.Exec(ctx, `update login set refresh = $1, id_token = $2 where id = $3`,
			key.Seal(fmt.Append(nil, id), fmt.Sprintf("login %d refresh", id)), key.Seal(fmt.Append(nil, id), fmt.Sprintf("login %d id_token", id)), id)
		return err
	}))
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if n, err := opensAll(ctx, underSecret(database, second, ""), 10); n != 1 || err != nil {
		t.Errorf("under the new secret: opened %d, %v", n, err)
	}
}

// TestWhatOpensUnderNeitherSecretIsNamedAndKept: the rest is sealed anew, and the
// rotation is not over.
func TestWhatOpensUnderNeitherSecretIsNamedAndKept(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	database, db := asBefore(t)
	trial.Must(db.Exec(ctx, `insert into account (issuer, subject, created, signed_in, refreshed) values ('i', 's', now(), now(), now())`))
	sealer := trial.Must(db.Sealer(ctx, bytes.Repeat([]byte{1}, 32)))
	trial.Must(0, keepOne(ctx, db, sealer))
	trial.Must(db.Exec(ctx, `update login set refresh = 'broken'`))
	c := underSecret(database, second, first)
	did, err := c.Rotate(ctx, func(string, int) {})
	if err == nil || !strings.Contains(err.Error(), `1 values open under neither secret and stay as they are: login.refresh, row 1: open what was sealed for "login 1 refresh"`) || did.Sealed["login.id_token"] != 1 {
		t.Errorf("got %v and %v", did, err)
	}
	if _, _, err := underSecret(database, second, "").Database(ctx); !errors.Is(err, postgres.ErrRotating) {
		t.Errorf("got %v, want the rotation not to be over", err)
	}
	trial.Must(db.Exec(ctx, `update login set refresh = null`))
	if _, err := c.Rotate(ctx, func(string, int) {}); err != nil {
		t.Error(err)
	}
}
