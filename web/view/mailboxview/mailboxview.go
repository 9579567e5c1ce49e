// Package mailboxview holds the pages of e-mail domains, their address rows
// and the links between addresses and people, each with its model. It decides
// how they are put together from the kit and which labels stand beside the
// values. It decides nothing of the subject: models come with everything
// worked out.
package mailboxview
