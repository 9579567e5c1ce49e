package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"

	"petschaft/internal/org"
)

// fillRows puts n rows in every state into a domain, as an import would leave
// them. A third carry one of 60 frequent family names, the first of them 1.4 %
// of all (Müller has 1 % in Germany); the others have one of 10 million rare
// ones. Aliases, comments, links and certificate ends as in a real directory.
const fillRows = `
	insert into address_row (domain, kind, name, primary_address, aliases, comment, challenged, active, status, certificate_end, created, changed)
	select @domain, case when i % 20 = 0 then 'functional' else 'personal' end, family || ', ' || given,
		translate(lower(given || '.' || family), 'äöüßçéëøåıúğşáí', 'aousceeoaiugsai') || i || '@' || @name,
		case when i % 3 = 0 then array[translate(lower(left(given, 1) || family), 'äöüßçéëøåıúğşáí', 'aousceeoaiugsai') || i || '@' || @name] else '{}' end,
		case when i % 2 = 0 then to_char(date '2026-01-01' + i % 900, 'DD.MM.YYYY') else '' end,
		true, status <> 'inactive', status,
		case when i % 4 = 0 then 'infinity' else timestamptz '2026-06-01' + make_interval(mins => i) end, now(), now()
	from (
		select i, case when i % 3 = 0 then frequent[1 + floor(cardinality(frequent) * random() ^ 1.3)::int]
				else initcap(c[1 + floor(20 * random())::int] || v[1 + floor(8 * random())::int] || c[1 + floor(20 * random())::int]
					|| c[1 + floor(20 * random())::int] || v[1 + floor(8 * random())::int] || c[1 + floor(20 * random())::int]) end as family,
			givens[1 + floor(cardinality(givens) * random() ^ 1.2)::int] as given,
			(array['none', 'open', 'confirmed', 'confirmed', 'undeliverable', 'inactive'])[1 + (i * 7) % 6] as status
		from generate_series(1, @n::int) i, (select
			string_to_array('b c d f g h j k l m n p r s t v w z sch st', ' ') as c,
			string_to_array('a e i o u ä ö ü', ' ') as v,
			string_to_array('Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Werner Krause Lehmann Köhler Maier Weiß Huber Kaiser Fuchs Peters Lang Scholz Möller Yılmaz Kaya Demir Çelik Nowak Kowalski Ivanov Popov Nguyen Öztürk Şahin Horvat Novák Rossi García Dubois Hansen Larsen Jansen Keller Vogt Graf', ' ') as frequent,
			string_to_array('Anna Lukas Maria Jonas Sophie Paul Emma Felix Julia Max Lea Tim Laura Jan Lisa Ben Mia Leon Sarah Finn Nina Emre Aylin Jürgen Käthe Zoë Björn Øyvind Åsa Mehmet Olga Iwan Chiara Marek Ines Raúl Noor Yusuf Anh Petra Klaus Ursula Horst Renate Dieter Sabine Uwe Heike Ralf Silke Dirk Tanja Sven Katja Lars Ute Jens Birgit Kai Doris Gerd Ilse Otto Frieda Kurt Erna Hans Elke Bernd Gudrun', ' ') as givens) w
	) x`

func table(ctx context.Context, c commands) ([]figure, error) {
	r, err := newRig(ctx, c, "smtp://127.0.0.1:25?tls=none")
	if err != nil {
		return nil, err
	}
	defer r.close()
	sizes := map[string]int{"small.example": 1000, "large.example": c.Rows}
	for _, name := range []string{"small.example", "large.example"} {
		d, err := r.domain(ctx, name)
		if err != nil {
			return nil, err
		}
		if err := r.fill(ctx, d, name, sizes[name]); err != nil {
			return nil, err
		}
	}
	if _, err := r.DB.Exec(ctx, "vacuum analyze"); err != nil {
		return nil, err
	}
	if err := r.Mailbox.Fold(ctx); err != nil {
		return nil, err
	}
	var all []figure
	if c.wants("table") {
		f, err := r.tables(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, f...)
	}
	if c.wants("search") {
		f, err := r.searches(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, f...)
	}
	return all, nil
}

func (r *rig) fill(ctx context.Context, d org.ID, name string, n int) error {
	began := time.Now()
	if _, err := r.DB.Exec(ctx, fillRows, pgx.NamedArgs{"domain": d, "name": name, "n": n}); err != nil {
		return err
	}
	_, err := r.DB.Exec(ctx, `
		with n as (insert into challenge_round (row_id, started, started_by, outcome, ended)
			select id, now(), $2, 'complete', now() from address_row where domain = $1 and status = 'confirmed' returning id, row_id)
		insert into link (row_id, account, addresses, round, since) select row_id, $2, '{}', id, now() from n`, d, r.actor.Account)
	fmt.Printf("filled %s with %d rows in %v\n", name, n, time.Since(began).Round(time.Second))
	return err
}

// floor is the time of a bare query for 50 rows' columns by primary key.
func (r *rig) floor(ctx context.Context) func() error {
	var most int64
	_ = r.DB.QueryRow(ctx, `select max(id) from address_row`).Scan(&most)
	return func() error {
		ids := make([]int64, 50)
		for i := range ids {
			ids[i] = 1 + rand.Int64N(most)
		}
		rows, err := r.DB.Query(ctx, `select id, domain, kind, name, primary_address, aliases, applicant, comment, active, challenged, status, version, created, changed
			from address_row where id = any($1)`, ids)
		if err != nil {
			return err
		}
		for rows.Next() {
			if _, err := rows.Values(); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}

const samples = 15

// against alternates the floor with pages and returns the median of both.
func (r *rig) against(ctx context.Context, pages ...string) (floor time.Duration, times []time.Duration, err error) {
	return r.alternate(r.floor(ctx), pages...)
}

// alternate is against with a floor of its own.
func (r *rig) alternate(bare func() error, pages ...string) (floor time.Duration, times []time.Duration, err error) {
	floors := make([]time.Duration, rounds)
	all := make([][]time.Duration, len(pages))
	for i := range floors {
		if floors[i], err = timed(4*samples, bare); err != nil {
			return 0, nil, err
		}
		for j, page := range pages {
			d, err := timed(samples, func() error { _, err := r.get(page); return err })
			if err != nil {
				return 0, nil, err
			}
			all[j] = append(all[j], d)
		}
	}
	for _, ds := range all {
		times = append(times, median(ds))
	}
	return median(floors), times, nil
}

var nextLink = regexp.MustCompile(`href="([^"]*[?&;]at=[^"]*)"`)

func (r *rig) tables(ctx context.Context) ([]figure, error) {
	var all []figure
	for _, sort := range []string{"name", "primary", "status", "end", "comment"} {
		for _, more := range []string{"", "&status=confirmed", "&status=undeliverable&desc=1"} {
			q := "?sort=" + sort + more
			small, large := "/email-domains/small.example"+q, "/email-domains/large.example"+q
			deep, err := r.deep(large)
			if err != nil {
				return nil, err
			}
			floor, ts, err := r.against(ctx, small, large, deep)
			if err != nil {
				return nil, err
			}
			worst := max(ts[1], ts[2])
			all = append(all, figure{
				name:     "table of 50, " + q[1:],
				measured: fmt.Sprintf("F %v, 1,000: %v, all: %v, deep: %v", us(floor), us(ts[0]), us(ts[1]), us(ts[2])),
				bound:    "≤ F + 5 ms, ≤ 1.5 ×",
				ok:       worst <= floor+5*time.Millisecond && float64(worst) <= 1.5*float64(ts[0]),
			})
		}
	}
	return all, nil
}

// deep walks into a list and returns the address of its 20th page.
func (r *rig) deep(page string) (string, error) {
	for range 20 {
		body, err := r.get(page)
		if err != nil {
			return "", err
		}
		links := nextLink.FindAllStringSubmatch(body, -1)
		if len(links) == 0 {
			return "", fmt.Errorf("%s: no next page", page)
		}
		page = htmlUnescape(links[len(links)-1][1])
	}
	return page, nil
}

func (r *rig) searches(ctx context.Context) ([]figure, error) {
	var all []figure
	var address, domain string // one of the rows there are, as it is pasted
	if err := r.DB.QueryRow(ctx, `select primary_address, '@' || split_part(primary_address, '@', 2) from address_row order by id desc limit 1`).Scan(&address, &domain); err != nil {
		return nil, err
	}
	for _, text := range []string{address, address[:len(address)-4], "anna " + domain, domain, "müller", "mü", "a", "ann", "anna", "schmidt lukas", "anna müller", "kösberg", "öztürk yusuf", "nichtsdergleichen", "471100", "jürgen weiß", "käthe 12", "schneider", "weber sophie"} {
		page := "/email-domains/large.example?q=" + url.QueryEscape(text)
		floor, ts, err := r.against(ctx, page)
		if err != nil {
			return nil, err
		}
		all = append(all, figure{
			name:     fmt.Sprintf("search %q", text),
			measured: fmt.Sprintf("F %v, page %v = %.1f × F", us(floor), us(ts[0]), float64(ts[0])/float64(floor)),
			bound:    "≤ 20 × F",
			ok:       ts[0] <= 20*floor,
		})
	}
	return all, nil
}

func us(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000) }
