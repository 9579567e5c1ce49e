package site_test

import (
	"net/http"
	"testing"

	"petschaft/internal/order"
	"petschaft/internal/site/sitetest"
	"petschaft/internal/trial"
)

// TestOrdersInABrowser looks at orders in every state, at each step of ordering,
// and at the forms that come back.
func TestOrdersInABrowser(t *testing.T) {
	t.Parallel()
	s := newSight(t, "de")
	s.look("nora", "orders-none", "/orders", http.StatusOK)
	s.look("niko", "orders-closed", "/orders", http.StatusForbidden)
	s.look("rita", "orders-officer", "/orders", http.StatusOK)
	all := populateOrders(s.Rig)
	for state, reference := range all {
		s.look("nora", "order-"+state, "/orders/"+reference, http.StatusOK)
		s.look("rita", "office-order-"+state, "/office/orders/"+reference, http.StatusOK)
	}
	for name, path := range map[string]string{
		"orders": "/orders", "orders-all": "/orders?which=all", "orders-rejected": "/orders?which=rejected", "orders-no-hit": "/orders?q=xyz", "start-returned": "/",
		"order-withdraw": "/orders/" + all["received"] + "/withdraw", "order-correct": "/orders/" + all["returned"] + "/correct", "order-renew": "/certificates/" + s.Aged("alt.uni.example") + "/renew",
	} {
		s.look("nora", name, path, http.StatusOK)
	}
	for name, path := range map[string]string{
		"office-orders": "/office/orders", "office-orders-all": "/office/orders?which=all", "office-orders-none": "/office/orders?q=xyz", "office-todo": "/office", "products": "/office/products",
		"office-order-return": "/office/orders/" + all["received"] + "/return", "office-order-reject": "/office/orders/" + all["received"] + "/reject",
	} {
		s.look("rita", name, path, http.StatusOK)
	}
	s.ordering()
	p := s.page("rita")
	p.Goto(s.At("/office/orders/" + all["received"] + "/reject"))
	p.Press(s.say("serverorder.reject_verb"))
	s.judge(p, "office-order-reject-wrong", http.StatusUnprocessableEntity)
	s.look("rita", "order-over", "/office/orders/"+all["rejected"]+"/reject", http.StatusConflict)
}

// ordering looks at the steps, and at what comes back of each.
func (s *sight) ordering() {
	s.T.Helper()
	p := s.look("nora", "order-key", "/orders/new", http.StatusOK)
	p.Await(s.say("key.browser"))
	p.Choose(s.say("apply.key_csr"))
	s.judge(p, "order-key-csr", http.StatusOK)
	key, csr := sitetest.NewKey("www.uni.example")
	p.Fill(s.say("apply.csr"), key)
	p.Press(s.say("serverorder.next"))
	s.judge(p, "order-key-wrong", http.StatusUnprocessableEntity)
	p.Fill(s.say("apply.csr"), csr)
	p.Press(s.say("serverorder.next"))
	s.judge(p, "order-names", http.StatusOK)
	p.Fill(s.say("server.names"), "www.uni.example\nein.sehr-langer-name-der-nicht-dazu-gehoert.anderswo.example\n*.uni.example\n192.0.2.1")
	p.Press(s.say("serverorder.check_button"))
	s.judge(p, "order-names-wrong", http.StatusUnprocessableEntity)
	p.Fill(s.say("server.names"), "www.uni.example\nprüfstand-süd.uni.example")
	p.Choose(s.say("server.product_multi"))
	p.Fill(s.say("serverorder.comment"), "Bitte bis Freitag: Am Wochenende zieht der Server um.")
	p.Press(s.say("serverorder.check_button"))
	s.judge(p, "order-summary", http.StatusOK)
}

// populateOrders makes an order in each state.
func populateOrders(r *sitetest.Rig) map[string]string {
	r.T.Helper()
	ctx, officer := r.T.Context(), r.Actors["rita"]
	all := map[string]string{
		"received": r.Ordered("www.uni.example", "uni.example", "mail.uni.example"), "returned": r.Returned("www.uni.example"), "issued": r.Fulfilled("git.uni.example"),
	}
	all["review"] = r.Ordered("wiki.uni.example")
	trial.Must(0, r.Order.Take(ctx, officer, all["review"]))
	all["rejected"] = r.Ordered("spiele.uni.example")
	trial.Must(0, r.Order.Reject(ctx, officer, all["rejected"], order.Decision{Version: 1, Reason: "Für diesen Zweck gibt es keine Zertifikate."}))
	all["withdrawn"] = r.Ordered("weg.uni.example")
	trial.Must(0, r.Order.Withdraw(ctx, r.Actors["nora"], all["withdrawn"]))
	for state, why := range map[string]string{"approved": "", "failed": "order.failed.away"} {
		all[state] = r.Ordered(state + ".uni.example")
		trial.Must(0, r.Order.Approve(ctx, officer, all[state], 1))
		trial.Must(r.Pool.Exec(ctx, `update server_order set state = $2, reason = $3, serial = '\x01', not_before = now(), days = 90 where reference = $1`, all[state], state, why))
	}
	populateNames(r)
	reference, err := r.Order.Submit(ctx, r.Actors["nora"], order.Submission{Wish: order.Wish{
		Organisation: r.Organisation, Product: "tls-single", CSR: sitetest.NewCSR("x"), Names: []string{"www.projekt-aurora.example"}, Comment: "Der neue Name ist angefragt.",
	}})
	trial.Must(reference, err)
	all["waiting"] = reference
	return all
}
