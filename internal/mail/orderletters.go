package mail

import (
	"strings"
	"time"
)

// OrdersWaitingWords tell a registration officer which orders came and wait.
type OrdersWaitingWords struct {
	Reader
	Orders []WaitingOrder
	More   int    // others, which are not named
	Count  int    // all of them
	Link   string // to the orders
}

// WaitingOrder is one of them.
type WaitingOrder struct {
	Reference    string
	Name         string // of the server
	Organisation string
	Validation   bool // it waits for the validation of a name
}

// OrdersWaiting tells an officer of new orders.
func OrdersWaiting(w OrdersWaitingWords) (Letter, error) {
	orders := make([]WaitingOrder, len(w.Orders))
	for i, o := range w.Orders {
		orders[i] = WaitingOrder{name(o.Reference), name(o.Name), name(o.Organisation), o.Validation}
	}
	w.Orders = orders
	return writeIn(w.Lang, ordersWaiting, w.To, w.Link, w)
}

// OrderApprovedWords tell a technical contact that their order was approved.
type OrderApprovedWords struct {
	Reader
	Reference    string
	Organisation string
	Names        []string // of the server
	By           string   // name of the officer
	Link         string   // to the order
}

// OrderApproved tells a technical contact that their order was approved.
func OrderApproved(w OrderApprovedWords) (Letter, error) {
	w.Reference, w.Organisation, w.Names, w.By = name(w.Reference), name(w.Organisation), fewNames(w.Names), name(w.By)
	return writeIn(w.Lang, orderApproved, w.To, w.Link, w)
}

// OrderReturnedWords tell a technical contact that their order needs a
// correction.
type OrderReturnedWords struct {
	Reader
	Reference    string
	Organisation string
	Names        []string
	By           string
	Reason       string // as the officer wrote it
	Link         string
}

// OrderReturned asks a technical contact to correct their order.
func OrderReturned(w OrderReturnedWords) (Letter, error) {
	w.Reference, w.Organisation, w.Names, w.By = name(w.Reference), name(w.Organisation), fewNames(w.Names), name(w.By)
	w.Reason = reason(w.Reason)
	return writeIn(w.Lang, orderReturned, w.To, w.Link, w)
}

// OrderRejectedWords tell a technical contact that their order was refused.
type OrderRejectedWords OrderReturnedWords

// OrderRejected tells a technical contact that their order was refused.
func OrderRejected(w OrderRejectedWords) (Letter, error) {
	w.Reference, w.Organisation, w.Names, w.By = name(w.Reference), name(w.Organisation), fewNames(w.Names), name(w.By)
	w.Reason = reason(w.Reason)
	return writeIn(w.Lang, orderRejected, w.To, w.Link, w)
}

// ServerIssuedWords tell a technical contact that a server certificate is there.
type ServerIssuedWords struct {
	Reader
	Reference    string
	Organisation string
	Names        []string
	Until        time.Time
	Link         string // to the certificate
}

// ServerIssued tells a technical contact that a certificate can be fetched.
func ServerIssued(w ServerIssuedWords) (Letter, error) {
	w.Reference, w.Organisation, w.Names = name(w.Reference), name(w.Organisation), fewNames(w.Names)
	return writeIn(w.Lang, serverIssued, w.To, w.Link, w)
}

// fewNames are the first names of a server: a letter is no list of a hundred.
func fewNames(all []string) []string {
	const most = 10
	if len(all) > most {
		return append(names(all[:most]), "…")
	}
	return names(all)
}

// reason is what an officer wrote, as one item of a list: their lines stand below
// each other, all but the first indented, so that none looks like the letter's own.
func reason(s string) string {
	const most = 2000
	var own []string
	for l := range strings.Lines(s) {
		if l = oneLine(l, most); l != "" {
			own = append(own, l)
		}
	}
	s = strings.Join(own, indent)
	if r := []rune(s); len(r) > most {
		s = string(r[:most-1]) + "…"
	}
	return s
}

const (
	ordersWaiting = "orders_waiting"
	orderApproved = "order_approved"
	orderReturned = "order_returned"
	orderRejected = "order_rejected"
	serverIssued  = "server_issued"
)

func (w OrdersWaitingWords) kind() string            { return ordersWaiting }
func (w OrdersWaitingWords) recipient() string       { return w.To }
func (w OrdersWaitingWords) letter() (Letter, error) { return OrdersWaiting(w) }

func (w OrderApprovedWords) kind() string            { return orderApproved }
func (w OrderApprovedWords) recipient() string       { return w.To }
func (w OrderApprovedWords) letter() (Letter, error) { return OrderApproved(w) }

func (w OrderReturnedWords) kind() string            { return orderReturned }
func (w OrderReturnedWords) recipient() string       { return w.To }
func (w OrderReturnedWords) letter() (Letter, error) { return OrderReturned(w) }

func (w OrderRejectedWords) kind() string            { return orderRejected }
func (w OrderRejectedWords) recipient() string       { return w.To }
func (w OrderRejectedWords) letter() (Letter, error) { return OrderRejected(w) }

func (w ServerIssuedWords) kind() string            { return serverIssued }
func (w ServerIssuedWords) recipient() string       { return w.To }
func (w ServerIssuedWords) letter() (Letter, error) { return ServerIssued(w) }
