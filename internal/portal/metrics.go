package portal

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"petschaft/internal/audit"
	"petschaft/internal/mail"
	"petschaft/internal/queue"
	"petschaft/internal/signin"
	"petschaft/internal/trace"
)

// metrics are what operations watch; docs/operations.md names each.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	mails    *prometheus.CounterVec
	signIns  *prometheus.CounterVec
	refused  *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "petschaft_request_seconds", Help: "Time to answer a request, by route pattern.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 5},
		}, []string{"method", "route", "status"}),
		mails: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "petschaft_mails_failed_total", Help: "Mails that failed for good: a dead address, unsent for two days, or no mail could be made.",
		}, []string{"why"}),
		signIns: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "petschaft_signins_failed_total", Help: "Sign-ins that came to nothing.",
		}, []string{"why"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "petschaft_refused_total", Help: "What was refused, by what sort of thing it was.",
		}, []string{"kind"}),
	}
	for _, k := range trace.Kinds() {
		m.refused.WithLabelValues(string(k))
	}
	for _, why := range []string{mail.WhyAddress, mail.WhyUnsent, mail.WhyLetter} {
		m.mails.WithLabelValues(why)
	}
	m.registry.MustRegister(m.requests, m.mails, m.signIns, m.refused, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) mailFailed(why string) { m.mails.WithLabelValues(why).Inc() }

func (m *metrics) signInFailed(why signin.Why) { m.signIns.WithLabelValues(string(why)).Inc() }

func (m *metrics) wasRefused(k trace.Kind) { m.refused.WithLabelValues(string(k)).Inc() }

// watch counts from now on what p's parts tell at each scrape.
func (m *metrics) watch(p *Portal) {
	pool := func(name, help string, value func() int32) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
	}
	m.registry.MustRegister(
		pool("petschaft_database_connections", "Open connections to Postgres.", func() int32 { return p.DB.Stat().TotalConns() }),
		pool("petschaft_database_connections_busy", "Connections in use.", func() int32 { return p.DB.Stat().AcquiredConns() }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "petschaft_bodies_bytes", Help: "Bytes of bodies of requests that are under way; the most is 32 MiB."},
			func() float64 { return float64(p.Intake.Used()) }),
		&jobs{
			queue: p.Queue, count: prometheus.NewDesc("petschaft_jobs", "Jobs that are not done, by state.", []string{"state"}, nil),
			lost: prometheus.NewDesc("petschaft_jobs_lost", "Jobs that run for longer than any process lets them: it died.", nil, nil),
		},
		&record{
			audit: p.Audit, broken: prometheus.NewDesc("petschaft_audit_broken", "1 while the audit record is known to be broken.", nil, nil),
			checked: prometheus.NewDesc("petschaft_audit_checked_seconds", "When the audit record was last found whole, in seconds since 1970; 0: never yet.", nil, nil),
			seal:    prometheus.NewDesc("petschaft_audit_seal", "Up to which seal it was.", nil, nil),
		},
		&hold{outbox: p.Outbox, held: prometheus.NewDesc("petschaft_mail_held", "1 while the mail server takes no letter and one tries every five minutes.", nil, nil)})
}

func (m *metrics) observe(method, route string, status int, took time.Duration) {
	if method != http.MethodGet && method != http.MethodPost && method != http.MethodHead {
		method = "other" // a stranger chooses it; labels must stay few
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

// jobs asks the queue at each scrape.
type jobs struct {
	queue       *queue.Queue
	count, lost *prometheus.Desc
}

func (j *jobs) Describe(c chan<- *prometheus.Desc) {
	c <- j.count
	c <- j.lost
}

func (j *jobs) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	counts, lost, err := j.queue.Counts(ctx)
	if err != nil {
		c <- prometheus.NewInvalidMetric(j.count, err)
		return
	}
	for state, n := range counts {
		c <- prometheus.MustNewConstMetric(j.count, prometheus.GaugeValue, float64(n), state)
	}
	c <- prometheus.MustNewConstMetric(j.lost, prometheus.GaugeValue, float64(lost))
}

// hold asks at each scrape whether the mail queue is held.
type hold struct {
	outbox *mail.Outbox
	held   *prometheus.Desc
}

func (h *hold) Describe(c chan<- *prometheus.Desc) { c <- h.held }

func (h *hold) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	held := 0.0
	switch now, err := h.outbox.Holding(ctx); {
	case err != nil:
		c <- prometheus.NewInvalidMetric(h.held, err)
		return
	case now != nil:
		held = 1
	}
	c <- prometheus.MustNewConstMetric(h.held, prometheus.GaugeValue, held)
}

// record asks at each scrape what the hourly check found.
type record struct {
	audit                 *audit.Book
	broken, checked, seal *prometheus.Desc
}

func (r *record) Describe(c chan<- *prometheus.Desc) {
	c <- r.broken
	c <- r.checked
	c <- r.seal
}

func (r *record) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	w, err := audit.Watch(ctx, r.audit.DB)
	if err != nil {
		c <- prometheus.NewInvalidMetric(r.broken, err)
		return
	}
	broken, checked := 0.0, 0.0
	if w.Broken != nil {
		broken = 1
	}
	if w.At != nil {
		checked = float64(w.At.Unix())
	}
	c <- prometheus.MustNewConstMetric(r.broken, prometheus.GaugeValue, broken)
	c <- prometheus.MustNewConstMetric(r.checked, prometheus.GaugeValue, checked)
	c <- prometheus.MustNewConstMetric(r.seal, prometheus.GaugeValue, float64(w.Seq))
}

// serveMetrics answers on an address of its own until the returned function is
// called. Without an address it does nothing.
func (p *Portal) serveMetrics() (stop func(), err error) {
	if p.cfg.Metrics == "" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", p.cfg.Metrics)
	if err != nil {
		return nil, fmt.Errorf("listen for metrics: %w", err)
	}
	server := &http.Server{Handler: promhttp.HandlerFor(p.metrics.registry, promhttp.HandlerOpts{}), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			p.log.Warn("metrics ended", "error", err)
		}
	}()
	return func() { server.Close() }, nil
}
